"""Loose files, tar shards and the packed cache give the same samples; broken ones are named."""

import shutil
import tarfile
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("kornia")

from datagen.core.errors import BrokenFile  # noqa: E402
from datagen.datasets.config import DataConfig  # noqa: E402
from datagen.datasets.matching import MatchingDataset, PairPlan  # noqa: E402
from datagen.datasets.pack import open_packed  # noqa: E402
from datagen.datasets.samples import list_samples, open_dataset  # noqa: E402
from datagen.datasets.source import LooseSource, require_equal_views  # noqa: E402
from datagen.store.places import Places  # noqa: E402

CONFIG = DataConfig(image_px=64, views=3, eval_views=4)


def chairs(root, split="train", packed=False, plan=None, published=False, **changes):
    files = open_dataset(root)
    samples = list_samples(files, split)
    config = CONFIG.model_copy(update=changes)
    source = open_packed(files, samples, config.image_px) if packed else LooseSource(files, config.image_px)
    return MatchingDataset(source, samples, config, train=plan is not None, seed=5, plan=plan, published=published)


def same(a, b):
    assert a.keys() == b.keys()
    for name in a:
        assert torch.equal(a[name].nan_to_num(-9), b[name].nan_to_num(-9)), name


def sharded(folder, out):
    """Two shards with the dataset's relative paths, and the small files loose beside them."""
    out.mkdir()
    paths = sorted(p for p in folder.rglob("*") if p.is_file() and p.parent != folder)
    for number in (0, 1):
        with tarfile.open(out / f"chairs-{number}.tar", "w") as tar:
            for path in paths[number::2]:
                tar.add(path, path.relative_to(folder).as_posix())
    for name in ("manifest.parquet", "split.json"):
        shutil.copy(folder / name, out / name)
    return out


def test_listing_shards_gives_what_a_scan_of_all_names_gives(folder, tmp_path):
    files = open_dataset(sharded(folder, tmp_path / "shards"))
    with tarfile.open(tmp_path / "shards" / "extra.tar", "w") as tar:
        for name in ("images/a/x.png", "images0/x.png", "images-b/x.png", "imagesz", "./images/a.png", "images"):
            tar.addfile(tarfile.TarInfo(name))
    more = open_dataset(files.root)
    named = []
    for shard in files.root.glob("*.tar"):
        with tarfile.open(shard) as tar:
            named += tar.getnames()
    for each in (files, more):
        members = {name.removeprefix("./") for name in named if each.has(name.removeprefix("./"))}
        folders = {"images", "shapes", "annotations", "image", "none", *(str(Path(n).parent) for n in members)}
        for below in folders:
            assert each.list(below) == sorted(name for name in members if name.startswith(below + "/")), below
    assert more.list("images") == sorted([*files.list("images"), "images/a/x.png", "images/a.png"])


def test_listing_one_bundle_does_not_walk_every_name(folder, tmp_path, monkeypatch):
    files = open_dataset(sharded(folder, tmp_path / "shards"))
    looked_at = []
    inner = Places._name
    monkeypatch.setattr(Places, "_name", lambda self, k: looked_at.append(k) or inner(self, k))
    bundle = files.list(f"shapes/shape_{list_samples(open_dataset(folder), 'train')[0].shape}/mv_images")
    assert len(bundle) == 80 and len(looked_at) < 80 + 40 < len(files._places) / 2


@pytest.mark.parametrize("plan", [None, PairPlan(2, 8), PairPlan(points=32, published=True)])
def test_packed_equals_loose(folder, plan, monkeypatch, tmp_path):
    monkeypatch.setenv("DATAGEN_CACHE", str(tmp_path))
    published = bool(plan and plan.published)
    loose, packed = (chairs(folder, packed=p, plan=plan, published=published) for p in (False, True))
    for number in range(0, len(loose), 3):
        same(loose[2, number], packed[2, number])


def test_the_packed_cache_is_made_once_and_never_half(folder, monkeypatch, tmp_path):
    monkeypatch.setenv("DATAGEN_CACHE", str(tmp_path))
    first = chairs(folder, packed=True).source.folder
    stamp = (first / "queries.npy").stat().st_mtime_ns
    assert chairs(folder, packed=True).source.folder == first
    assert (first / "queries.npy").stat().st_mtime_ns == stamp
    assert [p.name for p in (tmp_path / "packed").iterdir()] == [first.name]


