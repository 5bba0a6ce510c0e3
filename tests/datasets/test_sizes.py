"""Reference views that are not 256 px square, position maps not 32 x 32, and points not equally many in all shapes."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch")
pytest.importorskip("kornia")

from datagen.core.errors import BrokenFile  # noqa: E402
from datagen.datasets.config import DataConfig  # noqa: E402
from datagen.datasets.matching import MatchingDataset, PairPlan  # noqa: E402
from datagen.datasets.pack import open_packed  # noqa: E402
from datagen.datasets.samples import list_samples, open_dataset  # noqa: E402
from datagen.datasets.source import LooseSource  # noqa: E402
from datagen.datasets.views import tracked_patches  # noqa: E402
from datagen.formats.safe_npy import read_npy_dict  # noqa: E402
from datagen.kinds.brokenchairs import references  # noqa: E402
from datagen.scenes.cameras import reference_cameras  # noqa: E402
from tests.conftest import run_build  # noqa: E402

SIDES = (128, 320)
PUBLISHED = PairPlan(points=8, published=True)


@pytest.fixture(scope="module", params=SIDES)
def folder(request, tmp_path_factory):
    """MatchingDataset whose reference views have 128 or 320 px, and so 16 x 16 or 40 x 40 positions."""
    out = tmp_path_factory.mktemp("sizes") / "chairs"
    sets = ["anomaly.slots_per_shape=1", "normal.views={1: 1}", "anomaly.views={1: 1}", "reference.views=6"]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(
            references,
            "reference_cameras",
            lambda recipe: [(a, replace(c, size_px=request.param)) for a, c in reference_cameras(recipe)],
        )
        run_build(out, limit=4, sets=sets)
    return out


@pytest.fixture
def copy(folder, tmp_path):
    return shutil.copytree(folder, tmp_path / "copy")


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    monkeypatch.setenv("DATAGEN_CACHE", str(tmp_path / "cache"))


def source_of(root, image_px, packed):
    files = open_dataset(root)
    return open_packed(files, list_samples(files, "train"), image_px) if packed else LooseSource(files, image_px)


def chairs(root, image_px, packed, plan):
    config = DataConfig(image_px=image_px, views=3, eval_views=4)
    samples = list_samples(open_dataset(root), "train")
    published = bool(plan and plan.published)
    source = source_of(root, image_px, packed)
    return MatchingDataset(source, samples, config, train=plan is not None, seed=5, plan=plan, published=published)


def shapes_of(root):
    return sorted({sample.shape for sample in list_samples(open_dataset(root), "train")})


def arrays_of(root, shape):
    """The npy files of a shape's views."""
    found = sorted((root / "shapes" / f"shape_{shape}" / "mv_images").glob("*.npy"))
    return [path for path in found if "_depth" not in path.name]


def without_depth(root):
    """The published layout alone."""
    for path in (root / "shapes").rglob("*"):
        if path.suffix == ".json" or path.name.endswith("_depth.npy"):
            path.unlink()
    return root


def rewritten(path, **changes):
    np.save(path, read_npy_dict(path) | changes, allow_pickle=True)


def same(one, two):
    assert one.keys() == two.keys()
    for name in one:
        assert torch.equal(one[name].nan_to_num(-9), two[name].nan_to_num(-9)), name


