"""Clouds by the rules of the readers of Anomaly-ShapeNet and Real3D-AD, restated; `make exports` has open3d read."""

import numpy as np
import pytest
from scipy.spatial import cKDTree

from datagen.core.errors import BrokenFile
from datagen.core.shape import T_INSIDE_FROM_PUBLISHED
from datagen.export.clouds import read_pcd
from datagen.export.points import Points
from datagen.export.run import export_dataset
from datagen.store.manifest import read_manifest
from tests.conformance.exporters import ExporterConformance

SMALL = ("points=1500", "templates=2")
FORMS = {"anomaly-shapenet": ("pcd", "GT", "positive", ","), "real3d-ad": ("", "gt", "good", " ")}


class TestPoints(ExporterConformance):
    keeps_all = False
    refuses = ("scene_dataset",)
    sets = SMALL

    def open(self):
        return Points()


@pytest.fixture(scope="module", params=[(form, part) for form in FORMS for part in ("false", "true")])
def made(request, fake_dataset, tmp_path_factory):
    form, partial = request.param
    out = tmp_path_factory.mktemp("points") / "out"
    told = export_dataset(fake_dataset, "points", out, [*SMALL, f"form={form}", f"partial={partial}"])
    return fake_dataset, out, told, FORMS[form], partial == "true"


def read(sample, folder, truth, normal, comma):
    """A test cloud as the published readers read it: points, labels, whether it is anomalous."""
    if normal in sample.name:
        points = read_pcd(sample.read_bytes())
        return points, np.zeros(len(points)), 0
    table = np.genfromtxt(folder / truth / f"{sample.stem}.txt", delimiter=comma)
    return table[:, :3], table[:, 3], 1


def test_readers_find_templates_and_labelled_clouds(made):
    root, out, told, (above, truth, normal, comma), partial = made
    jobs = {row["job_id"]: row for row in read_manifest(root) if row["row_type"] == "sample" and row["label"]}
    shapes = {f"shape_{row['public_id']}" for row in read_manifest(root)}
    classes = sorted(path.name for path in (out / above).iterdir() if path.is_dir())
    assert set(classes) == shapes
    odd = 0
    for name in classes:
        folder = out / above / name
        assert len(list(folder.glob("train/*template*.pcd"))) == 2
        tests = [path for path in folder.glob("test/*.pcd") if "temp" not in path.name]
        assert all(("cut" in path.name) == partial for path in tests)
        labels = []
        for path in tests:
            points, marks, label = read(path, folder, truth, normal, comma)
            assert points.shape == (1500, 3) and np.array_equal(points.astype(np.float32), read_pcd(path.read_bytes()))
            labels.append(label)
            if label:
                assert set(np.unique(marks)) <= {0, 1}
                assert 0.01 * len(marks) <= marks.sum() < len(marks)
        odd += sum(labels)
        assert sum(labels) < len(labels), "readers need normal clouds too"
    assert odd == len(jobs) == told.instances


def test_marked_points_are_those_that_the_normal_shape_does_not_have(made):
    root, out, _, (above, truth, _, comma), partial = made
    if partial:
        pytest.skip("of whole clouds")
    checked = 0
    for table in (out / above).glob(f"*/{truth}/*.txt"):
        found = np.genfromtxt(table, delimiter=comma)
        obj = (root / "shapes" / table.parts[-3] / "model.obj").read_text().splitlines()
        corners = np.array([line.split()[1:] for line in obj if line.startswith("v ")], dtype=np.float64)
        faces = np.array([line.split()[1:] for line in obj if line.startswith("f ")], dtype=int) - 1
        rng = np.random.default_rng(0)
        picked = corners[faces[rng.integers(len(faces), size=200_000)]]
        areas = np.linalg.norm(np.cross(picked[:, 1] - picked[:, 0], picked[:, 2] - picked[:, 0]), axis=1)
        picked = picked[rng.random(len(areas)) < areas / areas.max() + 0.02]
        weights = rng.dirichlet((1, 1, 1), len(picked))
        surface = np.einsum("nc,nci->ni", weights, picked) @ T_INSIDE_FROM_PUBLISHED[:3, :3].T
        gap = cKDTree(surface).query(found[:, :3])[0]
        odd = found[:, 3] == 1
        assert np.median(gap[~odd]) < 0.05, "what is not marked lies on the normal surface"
        if "missing" not in table.name:
            checked += 1
            assert gap[odd].max() > 1.2 * np.median(gap[~odd]), table.name
        else:
            assert odd.mean() < 0.3, "about the place of what is missing"
    assert checked


def test_a_label_that_is_gone_is_told(made, tmp_path):
    _, out, _, (_, truth, *_), _ = made
    copy = tmp_path / "copy"
    for path in (p for p in out.rglob("*") if p.is_file()):
        target = copy / path.relative_to(out)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    next(copy.rglob(f"{truth}/*.txt")).unlink()
    with pytest.raises(BrokenFile, match=r"_.*\.pcd: .*\.txt not found"):
        Points().read_back(copy)