def test_a_packed_source_travels_to_workers_as_a_path(folder, monkeypatch, tmp_path):
    import pickle

    monkeypatch.setenv("DATAGEN_CACHE", str(tmp_path))
    data = chairs(folder, packed=True)
    sent = pickle.dumps(data.source)
    assert len(sent) < 1000
    assert np.array_equal(pickle.loads(sent).query(data.samples[0]), data.source.query(data.samples[0]))


def test_shards_equal_the_folder(folder, tmp_path):
    shards = sharded(folder, tmp_path / "shards")
    loose, tarred = (chairs(root, plan=PairPlan(1, 8)) for root in (folder, shards))
    assert [s.query_path for s in loose.samples] == [s.query_path for s in tarred.samples]
    same(loose[0, 1], tarred[0, 1])


def test_the_published_layout_alone_will_do(folder, copy):
    """No manifest, no cameras, no depth: labels from names, positions and pairs from the npy."""
    for path in [*copy.rglob("*.json"), *copy.rglob("*_depth.npy"), copy / "manifest.parquet"]:
        if path.name.startswith(("info_", "split")):
            continue
        path.unlink()
    ours, theirs = chairs(folder, plan=PairPlan(2, 8)), chairs(copy, plan=PairPlan(2, 8))
    for a, b in zip(ours.samples, theirs.samples, strict=True):
        assert (a.query_path, a.label, a.box, a.kind, a.shape) == (b.query_path, b.label, b.box, b.kind, b.shape)
    assert all(b.severity is None for b in theirs.samples)
    assert all((a.severity > 0) == bool(a.label) for a in ours.samples)
    item = theirs[0, 0]
    assert torch.isfinite(item["xyz"]).all(-1).float().mean() > 0.1
    assert (item["pair_from"] >= 0).any()


