"""Sampling and augmentation: deterministic, without replacement, boxes kept."""

import shutil
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("kornia")

from torch.utils.data import DataLoader  # noqa: E402

from datagen.datasets.augment import augment, brighter, cropped_box, draw_crop  # noqa: E402
from datagen.datasets.config import DataConfig  # noqa: E402
from datagen.datasets.matching import MatchingDataset, PairPlan, grey_to_rgb, shuffled  # noqa: E402
from datagen.datasets.pack import open_packed  # noqa: E402
from datagen.datasets.sampler import EpochSampler  # noqa: E402
from datagen.datasets.samples import list_samples, open_dataset  # noqa: E402
from datagen.datasets.source import LooseSource  # noqa: E402


def chairs(folder, split="train", train=True, **changes):
    config = DataConfig(**{"image_px": 64, "views": 4, "eval_views": 20, **changes})
    files = open_dataset(folder)
    return MatchingDataset(
        LooseSource(files, 64), list_samples(files, split), config, train=train, seed=3, plan=PairPlan(1, 4)
    )


def test_a_sample_depends_on_seed_epoch_and_number_alone(fake_dataset):
    one, two = chairs(fake_dataset), chairs(fake_dataset)
    first = one[1, 0]
    for number in (5, 3):
        two[0, number]
    again = two[1, 0]
    for name in first:
        assert torch.equal(first[name].nan_to_num(-9), again[name].nan_to_num(-9)), name
    assert not torch.equal(first["query"], one[2, 0]["query"])


@pytest.mark.parametrize("workers", [1, 2])
def test_workers_change_nothing(fake_dataset, workers):
    data = chairs(fake_dataset)
    sampler = EpochSampler(["a"] * 8, 2, seed=3)
    alone = list(DataLoader(data, batch_sampler=sampler))
    shared = list(DataLoader(data, batch_sampler=sampler, num_workers=workers, multiprocessing_context="forkserver"))
    assert len(alone) == len(shared) == 4
    for a, b in zip(alone, shared, strict=True):
        assert torch.equal(a["query"], b["query"]) and torch.equal(a["views"], b["views"])


def test_views_are_drawn_without_replacement_and_test_sees_all_unaugmented(fake_dataset):
    item = chairs(fake_dataset)[0, 0]
    assert len({bytes(view.numpy()) for view in item["views"]}) == 4
    data = chairs(fake_dataset, "test", train=False)
    item = data[0]
    assert len({bytes(view.numpy()) for view in item["views"]}) == 20
    plain = torch.from_numpy(data.source.query(data.samples[0]).copy()).permute(2, 0, 1)
    assert torch.equal(item["query"], (plain.float() / 255 - 0.5) / 0.5)
    assert torch.equal(item["query"], data[7, 0]["query"])


def test_the_nearest_view_is_the_one_the_query_was_seen_from(fake_dataset):
    """Query azimuths are multiples of 18 degrees, as the views'; the senses are opposite as published."""
    data = chairs(fake_dataset, "test", train=False)
    for number, sample in enumerate(data.samples):
        azimuths = data.source.azimuths(sample.shape)
        assert (azimuths[int(data[number]["nearest"])] + sample.azimuth_deg) % 360 == 0


def test_epoch_orders_are_permutations_and_ranks_disjoint():
    samplers = [EpochSampler(["a"] * 23, 4, seed=1, rank=rank, ranks=2) for rank in (0, 1)]
    seen = [number for sampler in samplers for batch in sampler for _, number in batch]
    assert len(seen) == len(set(seen)) == 16
    whole = EpochSampler(["a"] * 24, 4, seed=1)
    first = [key for batch in whole for key in batch]
    assert sorted(number for _, number in first) == list(range(24))
    whole.start = 4
    assert [key for batch in whole for key in batch] == first[16:]
    whole.start, whole.epoch = 0, 1
    assert [n for batch in whole for _, n in batch] != [n for _, n in first]


def test_samples_of_a_shape_stand_together_and_share_their_views(fake_dataset):
    data = chairs(fake_dataset, queries_per_shape=4)
    shapes = [sample.shape for sample in data.samples]
    samplers = [EpochSampler(shapes, 8, seed=1, rank=rank, ranks=2, together=4) for rank in (0, 1)]
    for epoch in (0, 1):
        for sampler in samplers:
            sampler.epoch = epoch
        batches = [batch for sampler in samplers for batch in sampler]
        groups = [batch[start : start + 4] for batch in batches for start in (0, 4)]
        assert all(len({shapes[number] for _, number in group}) == 1 for group in groups)
        assert len({tuple(group) for group in groups}) == len(groups)
    (epoch, first), (_, second) = groups[0][:2]
    one, two = data[epoch, first], data[epoch, second]
    assert first != second and torch.equal(one["views"], two["views"]) and one["reference"] == two["reference"]
    assert not torch.equal(one["views"], data[epoch + 1, first]["views"])


