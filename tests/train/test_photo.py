"""Photos: alpha, plain backgrounds, what is on white already, the contact shadow."""

import numpy as np
import pytest
from PIL import Image

from datagen.core.errors import UsageError
from datagen.train.photo import OBJECT_SHARE, PhotoOptions, prepare_photo, read_photo


def scene(background, size=(300, 200)):
    """A dark block with a hole in front of a background; returns RGB (H, W, 3)."""
    width, height = size
    picture = np.full((height, width, 3), background, dtype=np.uint8)
    picture[60:160, 120:180] = (90, 60, 40)
    picture[90:110, 140:160] = background
    return picture


def bounds(prepared):
    dark = prepared.mean(axis=2) < 200
    rows, columns = np.flatnonzero(dark.any(axis=1)), np.flatnonzero(dark.any(axis=0))
    return rows[0], rows[-1] + 1, columns[0], columns[-1] + 1


@pytest.mark.parametrize("background", [(200, 210, 220), (30, 160, 60), (255, 255, 255)])
def test_a_plain_background_becomes_white_and_the_object_fills_the_frame(background):
    rng = np.random.default_rng(0)
    noisy = np.clip(scene(background) + rng.normal(0, 3, (200, 300, 3)), 0, 255).astype(np.uint8)
    found = prepare_photo(Image.fromarray(noisy), 256, PhotoOptions("plain")).picture
    top, bottom, left, right = bounds(found)
    assert found.shape == (256, 256, 3)
    assert max(bottom - top, right - left) == pytest.approx(OBJECT_SHARE * 256, abs=3)
    assert abs((top + bottom) / 2 - 128) <= 2 and abs((left + right) / 2 - 128) <= 2
    assert (found[:5] == 255).all() and (found[:, :5] == 255).all()


def test_alpha_is_taken_where_there_is_one(tmp_path):
    rgba = np.dstack([scene((10, 200, 10)), np.zeros((200, 300), np.uint8)])
    rgba[60:160, 120:180, 3] = 255
    path = tmp_path / "cut.png"
    Image.fromarray(rgba).save(path)
    found = prepare_photo(read_photo(path), 128, PhotoOptions()).picture
    top, bottom, left, right = bounds(found)
    assert bottom - top == pytest.approx(OBJECT_SHARE * 128, abs=2)
    assert (bottom - top) / (right - left) == pytest.approx(100 / 60, abs=0.1)


def test_a_built_query_is_only_resized():
    picture = scene((255, 255, 255), (256, 256))
    assert np.array_equal(prepare_photo(Image.fromarray(picture), 256, PhotoOptions()).picture, picture)


@pytest.mark.parametrize("background", ["plain", "keep"])
@pytest.mark.parametrize("size", [(300, 200), (200, 300), (256, 256)])
def test_a_box_of_the_prepared_picture_finds_its_place_in_the_photo(background, size):
    """The block's own bounds in the prepared picture lead back to where the block stands in the photo."""
    photo = prepare_photo(Image.fromarray(scene((230, 220, 210), size)), 128, PhotoOptions(background))
    top, bottom, left, right = (v / 128 for v in bounds(photo.picture))
    found = photo.given_box(((left + right) / 2, (top + bottom) / 2, right - left, bottom - top))
    assert np.abs(np.subtract(found, (120, 60, 180, 160))).max() <= 1.5 / photo.scale


def test_a_box_that_hangs_over_the_edge_ends_there():
    photo = prepare_photo(Image.fromarray(scene((250, 250, 250))), 128, PhotoOptions("keep"))
    assert photo.given_box((0.5, 0.5, 2.0, 2.0)) == (0, 0, 300, 200)


def test_a_phone_s_photo_is_turned_upright(tmp_path):
    upright = Image.fromarray(scene((250, 250, 250)))
    exif = upright.getexif()
    exif[0x0112] = 6  # taken with the camera turned: the file's rows are the scene's columns
    upright.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "phone.png", exif=exif)
    found = read_photo(tmp_path / "phone.png")
    assert found.size == upright.size and np.array_equal(np.asarray(found), np.asarray(upright))


def test_a_shadow_lies_under_the_object_and_stays_ground():
    rgba = np.dstack([scene((0, 0, 0)), np.zeros((200, 300), np.uint8)])
    rgba[60:160, 120:180, 3] = 255
    picture = Image.fromarray(rgba)
    plain, shaded = (prepare_photo(picture, 256, PhotoOptions(shadow=s)).picture for s in (False, True))
    changed = (plain != shaded).any(axis=2)
    top, bottom, left, right = bounds(plain)
    rows, columns = np.nonzero(changed)
    assert changed.any() and rows.min() > (top + bottom) / 2
    assert left - 40 < columns.min() and columns.max() < right + 40
    assert shaded[changed].min() >= 225


def busy(tmp_path):
    path = tmp_path / "busy.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)).save(path)
    return path, PhotoOptions("plain"), "not plain"


def empty(tmp_path):
    path = tmp_path / "empty.png"
    Image.fromarray(np.full((64, 64, 3), 90, np.uint8)).save(path)
    return path, PhotoOptions("plain"), "no object"


def no_picture(tmp_path):
    path = tmp_path / "x.png"
    path.write_bytes(b"nothing")
    return path, PhotoOptions(), "x.png"


def no_alpha(tmp_path):
    path = tmp_path / "y.png"
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(path)
    return path, PhotoOptions("alpha"), "no alpha"


@pytest.mark.parametrize("case", [busy, empty, no_picture, no_alpha])
def test_a_photo_that_cannot_be_used_says_why(case, tmp_path):
    path, options, word = case(tmp_path)
    with pytest.raises(UsageError, match=word):
        prepare_photo(read_photo(path), 64, options)
