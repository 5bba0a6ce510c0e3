"""verify of scenes: what is gone, stored otherwise or moved a little is told by the check that is meant."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from datagen.kinds.oddoneout.verify.compared import best_shift, bounds_of
from datagen.kinds.oddoneout.verify.recast import chosen_views
from datagen.kinds.oddoneout.verify.scene_files import SceneFiles
from datagen.kinds.oddoneout.verify.shown import STRIDE, Shown, kept_pixels
from datagen.store.reader import DatasetReader
from datagen.verify.check import FAIL, PASS
from tests.kinds.oddoneout.faults import edit, odd_of, odd_scene, run_named
from tests.kinds.oddoneout.planted_files import FILES
from tests.kinds.oddoneout.planted_roots import ROOTS
from tests.kinds.oddoneout.planted_words import WORDS

TOLD = {
    "scene_files_there": ("one mask gone", "masks/ gone", "scene.jpg gone", "depth_exr/ gone", "one part label gone"),
    "scene_no_stray_files": (
        *("segmentations of an object that is not there", "a stray file in depth_exr/", "a stray folder in RGB/"),
        *("a folder in scenes/ without tables", "a stray file in a segmentation", "an empty folder in RGB/"),
        "Thumbs.db in masks/",
    ),
    "scene_files_plain": (
        *("green of an EXR a centimetre off", "sky of an EXR infinite", "sky of an EXR not a number"),
        *("an EXR of one channel", "a mask in colour", "a mask of 0 and 200", "an anomaly mask with soft edges"),
        "a segmentation that is transparent",
    ),
    "scene_views_recast": ("objects 3 mm farther, both depths", "part labels exchanged in a view"),
    "scene_pictures_are_their_views": ("a picture shifted by 2 px", "a picture shifted by 4 px"),
    "scene_label_polarity": ("blend_paths in another order", "blend_paths of another shape"),
    "scene_flat_boxes": ("scene2d without boxes", "2D boxes of a view that is not there"),
    "scene_poses_agree": ("published box moved",),
    "scene_anomalies_agree": ("severity of a normal object", "shape_id gone", "location gone", "rendering_info a word"),
    "scene_colors_steady": ("a picture in grey",),
    "scene_jobs_replayed": (
        *("job's id", "kind of a rejection", "reason of a rejection", "stage of a rejection"),
        *("number of a shape in a row", "warnings of a scene's row"),
    ),
    "scene_splits": ("split.json with an empty split",),
    "scene_as_planned": ("split.json in another order", "split.json with a scene that is not planned"),
    "scene_tables_readable": (
        *("README.md gone", "README.md of another dataset", "run.json gone", "run.json damaged", "manifest gone"),
        *("manifest damaged", "recipe: a section that is none", "split.json damaged"),
    ),
    "scene_run_agrees": (
        *("run.json: recipe_hash", "run.json: seed", "run.json: source", "run.json: renderer", "run.json: layout"),
        *("recipe: poses", "renderer in versions of all rows"),
    ),
    "scene_shapes_fit": ("run.json: collection_hash",),
    "scene_versions_uniform": ("versions of a scene's rows",),
    "scene_rows_agree": (
        *("seed of a row", "status of a row", "source of a rejection", "light of a row", "path of a mask in a row"),
    ),
}


@pytest.mark.parametrize("name", TOLD)
def test_clean_scenes_pass(tiny_scenes: Path, name: str) -> None:
    result = run_named(tiny_scenes, name)
    assert result.status == PASS, result.examples


@pytest.mark.parametrize(("name", "kind"), [(name, kind) for name, kinds in TOLD.items() for kind in kinds])
def test_what_was_planted_is_told(spoiled: Path, name: str, kind: str) -> None:
    (FILES | WORDS | ROOTS)[kind](spoiled)
    assert run_named(spoiled, name).status == FAIL


def test_changed_pixels_that_are_another_objects_are_told(spoiled: Path) -> None:
    """The mask of a view holds the changes of all odd objects: how many are whose is in the record alone."""
    folder = odd_scene(spoiled)
    view = chosen_views_of(folder)[0]
    edit(folder, lambda table: odd_of(table)["anomaly"]["changed_px"].__setitem__(view, 3000))
    told = [finding.message for finding in run_named(spoiled, "scene_views_recast").examples]
    assert len(told) == 1 and told[0].startswith("count of changed pixels is not the meshes' in ")


def chosen_views_of(folder: Path) -> list[int]:
    return chosen_views(SimpleNamespace(name=folder.name, extrinsics=range(6)))  # type: ignore[arg-type]


@pytest.mark.parametrize("size", [96, 128, 255, 256])
def test_kept_pixels_are_those_of_a_smaller_camera(size: int) -> None:
    kept = kept_pixels(size)
    small = (np.arange(len(kept)) + 0.5 - len(kept) / 2) * STRIDE
    assert np.allclose(kept + 0.5 - size / 2, small)
    assert kept[0] >= 0 and kept[-1] < size and len(kept) > size / STRIDE - 2


def test_a_view_without_depth_shows_nothing() -> None:
    things = np.ones((2, 10, 10), bool)
    assert Shown.of(things, None, None, None) is None
    assert Shown.of(things, np.ones((5, 5)), None, None) is None
    shown = Shown.of(things, np.full((10, 10), 1e10), np.ones((3, 3), np.int64), None)
    assert shown is not None and shown.parts is None and not shown.depth.any() and shown.coarse().index.shape == (2, 2)


def test_a_picture_is_found_where_its_parts_are() -> None:
    labels = np.zeros((60, 60), int)
    labels[20:40, 15:45] = 1
    strength = bounds_of(labels).astype(float)
    assert best_shift(strength, bounds_of(labels)) == (0, 0, 1)
    x, y, better = best_shift(np.roll(strength, (3, -2), axis=(0, 1)), bounds_of(labels))
    assert (x, y) == (-2, 3) and better > 2
    assert np.isnan(best_shift(strength, np.zeros((60, 60), bool))).all()


def test_published_segmentations_are_plain(samples: Path) -> None:
    """0-1 and 205-207, alpha 255; depth of three channels, sky 1e10."""
    files = SceneFiles(DatasetReader(samples), "oddoneout_scene")
    assert files.segmentation("segmentations/object/object_0000.png") is not None
    assert files.depth("depth_exr/0000.exr") is not None and files.mask("binary_labels/0000.png") is not None
    assert not files.unplain and not files.problems