def test_a_shape_with_few_samples_repeats_them():
    sampler = EpochSampler(["a"] * 3 + ["b"] * 9, 4, seed=1, together=4)
    numbers = [[number for _, number in batch] for batch in sampler]
    assert sorted(len(set(batch)) for batch in numbers) == [3, 4, 4] and len(sampler) == 3


def marked(size, box):
    """A white picture whose box is red."""
    picture = torch.ones(3, size, size)
    x0, y0 = (round((box[a] - box[a + 2] / 2) * size) for a in (0, 1))
    x1, y1 = (round((box[a] + box[a + 2] / 2) * size) for a in (0, 1))
    picture[1:, y0:y1, x0:x1] = -1
    return picture


def test_boxes_follow_flip_and_crop():
    box = (80 / 256, 100 / 256, 64 / 256, 40 / 256)
    flips = set()
    for seed in range(40):
        rng = np.random.default_rng(seed)
        picture, moved = augment(marked(256, box), box, True, rng, True, 0.875)
        rows, columns = torch.nonzero(picture[1] < 0, as_tuple=True)
        edges = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        told = [moved[0] - moved[2] / 2, moved[1] - moved[3] / 2, moved[0] + moved[2] / 2, moved[1] + moved[3] / 2]
        assert all(abs(float(e) - 256 * t) <= 1.5 for e, t in zip(edges, told, strict=True)), seed
        flips.add(bool(moved[0] > 0.5))
    assert flips == {True, False}


def drawn(values):
    class Drawn:
        """Gives these values and no more."""

        def __init__(self):
            self.left = list(values)

        def random(self):
            return self.left.pop(0)

        def uniform(self, low, high, size):
            assert (low, high, size) == (-0.2, 0.2, 2)
            return np.array(self.left.pop(0))

        def integers(self, low, high, size):
            return np.array(self.left.pop(0))

    return Drawn()


def test_brightness_and_contrast_change_as_in_the_published_trainer():
    levels = torch.arange(256, dtype=torch.float32)
    picture = (levels / 255 * 2 - 1).expand(3, 256, 256)
    rng = drawn([0.19, (0.1, -0.2)])
    changed, box = augment(picture, (0.5, 0.5, 0.1, 0.1), True, rng, False, 1.0, 0.2)
    assert rng.left == [] and box == (0.5, 0.5, 0.1, 0.1)
    want = (levels * 1.1 - 0.2 * 255).clamp(0, 255)
    assert torch.allclose((changed[0, 0] + 1) * 127.5, want, atol=1e-3)
    assert want[0] == 0 and (want == 255).sum() == 0
    assert brighter(picture, 1.2, 0.2).max() == 1
    rng = drawn([0.21])
    assert torch.equal(augment(picture, box, True, rng, False, 1.0, 0.2)[0], picture) and rng.left == []


def test_brightness_and_contrast_draw_nothing_where_they_are_off():
    """A recipe without them trains on the pictures it always did."""
    picture, box = torch.rand(3, 64, 64) * 2 - 1, (0.5, 0.5, 0.4, 0.4)
    rng = drawn([0.4, (1, 2)])
    plain, _ = augment(picture, box, True, rng, True, 0.875)
    assert rng.left == []
    rng = drawn([0.4, 0.9, (1, 2)])
    unlucky, _ = augment(picture, box, True, rng, True, 0.875, 0.2)
    assert rng.left == [] and torch.equal(plain, unlucky)


def test_brightness_and_contrast_are_a_training_querys_alone(fake_dataset):
    plain, changed = (chairs(fake_dataset, brightness_contrast=p) for p in (0.0, 1.0))
    for number in range(4):
        one, two = plain[0, number], changed[0, number]
        assert not torch.equal(one["query"], two["query"])
    one, two = (chairs(fake_dataset, "test", train=False, brightness_contrast=p)[0] for p in (0.0, 1.0))
    assert torch.equal(one["query"], two["query"]) and torch.equal(one["views"], two["views"])


@pytest.mark.parametrize("probability", [-0.1, 1.1])
def test_brightness_and_contrast_have_a_probability(probability):
    with pytest.raises(ValueError, match="brightness_contrast"):
        DataConfig(brightness_contrast=probability)


def test_a_crop_that_cuts_the_box_away_is_drawn_again_then_centred():
    corner = (20 / 256, 128 / 256, 8 / 256, 8 / 256)
    lefts = {draw_crop(np.random.default_rng(seed), 256, 0.875, corner)[1] for seed in range(200)}
    assert max(lefts) < 20
    hopeless = (0.5 / 256, 0.5, 1 / 256, 0.1)

    class Never:
        draws = 0

        def integers(self, low, high, size):
            self.draws += 1
            return np.array([16, high - 1])

    rng = Never()
    assert draw_crop(rng, 256, 0.875, hopeless) == (16, 16, 224)
    assert rng.draws == 10


