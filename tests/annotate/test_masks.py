"""Masks, boxes, changed pixels and picture checks against geometry known by hand."""

import numpy as np
import pytest

from datagen.annotate.masks import annotate_view, changed_pixels, tight_box
from datagen.annotate.quality import check_contrast, check_picture
from datagen.core.anomaly import AnomalousShape, AnomalySpec
from datagen.core.camera import Camera
from datagen.core.scene import GeometryFrame
from datagen.core.shape import Part, Shape
from datagen.geometry.rays import RayScene
from datagen.recipe.models import QualityRecipe
from datagen.render.raycast import cast_view
from tests.conftest import box


def frame(meshes):
    return cast_view(RayScene(meshes), Camera(0, 0, 3.0))


def test_a_box_covers_the_pixels_the_pinhole_says():
    """A unit square at depth 2.5, seen with f = 355: 142 px wide about the centre."""
    seen = frame([(7, box((1, 1, 1)))])
    rows, columns = np.nonzero(seen.part_id == 7)
    assert (columns.min(), columns.max() + 1) == (128 - 71, 128 + 71)
    assert (rows.min(), rows.max() + 1) == (128 - 71, 128 + 71)
    assert np.allclose(seen.depth[seen.silhouette], 2.5)
    assert np.allclose(seen.normal[128, 128], [1, 0, 0])
    assert tight_box(seen.silhouette) == (114.0, 114.0, 284.0, 284.0)


def test_depth_is_along_the_axis_not_the_ray():
    seen = frame([(1, box((0.01, 1.4, 1.4)))])
    inside = seen.depth[seen.silhouette]
    assert np.ptp(inside) < 1e-9


def anomaly(kind, part_id=2, gone=()):
    """A result as far as masks look at it: what it is of, and what is gone."""
    parts = tuple(Part(k, "part", "part", "Other", box((1, 1, 1))) for k in (1, 2))
    shape = Shape("blocks", "test", parts)
    changed = {k: np.ones(12, bool) for k in ((part_id,) if part_id else (1, 2)) if k not in gone}
    return AnomalousShape(AnomalySpec(kind, part_id), shape, shape, changed, 0.1, gone)


def test_an_anomaly_of_the_whole_object_is_masked_where_it_looks_otherwise():
    """The lower block is where it was: it stands in neither mask."""
    still = (1, box((0.2, 0.4, 0.4)))
    before = frame([still, (2, box((0.2, 0.1, 0.1), (0.2, 0.3, 0.3)))])
    after = frame([still, (2, box((0.2, 0.1, 0.1), (0.2, 0.36, 0.3)))])
    note = annotate_view(before, after, anomaly("bend", 0))
    assert (note.mask_new == (note.changed & after.silhouette)).all() and note.mask_new.any()
    assert not (note.mask_new & (after.part_id == 1)).any() and note.bbox_xywh_512 == tight_box(
        note.mask_new | note.mask_old
    )


def test_changed_pixels_are_where_the_part_was_or_is():
    still = (1, box((0.2, 0.4, 0.4)))
    before = frame([still, (2, box((0.2, 0.1, 0.1), (0.2, 0.3, 0.3)))])
    after = frame([still, (2, box((0.2, 0.1, 0.1), (0.2, -0.3, -0.3)))])
    changed = changed_pixels(before, after, (2,))
    assert (changed == ((before.part_id == 2) | (after.part_id == 2))).all()
    note = annotate_view(before, after, anomaly("position"))
    assert note.iou == 0 and note.bbox_xywh_512 == tight_box(after.part_id == 2)
    gone = frame([still])
    note = annotate_view(before, gone, anomaly("missing", gone=(2,)))
    assert note.mask_new is None and note.iou == 0 and note.bbox_xywh_512 == tight_box(before.part_id == 2)


def test_nothing_changed_is_nothing():
    seen = frame([(1, box((1, 1, 1)))])
    assert not changed_pixels(seen, seen, (1,)).any()
    with pytest.raises(ValueError, match="empty mask"):
        tight_box(np.zeros((4, 4), bool))


def picture(ground=250, body=120):
    image = np.full((256, 256, 3), ground, np.uint8)
    mask = np.zeros((256, 256), bool)
    mask[80:180, 90:170] = True
    image[mask] = body
    empty = np.zeros((256, 256))
    return image, GeometryFrame(empty, mask.astype(np.int32), empty.astype(np.int32), np.zeros((256, 256, 3)))


@pytest.mark.parametrize(
    ("ground", "body", "reason"),
    [(250, 120, None), (200, 120, "grey_ground"), (250, 240, "blown_out"), (250, 3, "black")],
)
def test_picture_checks(ground, body, reason):
    image, seen = picture(ground, body)
    why = check_picture(image, seen, QualityRecipe())
    assert (why.reason if why else None) == reason


def test_a_dark_blob_on_the_ground_is_found():
    image, seen = picture()
    image[240:246, 20:26] = 90
    assert check_picture(image, seen, QualityRecipe()).reason == "dark_ground"


def test_a_change_nobody_can_see_is_found():
    image, seen = picture()
    hidden = np.zeros((256, 256), bool)
    hidden[100:120, 100:120] = True
    assert check_contrast(image, hidden, QualityRecipe()).reason == "no_contrast"
    assert check_contrast(image, seen.part_id > 0, QualityRecipe()) is None
