"""Photos: alpha, plain backgrounds, what is on white already, the contact shadow."""

import numpy as np
import pytest
from PIL import Image

from datagen.cli.show import check_picture_path, run_show
from datagen.core.errors import UsageError
from datagen.train.tasks.matching.photo import OBJECT_SHARE, PhotoOptions, prepare_photo, read_photo


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
    found = prepare_photo(read_photo(path).picture, 128, PhotoOptions()).picture
    top, bottom, left, right = bounds(found)
    assert bottom - top == pytest.approx(OBJECT_SHARE * 128, abs=2)
    assert (bottom - top) / (right - left) == pytest.approx(100 / 60, abs=0.1)


def test_a_built_query_is_only_resized():
    picture = np.full((256, 256, 3), 255, np.uint8)
    picture[50:230, 70:180] = (90, 60, 40)
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
    found = read_photo(tmp_path / "phone.png").picture
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
    Image.fromarray(np.zeros((40, 40, 3), np.uint8)).save(path)
    return path, PhotoOptions("alpha"), "no alpha"


def tiny(tmp_path):
    path = tmp_path / "tiny.png"
    Image.fromarray(np.zeros((31, 400, 3), np.uint8)).save(path)
    return path, PhotoOptions(), "tiny.png has 400 x 31 px, too few to judge"


@pytest.mark.parametrize("case", [busy, empty, no_picture, no_alpha, tiny])
def test_a_photo_that_cannot_be_used_says_why(case, tmp_path):
    path, options, word = case(tmp_path)
    with pytest.raises(UsageError, match=word):
        prepare_photo(read_photo(path).picture, 64, options)


def test_a_wide_photo_on_white_is_centred_and_scaled_with_its_shadow(tmp_path):
    picture = np.full((200, 600, 3), 255, np.uint8)
    picture[60:140, 380:440] = (90, 60, 40)
    picture[140:146, 370:450] = 236
    photo = prepare_photo(Image.fromarray(picture), 256, PhotoOptions())
    top, bottom, left, right = bounds(photo.picture)
    assert bottom - top == pytest.approx(OBJECT_SHARE * 256, abs=3)
    assert abs((top + bottom) / 2 - 128) <= 2 and abs((left + right) / 2 - 128) <= 2
    assert (photo.picture[bottom + 5, 110:146] < 250).all(), "the shadow below it stays"
    box = [v / 256 for v in ((left + right) / 2, (top + bottom) / 2, right - left, bottom - top)]
    assert np.abs(np.subtract(photo.given_box(tuple(box)), (380, 60, 440, 140))).max() < 2


def test_the_ground_seen_between_slats_is_ground():
    picture = np.full((200, 200, 3), (180, 190, 200), np.uint8)
    picture[40:160, 60:140] = (90, 60, 40)
    for row in (60, 90, 120):
        picture[row : row + 15, 75:125] = (183, 188, 203)
    found = prepare_photo(Image.fromarray(picture), 256, PhotoOptions("plain")).picture
    assert (found[126:132, 110:146] > 250).mean() > 0.9 or (found[100:160, 128] > 250).any()
    picture[60:75, 75:125] = (200, 120, 40)
    kept = prepare_photo(Image.fromarray(picture), 256, PhotoOptions("plain")).picture
    assert (np.abs(kept.astype(int) - (200, 120, 40)).sum(axis=2) < 12).any(), "a patch of another colour stays"


