"""An anomaly that the rendered pictures do not show is refused, as with chairs: a new layout, then a normal object."""

import json

import numpy as np
import pytest

from datagen.annotate.quality import contrast_about
from datagen.render.fake import FakeRenderer
from datagen.store.manifest import read_manifest
from tests.conftest import build_scenes

SETS = ("layout.poses=stable", "camera.views=10", "camera.size_px=64", "layout.objects={3: 1}",
        "split.scenes={unseen-test: 1, train: 2, seen-test: 1}", "anomaly.kinds={material: 1}")  # fmt: skip


class Hazy(FakeRenderer):
    """Pictures without contrast for the first so many scenes rendered."""

    blind, rendered = 0, 0

    def render(self, scene):
        Hazy.rendered += 1
        pictures = super().render(scene)
        if Hazy.rendered > Hazy.blind:
            return pictures
        return [np.full_like(picture, 128) for picture in pictures]


@pytest.fixture
def built(tmp_path, monkeypatch):
    """Rows and tables of a build whose first pictures are blind."""
    monkeypatch.setattr("datagen.render.fake.FakeRenderer", Hazy)

    def build(blind, *sets):
        Hazy.blind, Hazy.rendered = blind, 0
        out = tmp_path / f"out{blind}"
        summary = build_scenes(out, sets=(*SETS, *sets))
        assert not summary.quarantined
        tables = [json.loads(p.read_text()) for p in sorted(out.glob("scenes/*/scene3d.metadata.json"))]
        return read_manifest(out), tables

    return build


def unseen(rows):
    return [row for row in rows if row["row_type"] == "rejection" and row["reason"] == "no_contrast"]


def test_another_layout_is_rendered_where_a_picture_does_not_show_it(built):
    clear, before = built(0)
    assert not unseen(clear)
    rows, after = built(1)
    (row,) = unseen(rows)
    assert row["stage"] == "picture" and row["detail"] == "the pictures of 0 of 10 views show it" and row["label"] == 1
    labels = [[thing["label"] for thing in table["objects"]] for table in after]
    assert labels == [[thing["label"] for thing in table["objects"]] for table in before], "the same objects"
    moved = [a["objects"][0]["location"] != b["objects"][0]["location"] for a, b in zip(before, after, strict=True)]
    assert sum(moved) == 1, "in another place in the one scene"
    assert len([r for r in rows if r["row_type"] == "scene"]) == 4 and len(rows) == len(clear) + 1


def test_what_no_picture_shows_is_a_normal_object(built):
    rows, tables = built(10**6)
    assert not any(thing["label"] for table in tables for thing in table["objects"])
    counts = {row["spec"]: 0 for row in unseen(rows)}
    for row in unseen(rows):
        counts[row["spec"]] += 1
    assert counts and set(counts.values()) == {2}
    assert all(len(table["objects"]) == 3 for table in tables)


def test_a_recipe_may_ask_for_none(built):
    rows, tables = built(10**6 + 1, "anomaly.min_contrast=0")
    assert not unseen(rows) and any(thing["label"] for table in tables for thing in table["objects"])


def test_contrast_is_that_along_the_outline():
    changed = np.zeros((32, 32), bool)
    changed[8:24, 8:24] = True
    picture = np.full((32, 32, 3), 100, np.uint8)
    assert contrast_about(picture, changed) == 0
    picture[14:18, 14:18] = 200
    assert contrast_about(picture, changed) == 0, "an edge inside is not one of the change"
    picture[changed] = 110
    assert contrast_about(picture, changed) == pytest.approx(10)