def test_a_cropped_box_is_clipped():
    assert cropped_box((16 / 256, 0.5, 32 / 256, 0.5), 0, 16, 224, 256)[:3:2] == pytest.approx((8 / 224, 16 / 224))


def test_shuffled_references_are_other_shapes():
    shapes = [str(n) for n in range(7)]
    found = shuffled({shape: shape for shape in shapes}, 0)
    assert sorted(found) == sorted(found.values()) == shapes
    assert all(found[shape] != shape for shape in shapes)


def test_shuffling_swaps_the_reference_and_nothing_else(fake_dataset):
    right, wrong = (chairs(fake_dataset, train=False, shuffle_references=s)[0] for s in (False, True))
    assert torch.equal(right["query"], wrong["query"]) and right["label"] == wrong["label"]
    assert not torch.equal(right["views"], wrong["views"])


def test_grey_views_become_three_equal_channels():
    rgb = grey_to_rgb(torch.tensor([[[0, 255], [51, 102]]], dtype=torch.uint8))
    assert rgb.shape == (1, 3, 2, 2) and torch.equal(rgb[:, 0], rgb[:, 2])
    assert rgb[0, 0].tolist() == [[-1.0, 1.0], [pytest.approx(-0.6), pytest.approx(-0.2)]]


def test_masks_say_what_changed_packed_or_not_and_by_published_names_too(fake_dataset, tmp_path, monkeypatch):
    monkeypatch.setenv("DATAGEN_CACHE", str(tmp_path / "cache"))
    bare = tmp_path / "bare"
    shutil.copytree(fake_dataset, bare, ignore=shutil.ignore_patterns("manifest.parquet", "log"))
    for folder in (fake_dataset, bare):
        files = open_dataset(folder)
        samples = list_samples(files, "train")
        loose, packed = LooseSource(files, 64), open_packed(files, samples, 64)
        for sample in samples:
            mask = loose.changed(sample)
            assert np.array_equal(mask, packed.changed(sample))
            assert mask.shape == (64, 64) and mask.any() == bool(sample.label)
    unknown = replace(next(s for s in samples if s.label), masks=())
    assert loose.changed(unknown) is None
    data = MatchingDataset(loose, [unknown], DataConfig(image_px=64, eval_views=4), train=False, changed=True)
    assert (data[0]["changed"] == -1).all()


def test_thinned_views_are_shared_by_a_shape_and_the_nearest_is_among_them(fake_dataset):
    config = DataConfig(image_px=64, views=20, queries_per_shape=2, flip=False, crop=1.0, thin_views=1.0)
    files = open_dataset(fake_dataset)
    source = LooseSource(files, 64)
    samples = list_samples(files, "train")
    data = MatchingDataset(source, samples, config, train=True, seed=3, plan=PairPlan(nearest="drawn"))
    counts, angles = set(), []
    for epoch in range(6):
        same = [data[epoch, k] for k in range(len(samples)) if samples[k].shape == samples[0].shape]
        assert all(torch.equal(item["there"], same[0]["there"]) for item in same)
        assert all(bool(item["there"][item["nearest"]]) for item in same)
        counts.add(int(same[0]["there"].sum()))
        angles += [float(item["angle"]) for item in same]
    assert len(counts) > 1 and min(counts) >= 5 and max(angles) > 18
    whole = MatchingDataset(source, samples, config.model_copy(update={"thin_views": 0.0}), train=True, seed=3)
    assert "there" not in whole[0, 0]


def test_a_shape_is_mirrored_with_its_views(fake_dataset):
    files = open_dataset(fake_dataset)
    samples = list_samples(files, "train")
    source = LooseSource(files, 64)

    def made(**changes):
        config = DataConfig(image_px=64, views=4, queries_per_shape=2, flip=False, crop=1.0, **changes)
        plan = PairPlan(nearest="drawn")
        return MatchingDataset(source, samples, config, train=True, seed=3, plan=plan, changed=True)

    number = next(k for k, sample in enumerate(samples) if sample.label)
    plain, both = made(), made(flip_together=True)
    seen = set()
    for epoch in range(8):
        a, b = plain[epoch, number], both[epoch, number]
        turned = not torch.equal(a["query"], b["query"])
        seen.add(turned)
        for name in ("query", "views", "changed"):
            assert torch.equal(a[name].flip(-1) if turned else a[name], b[name])
        x, *rest = a["box"].tolist()
        assert b["box"].tolist() == pytest.approx([1 - x if turned else x, *rest])
        assert a["nearest"] == b["nearest"]
    assert seen == {True, False}