MODES = {
    "I;16": lambda grey: Image.fromarray(grey.astype(np.uint16) * 257),
    "L": lambda grey: Image.fromarray(grey),
    "LA": lambda grey: Image.merge("LA", [Image.fromarray(grey), Image.new("L", grey.shape[::-1], 255)]),
    "RGB": lambda grey: Image.fromarray(grey).convert("RGB"),
    "RGBA": lambda grey: Image.fromarray(grey).convert("RGBA"),
    "P": lambda grey: Image.fromarray(grey).convert("P"),
    "CMYK": lambda grey: Image.fromarray(grey).convert("RGB").convert("CMYK"),
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_every_mode_is_its_eight_bit_twin(tmp_path, mode, suffix):
    if mode == "CMYK" and suffix == "png":
        suffix = "jpg"
    grey = np.full((120, 100), 250, np.uint8)
    grey[20:100, 30:70] = np.linspace(20, 120, 80).astype(np.uint8)[:, None]
    MODES[mode](grey).save(tmp_path / f"a.{suffix}", **({"quality": 98} if suffix == "jpg" else {}))
    found = read_photo(tmp_path / f"a.{suffix}").picture
    assert found.mode in ("RGB", "RGBA")
    seen = np.asarray(found.convert("RGB")).astype(int)
    assert np.abs(seen - grey[..., None]).max() <= (12 if suffix == "jpg" else 0)


def test_profiles_are_converted_to_srgb(tmp_path):
    """Display P3's green is outside sRGB; a colour inside both comes out as sRGB says it."""
    from PIL import ImageCms

    picture = Image.new("RGB", (32, 32), (200, 100, 60))
    swapped = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    picture.save(tmp_path / "srgb.png", icc_profile=srgb)
    assert read_photo(tmp_path / "srgb.png").picture.getpixel((0, 0)) == (200, 100, 60)
    wide = p3_profile()
    picture.save(tmp_path / "p3.png", icc_profile=wide)
    photo = read_photo(tmp_path / "p3.png")
    r, g, b = photo.picture.getpixel((0, 0))
    assert r > 205 and g < 100 and b < 60 and not photo.notes, "the same numbers in P3 are a more vivid colour"
    for broken in (b"no profile at all", swapped.tobytes(), wide[:90]):
        picture.save(tmp_path / "broken.png", icc_profile=broken)
        photo = read_photo(tmp_path / "broken.png")
        assert photo.picture.getpixel((0, 0)) == (200, 100, 60)
        assert "colour profile cannot be read" in photo.notes[0]


def p3_profile() -> bytes:
    """An ICC matrix profile (version 2) with Display P3's primaries at D50 and a gamma of 2.2."""
    import struct

    def fixed(values):
        return b"".join(struct.pack(">i", round(v * 65536)) for v in values)

    tags = {
        b"desc": b"desc" + bytes(4) + struct.pack(">I", 3) + b"P3\0" + bytes(79),
        b"cprt": b"text" + bytes(4) + b"none\0",
        b"wtpt": b"XYZ " + bytes(4) + fixed([0.9642, 1.0, 0.8249]),
        b"rXYZ": b"XYZ " + bytes(4) + fixed([0.5151, 0.2412, -0.0011]),
        b"gXYZ": b"XYZ " + bytes(4) + fixed([0.2920, 0.6922, 0.0419]),
        b"bXYZ": b"XYZ " + bytes(4) + fixed([0.1571, 0.0666, 0.7841]),
    }
    tags |= {c: b"curv" + bytes(4) + struct.pack(">IH", 1, round(2.2 * 256)) for c in (b"rTRC", b"gTRC", b"bTRC")}
    table, body, offset = b"", b"", 132 + 12 * len(tags)
    for name, data in tags.items():
        data += bytes(-len(data) % 4)
        table += name + struct.pack(">II", offset + len(body), len(data))
        body += data
    head = struct.pack(">I4sI4s4s4s", 132 + len(table) + len(body), b"lcms", 0x02100000, b"mntr", b"RGB ", b"XYZ ")
    head += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + bytes(28) + fixed([0.9642, 1.0, 0.8249]) + bytes(48)
    return head + struct.pack(">I", len(tags)) + table + body


def test_frames_and_formats_are_told(tmp_path):
    frames = [Image.new("RGB", (32, 32), c) for c in ("red", "blue")]
    frames[0].save(tmp_path / "a.tif", save_all=True, append_images=frames[1:])
    photo = read_photo(tmp_path / "a.tif")
    assert photo.picture.getpixel((0, 0)) == (255, 0, 0) and "2 frames; the first is judged" in photo.notes[0]


def heic(tmp_path):
    (tmp_path / "a.heic").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
    return tmp_path / "a.heic", PhotoOptions(), "HEIC is not read; export it as JPEG"


def floats(tmp_path):
    Image.fromarray(np.ones((8, 8), np.float32)).save(tmp_path / "a.tif")
    return tmp_path / "a.tif", PhotoOptions(), "floating-point"


def cut(tmp_path):
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)).save(tmp_path / "a.jpg")
    data = (tmp_path / "a.jpg").read_bytes()
    (tmp_path / "a.jpg").write_bytes(data[: len(data) // 2])
    return tmp_path / "a.jpg", PhotoOptions(), "a.jpg"


def blank(value, options):
    def case(tmp_path):
        Image.fromarray(np.full((64, 64, 3), value, np.uint8)).save(tmp_path / "blank.png")
        return tmp_path / "blank.png", PhotoOptions(options), "no object|blank"

    return case


def two(tmp_path):
    picture = np.full((200, 300, 3), 255, np.uint8)
    picture[60:140, 40:100] = (90, 60, 40)
    picture[60:140, 180:240] = (40, 60, 90)
    Image.fromarray(picture).save(tmp_path / "two.png")
    return tmp_path / "two.png", PhotoOptions(), "2 objects apart"


def two_cut_out(tmp_path):
    two(tmp_path)
    rgb = np.asarray(Image.open(tmp_path / "two.png"))
    Image.fromarray(np.dstack([rgb, (rgb.min(axis=2) < 250) * np.uint8(255)])).save(tmp_path / "two.png")
    return tmp_path / "two.png", PhotoOptions(), "2 objects apart"


BLANK = {"white": (255, "auto"), "grey": (128, "auto"), "black": (0, "plain"), "kept": (90, "keep")}
CASES = {
    **{"heic": heic, "floats": floats, "cut": cut, "two": two, "two cut out": two_cut_out},
    **{name: blank(level, background) for name, (level, background) in BLANK.items()},
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_what_shows_no_one_object_is_an_error_not_a_verdict(case, tmp_path):
    path, options, word = case(tmp_path)
    with pytest.raises(UsageError, match=word):
        prepare_photo(read_photo(path).picture, 64, options)


def test_a_piece_that_came_off_is_no_second_object():
    picture = np.full((256, 256, 3), 255, np.uint8)
    picture[40:220, 60:160] = (90, 60, 40)
    picture[180:220, 200:220] = (90, 60, 40)
    picture[60:120, 164:180] = (40, 60, 90)
    assert prepare_photo(Image.fromarray(picture), 256, PhotoOptions()).scale == 1.0


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("answer.txt", "no picture format"),
        ("answer", "no suffix"),
        (".", "no suffix|folder"),
        ("file/x.png", "is a file"),
    ],
)
def test_a_picture_that_cannot_be_written_is_told_before_the_work(tmp_path, name, word):
    (tmp_path / "file").write_text("x")
    with pytest.raises(UsageError, match=word):
        check_picture_path(tmp_path / name)
    with pytest.raises(UsageError, match=word):
        run_show(tmp_path / "no dataset is looked at", [], tmp_path / name, None)
    check_picture_path(tmp_path / "new" / "deep" / "answer.png")
    assert not (tmp_path / "new").exists()


def test_a_ground_that_darkens_evenly_is_plain():
    shade = np.linspace(240, 120, 300)[None, :, None] + np.linspace(0, -20, 200)[:, None, None]
    picture = np.broadcast_to(shade, (200, 300, 3)).astype(np.uint8).copy()
    picture[60:160, 120:180] = (150, 40, 30)
    found = prepare_photo(Image.fromarray(picture), 256, PhotoOptions("plain")).picture
    top, bottom, left, right = bounds(found)
    assert bottom - top == pytest.approx(OBJECT_SHARE * 256, abs=4)
    assert (bottom - top) / (right - left) == pytest.approx(100 / 60, abs=0.1)


def test_an_object_at_the_edge_is_noted():
    picture = np.full((200, 200, 3), (180, 190, 200), np.uint8)
    picture[60:200, 60:140] = (90, 60, 40)
    assert "reaches the edge" in prepare_photo(Image.fromarray(picture), 64, PhotoOptions("plain")).notes[0]
