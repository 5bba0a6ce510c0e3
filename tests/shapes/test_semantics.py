"""Every label of PartNet's chairs has a class, and unknown ones get a sensible one."""

import pytest

from datagen.recipe.categories import built_in
from datagen.shapes.semantics import part_class

from .helpers import sample

CHAIRS = built_in("chair")


def test_all_57_labels_are_in_the_table() -> None:
    assert len(CHAIRS.labels) == 57
    text = (sample("partnet_meta_stats") / "stats/after_merging_label_ids/Chair.txt").read_text()
    assert {line.split()[1] for line in text.splitlines()} == set(CHAIRS.labels)


def test_every_class_is_used() -> None:
    assert set(CHAIRS.labels.values()) == set(CHAIRS.classes)


def test_raw_labels_never_raise_and_mostly_find_a_class() -> None:
    text = (sample("partnet_meta_stats") / "stats/before_merging_label_ids/Chair.txt").read_text()
    classes = {line.split()[1]: part_class(line.split()[1], CHAIRS) for line in text.splitlines()}
    assert set(classes.values()) <= set(CHAIRS.classes)
    assert all(label == "Footrest" for path, label in classes.items() if path.startswith("chair/footrest"))


@pytest.mark.parametrize(
    ("path", "label"),
    [
        ("chair/chair_base/regular_leg_base/leg", "Leg"),
        ("chair/chair_base/regular_leg_base/caster/wheel", "Leg"),
        ("chair/chair_base/star_leg_base/central_support", "SurfaceBase"),
        ("chair/chair_base/regular_leg_base/seat_connector", "Other"),
        ("chair/chair_back/back_surface/back_soft_surface", "BackSurface"),
        ("chair/chair_back/back_connector", "Other"),
        ("chair/chair_base/regular_leg_base/other/other_leaf", "Other"),
        ("chair/footrest/chair_base/regular_leg_base/leg", "Footrest"),
        ("chair_arm", "Arm"),
        ("remainder", "Other"),
        ("table/top", "Other"),
        ("", "Other"),
    ],
)
def test_lookup(path: str, label: str) -> None:
    assert part_class(path, CHAIRS) == label