def test_pairs_from_tracked_points_agree_with_depth(folder):
    """Two independent ways to the same correspondences: most patches agree to within one patch."""
    source = LooseSource(open_dataset(folder), 256)
    shape = list_samples(open_dataset(folder), "train")[0].shape
    bundle = source.bundle(shape)
    from datagen.datasets.views import tracked_patches

    by_depth = bundle.correspondences(0, 1)
    by_points = tracked_patches(bundle.tracks(0), bundle.tracks(1), 32)
    both = (by_depth >= 0) & (by_points >= 0)
    assert both.sum() > 50
    away = np.maximum(np.abs(by_depth // 32 - by_points // 32), np.abs(by_depth % 32 - by_points % 32))[both]
    assert (away <= 1).mean() > 0.95


def test_360_repeats_0_and_is_left_out(copy):
    shape = list_samples(open_dataset(copy), "train")[0].shape
    mv = copy / "shapes" / f"shape_{shape}" / "mv_images"
    for path in mv.glob(f"{shape}_3.0_0_20*"):
        shutil.copy(path, mv / path.name.replace("_3.0_0_20", "_3.0_360_20"))
    assert len(list(mv.glob("*.png"))) == 21
    source = LooseSource(open_dataset(copy), 64)
    assert source.count(shape) == 20
    assert source.azimuths(shape).tolist() == [18.0 * k for k in range(20)]


def lose(root, shape, azimuth):
    """Every file of a view."""
    gone = list((root / "shapes" / f"shape_{shape}" / "mv_images").glob(f"{shape}_3.0_{azimuth}_20*"))
    assert len(gone) == 4
    for path in gone:
        path.unlink()


@pytest.mark.parametrize("kind", ["loose", "packed", "shards"])
@pytest.mark.parametrize("plan", [None, PairPlan(1, 8)])
def test_a_bundle_that_lost_views_is_named(copy, kind, plan, monkeypatch, tmp_path):
    monkeypatch.setenv("DATAGEN_CACHE", str(tmp_path / "cache"))
    shape = sorted({sample.shape for sample in list_samples(open_dataset(copy), "train")})[-1]
    for azimuth in (36, 324):
        lose(copy, shape, azimuth)
    root = sharded(copy, tmp_path / "shards") if kind == "shards" else copy
    told = (
        rf"shape {shape} has 18 distinct reference views, not 20 as most of the split "
        rf"\(none at azimuth 36, 324 deg\); restore shapes/shape_{shape}/mv_images"
    )
    with pytest.raises(BrokenFile, match=told):
        chairs(root, plan=plan, packed=kind == "packed")
    assert not list((tmp_path / "cache").rglob("*.npy"))


def test_a_bundle_packed_with_fewer_views_is_named_too(copy, monkeypatch, tmp_path):
    from datagen.datasets import pack

    monkeypatch.setenv("DATAGEN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(pack, "require_equal_views", lambda azimuths: None)
    shape = list_samples(open_dataset(copy), "train")[0].shape
    lose(copy, shape, 0)
    with pytest.raises(BrokenFile, match=rf"shape {shape} has 19 .*azimuth 0 deg"):
        chairs(copy, packed=True)


def test_equal_bundles_need_not_have_as_many_views_as_evaluation_asks_for(copy):
    for shape in {sample.shape for sample in list_samples(open_dataset(copy), "train")}:
        lose(copy, shape, 36)
    assert chairs(copy, eval_views=20)[0]["views"].shape[0] == 19


def test_of_equally_common_numbers_of_views_the_larger_is_right():
    some = np.arange(20) * 18.0
    with pytest.raises(BrokenFile, match=r"shape a has 19 .*not 20 .*azimuth 0 deg"):
        require_equal_views({"a": some[1:], "b": some})
    with pytest.raises(BrokenFile, match=r"shape b has 21 .*not 20 as most of the split; restore"):
        require_equal_views({"a": some, "b": np.append(some, 9.0), "c": some})
    with pytest.raises(BrokenFile, match=r"shape a has 19 .*split; restore"):
        require_equal_views({"a": some[1:] * np.nan, "b": some * np.nan})
    require_equal_views({"a": some, "b": some + 1})
    require_equal_views({})


def broken_query(root, sample):
    path = root / sample.query_path
    path.write_bytes(path.read_bytes()[:200])
    return path.name


def missing_bundle(root, sample):
    shutil.rmtree(root / "shapes" / f"shape_{sample.shape}" / "mv_images")
    return f"shape_{sample.shape}"


def broken_depth(root, sample):
    path = sorted((root / "shapes" / f"shape_{sample.shape}" / "mv_images").glob("*_depth.npy"))[0]
    for each in path.parent.glob("*_depth.npy"):
        each.write_bytes(b"no numpy")
    return "_depth.npy"


def lost_depth(root, sample):
    """One of twenty: the published position map would stand in for it without a word."""
    for path in (root / "shapes" / f"shape_{sample.shape}" / "mv_images").glob("*_36_*_depth.npy"):
        path.unlink()
    return "_depth.npy"


def lost_camera(root, sample):
    for path in (root / "shapes" / f"shape_{sample.shape}" / "mv_images").glob("*_36_*.json"):
        path.unlink()
    return ".json"


def evil_npy(root, sample):
    """A pickle that asks for os.system is refused, and not run."""
    import pickle

    class Evil:
        def __reduce__(self):
            import os

            return os.system, (f"touch {root}/ran",)

    for path in (root / "shapes" / f"shape_{sample.shape}" / "mv_images").glob("*.npy"):
        if "_depth" not in path.name:
            with path.open("wb") as stream:
                np.lib.format.write_array_header_1_0(stream, {"descr": "|O", "fortran_order": False, "shape": ()})
                pickle.dump(Evil(), stream)
    return ".npy"


@pytest.mark.parametrize("fault", [broken_query, missing_bundle, broken_depth, lost_depth, lost_camera, evil_npy])
def test_a_broken_file_is_named_and_never_skipped(copy, fault):
    sample = list_samples(open_dataset(copy), "train")[0]
    name = fault(copy, sample)
    plan = PairPlan(points=32, published=True) if fault is evil_npy else PairPlan(1, 8)
    with pytest.raises(BrokenFile, match=name.replace(".", r"\.")):
        chairs(copy, plan=plan, published=fault is evil_npy, views=20)[0, 0]
    assert not (copy / "ran").exists()


def test_a_box_outside_the_grid_is_named(copy):
    (copy / "manifest.parquet").unlink()
    note = sorted(p for p in copy.rglob("info_*.json"))[0]
    note.write_text('{"2d_bbox": [500, 10, 20, 20]}')
    with pytest.raises(BrokenFile, match=r"512 grid"):
        for split in ("train", "val", "test"):
            list_samples(open_dataset(copy), split)


def test_too_few_views_say_so(folder):
    with pytest.raises(BrokenFile, match="20 distinct reference views, 21 are wanted"):
        chairs(folder, plan=PairPlan(), views=21)[0, 0]