@pytest.mark.parametrize("image_px", [64, 256])
@pytest.mark.parametrize("plan", [None, PairPlan(2, 8), PUBLISHED])
def test_packed_equals_loose(folder, image_px, plan):
    loose, packed = (chairs(folder, image_px, p, plan) for p in (False, True))
    for number in range(0, len(loose), 2):
        item = loose[1, number]
        same(item, packed[1, number])
        assert item["xyz"].shape[1:] == ((image_px // 8) ** 2, 3)


def test_the_published_positions_are_those_from_depth_to_within_a_patch(folder):
    """The two maps tell of the same surface, at whatever size the views were drawn."""
    source, shape = source_of(folder, 256, packed=True), shapes_of(folder)[0]
    maps = (source.positions(shape, [0, 3]), source.published_positions(shape, [0, 3]))
    for depth, published in zip(*maps, strict=True):
        both = np.isfinite(depth).all(axis=1) & np.isfinite(published).all(axis=1)
        assert both.sum() > 30
        assert np.median(np.linalg.norm(depth[both] - published[both], axis=1)) < 0.2


def test_pairs_from_tracked_points_agree_with_depth(folder):
    """Two ways to the same correspondences: most patches agree to within one patch."""
    source, shape = LooseSource(open_dataset(folder), 256), shapes_of(folder)[0]
    bundle = source.bundle(shape)
    by_depth, by_points = bundle.correspondences(0, 1), tracked_patches(bundle.tracks(0), bundle.tracks(1), 32)
    both = (by_depth >= 0) & (by_points >= 0)
    away = np.maximum(np.abs(by_depth // 32 - by_points // 32), np.abs(by_depth % 32 - by_points % 32))[both]
    assert both.sum() > 50 and (away <= 1).mean() > 0.9


@pytest.mark.parametrize("packed", [False, True])
def test_tracked_pixels_are_those_of_the_resized_view(folder, packed):
    """Visible points lie on the object, which they do not where pixels of another size are taken."""
    source, shape = source_of(folder, 256, packed), shapes_of(folder)[0]
    for view in range(0, source.count(shape), 2):
        pixels, seen = source.tracks(shape, view)
        rows, columns = pixels[seen].T.clip(0, 255)
        assert (source.pictures(shape, [view])[0][rows, columns] < 250).mean() > 0.85


def test_shapes_may_track_different_numbers_of_points(copy):
    for path in arrays_of(copy, shapes_of(copy)[0]):
        read = read_npy_dict(path)
        rewritten(path, pxy=read["pxy"][:1500], is_visible=read["is_visible"][:1500])
    sources = [source_of(copy, 256, packed) for packed in (False, True)]
    for shape, count in zip(shapes_of(copy)[:2], (1500, 2000), strict=True):
        for one, two in zip(*(source.tracks(shape, 1) for source in sources), strict=True):
            assert len(one) == count and np.array_equal(one, two)


def fewer_points(path):
    read = read_npy_dict(path)
    rewritten(path, pxy=read["pxy"][:1500], is_visible=read["is_visible"][:1500])
    return path.name, "tracks 1500 points, other views 2000"


def unequal_lengths(path):
    rewritten(path, is_visible=read_npy_dict(path)["is_visible"][1:])
    return path.name, r"pxy is int64 \(2000, 2\) and is_visible bool \(1999,\)"


def flat_positions(path):
    rewritten(path, xyz=read_npy_dict(path)["xyz"].reshape(-1, 3))
    return path.name, "not a square map of points"


def cut_picture(path):
    path = path.with_suffix(".png")
    with Image.open(path) as picture:
        picture.crop((0, 0, picture.width, picture.height - 8)).save(path)
    return path.name, "px, not square"


def cut_depth(path):
    path = path.with_name(path.stem + "_depth.npy")
    np.save(path, np.load(path)[8:])
    return path.name, "not a square depth map"


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("fault", [fewer_points, unequal_lengths, flat_positions, cut_picture, cut_depth])
def test_what_does_not_belong_together_is_named(copy, fault, packed):
    shape = shapes_of(copy)[0]
    name, words = fault(arrays_of(copy, shape)[1])
    with pytest.raises(BrokenFile, match=f"{name.replace('.', '[.]')}.*{words}"):
        source = source_of(copy, 64, packed)
        for view in range(source.count(shape)):
            source.tracks(shape, view)
            source.positions(shape, [view])


def test_without_depth_packed_equals_loose_too(copy):
    without_depth(copy)
    loose, packed = (chairs(copy, 64, p, PairPlan(2, 8)) for p in (False, True))
    item = loose[0, 0]
    same(item, packed[0, 0])
    assert torch.isfinite(item["xyz"]).all(-1).any() and (item["pair_from"] >= 0).any()


def test_patches_too_many_for_16_bits_keep_their_numbers(copy, monkeypatch):
    """A grid of more patches than 16 bits can number is packed in 32."""
    monkeypatch.setattr("datagen.datasets.pack.MOST_IN_I2", 16)
    source = source_of(copy, 64, packed=True)
    pairs = np.load(source.folder / "pairs.npy", mmap_mode="r")
    assert pairs.dtype == np.int32 and pairs.max() > 16
