"""Folders of photographs with poses: three tables that say one thing, one lens for all, and what is refused."""

import json

import numpy as np
import pytest
from PIL import Image

from datagen.core.errors import UsageError
from datagen.formats.posed_folder import read_posed_folder, square_views

K = np.array([[100.0, 0, 50], [0, 100, 40], [0, 0, 1]])


def pose(angle):
    c, s = np.cos(angle), np.sin(angle)
    T = np.eye(4)
    T[:3, :3] = [[-s, c, 0], [0, 0, -1], [-c, -s, 0]]
    T[:3, 3] = [0.1, 0.2, 1.5]
    return T


POSES = [pose(a) for a in (0.0, 0.7, 2.0)]


@pytest.fixture
def folder(tmp_path):
    for sub in ("images", "masks"):
        (tmp_path / sub).mkdir()
    rng = np.random.default_rng(0)
    for k in range(3):
        Image.fromarray(rng.integers(0, 255, (80, 100, 3), dtype=np.uint8)).save(tmp_path / "images" / f"{k}.png")
        mask = np.zeros((80, 100), np.uint8)
        mask[30:50, 40:60] = 255
        Image.fromarray(mask).save(tmp_path / "masks" / f"{k}.png")
    return tmp_path


def transforms(folder, **more):
    flip = np.diag([1.0, -1, -1, 1])
    frames = [
        {"file_path": f"images/{k}.png", "transform_matrix": (np.linalg.inv(T) @ flip).tolist()}
        for k, T in enumerate(POSES)
    ]
    table = {"fl_x": 100, "fl_y": 100, "cx": 50, "cy": 40, "w": 100, "h": 80, "frames": frames} | more
    (folder / "transforms.json").write_text(json.dumps(table))


def colmap(folder, camera="1 PINHOLE 100 80 100 100 50 40"):
    from scipy.spatial.transform import Rotation

    (folder / "cameras.txt").write_text(f"# a comment\n{camera}\n")
    lines = ["# two lines a picture"]
    for k, T in enumerate(POSES):
        x, y, z, w = Rotation.from_matrix(T[:3, :3]).as_quat()
        lines += [f"{k + 1} {w} {x} {y} {z} {T[0, 3]} {T[1, 3]} {T[2, 3]} 1 {k}.png", ""]
    (folder / "images.txt").write_text("\n".join(lines) + "\n")


def scene(folder):
    (folder / "images").rename(folder / "RGB")
    camera = {"K": K.tolist(), "poses": [{"rotation": T.tolist()} for T in POSES]}
    (folder / "scene3d.metadata.json").write_text(json.dumps({"camera": camera}))


@pytest.mark.parametrize("table", [transforms, colmap, scene])
def test_every_table_says_the_same(folder, table):
    table(folder)
    found = read_posed_folder(folder)
    assert [photo.path.name for photo in found] == ["0.png", "1.png", "2.png"]
    for photo, T in zip(found, POSES, strict=True):
        np.testing.assert_allclose(photo.T, T, atol=1e-9)
        np.testing.assert_allclose(photo.K, K)
        assert [path.name for path in photo.masks] == [photo.path.name]


def test_pictures_get_one_lens_and_points_keep_their_place(folder):
    """What is at the optical axis stays in the middle; the widest square about it is cut out."""
    transforms(folder)
    views = square_views(read_posed_folder(folder), 64)
    for view in views:
        assert view.picture.shape == (64, 64, 3) and view.mask.shape == (64, 64)
        np.testing.assert_allclose(view.crop, (10, 0, 80))
        np.testing.assert_allclose(view.K, [[80, 0, 32], [0, 80, 32], [0, 0, 1]])
        rows, columns = np.nonzero(view.mask)
        np.testing.assert_allclose([columns.min(), rows.min()], [(40 - 10) * 0.8, 30 * 0.8], atol=1)


def test_a_table_of_larger_pictures_is_scaled(folder):
    transforms(folder, fl_x=200, fl_y=200, cx=100, cy=80, w=200, h=160)
    np.testing.assert_allclose(read_posed_folder(folder)[0].K, K)


def test_what_cannot_be_read_is_named(folder):
    with pytest.raises(UsageError, match=r"holds no poses; give .* transforms\.json"):
        read_posed_folder(folder)
    (folder / "images.bin").write_bytes(b"")
    with pytest.raises(UsageError, match=r"images\.bin is COLMAP's binary form; write its text with"):
        read_posed_folder(folder)
    transforms(folder, k1=0.1)
    with pytest.raises(UsageError, match=r"0\.png has a lens with k1; undistort"):
        read_posed_folder(folder)
    transforms(folder)
    (folder / "images" / "1.png").unlink()
    with pytest.raises(UsageError, match=r"transforms\.json.*1\.png|1\.png.*not there"):
        read_posed_folder(folder)
    (folder / "transforms.json").write_text("{")
    with pytest.raises(UsageError, match=r"transforms\.json: JSONDecodeError"):
        read_posed_folder(folder)
    (folder / "transforms.json").unlink()
    colmap(folder, "1 OPENCV 100 80 100 100 50 40 0.1 0 0 0")
    with pytest.raises(UsageError, match="lens OPENCV; undistort"):
        read_posed_folder(folder)


def test_lenses_that_cannot_be_squared_are_refused(folder):
    transforms(folder, fl_y=130)
    with pytest.raises(UsageError, match="pixels are not square"):
        square_views(read_posed_folder(folder), 32)
    transforms(folder, cx=-3)
    with pytest.raises(UsageError, match="outside the picture"):
        square_views(read_posed_folder(folder), 32)


def told_again(folder, change):
    """transforms.json with its frames changed by a function."""
    transforms(folder)
    table = json.loads((folder / "transforms.json").read_text())
    change(table["frames"])
    (folder / "transforms.json").write_text(json.dumps(table))


def scaled(by):
    def change(frames):
        matrix = np.array(frames[1]["transform_matrix"])
        matrix[:3, :3] = matrix[:3, :3] @ np.diag(by)
        frames[1]["transform_matrix"] = matrix.tolist()

    return change


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda frames: frames[1]["transform_matrix"][0].__setitem__(3, float("nan")), "1.png: its pose .* not finite"),
        (
            lambda frames: frames[1].update(transform_matrix=np.zeros((4, 4)).tolist()),
            "1.png: .* no rotation and shift",
        ),
        (scaled([2, 2, 2]), "1.png: .* no rotation and shift"),
        (scaled([-1, 1, 1]), "1.png: its pose .* is mirrored"),
        (lambda frames: frames[1].pop("transform_matrix"), "frame 1 has no transform_matrix"),
        (lambda frames: frames[1].update(camera_model="OPENCV_FISHEYE"), "1.png has a lens OPENCV_FISHEYE; undistort"),
        (lambda frames: frames[1].update(mask_path="masks/no.png"), "no.png: the mask that .* for 1.png is absent"),
    ],
)
def test_a_photo_that_cannot_be_placed_is_named(folder, change, match):
    told_again(folder, change)
    with pytest.raises(UsageError, match=match):
        read_posed_folder(folder)


def test_straight_lenses_by_other_names_and_three_rows_are_read(folder):
    told_again(folder, lambda frames: [f.update(transform_matrix=f["transform_matrix"][:3]) for f in frames])
    np.testing.assert_allclose(read_posed_folder(folder)[2].T, POSES[2], atol=1e-9)
    transforms(folder, camera_model="OPENCV", k1=0.0)
    np.testing.assert_allclose(read_posed_folder(folder)[0].K, K)
    (folder / "transforms.json").unlink()
    for camera in ("OPENCV 100 80 100 100 50 40 0 0 0 0", "SIMPLE_RADIAL 100 80 100 50 40 0.0"):
        colmap(folder, f"1 {camera}")
        np.testing.assert_allclose(read_posed_folder(folder)[0].K, K)


def test_a_lens_that_is_not_told_is_named(folder):
    transforms(folder)
    table = json.loads((folder / "transforms.json").read_text())
    del table["fl_x"]
    (folder / "transforms.json").write_text(json.dumps(table))
    with pytest.raises(UsageError, match=r"0\.png has neither fl_x nor camera_angle_x"):
        read_posed_folder(folder)
    with pytest.raises(UsageError, match="nosuch is no folder"):
        read_posed_folder(folder / "nosuch")
    transforms(folder, fl_x=0, fl_y=0)
    with pytest.raises(UsageError, match=r"0\.png: its lens .* focal lengths above 0"):
        read_posed_folder(folder)
    (folder / "transforms.json").unlink()
    colmap(folder, "7 PINHOLE 100 80 100 100 50 40")
    with pytest.raises(UsageError, match=r"0\.png is of camera 1, which cameras.txt does not have"):
        read_posed_folder(folder)


def test_colmap_without_lines_of_points_loses_no_photo(folder):
    colmap(folder)
    lines = (folder / "images.txt").read_text().splitlines()
    (folder / "images.txt").write_text("\n".join(line for line in lines if line) + "\n")
    assert [photo.path.name for photo in read_posed_folder(folder)] == ["0.png", "1.png", "2.png"]
    points = [line or "10.5 20.5 3 11.5 21.5 -1 1.5 2.5 7 8.5 9.5 -1" for line in lines]
    (folder / "images.txt").write_text("\n".join(points) + "\n")
    found = read_posed_folder(folder)
    assert [photo.path.name for photo in found] == ["0.png", "1.png", "2.png"]
    np.testing.assert_allclose(found[2].T, POSES[2], atol=1e-9)
    (folder / "images.txt").write_text("1 0 0 0 0 1 2 3 1 0.png\n")
    with pytest.raises(UsageError, match=r"0\.png: its pose .* no rotation and shift"):
        read_posed_folder(folder)


def test_photos_of_16_bits_are_scaled_and_what_is_transparent_is_white(folder):
    transforms(folder)
    Image.fromarray(np.full((80, 100), 0x4040, np.uint16)).save(folder / "images" / "0.png")
    clear = np.full((80, 100, 4), 0, np.uint8)
    clear[:, :, 3] = 0
    Image.fromarray(clear).save(folder / "images" / "1.png")
    Image.fromarray(np.full((80, 100), 65535, np.uint16)).save(folder / "masks" / "0.png")
    views = square_views(read_posed_folder(folder), 32)
    assert (views[0].picture == 0x40).all() and (views[1].picture == 255).all() and views[0].mask.all()


def test_a_mask_that_cannot_be_read_is_what_is_blamed(folder):
    transforms(folder)
    photos = read_posed_folder(folder)
    whole = (folder / "masks" / "1.png").read_bytes()
    (folder / "masks" / "1.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UsageError, match=r"masks/1\.png: .* is it a mask"):
        square_views(photos, 32)
    Image.fromarray(np.eye(80, 100, dtype=np.uint8)).save(folder / "masks" / "1.png")
    with pytest.raises(UsageError, match=r"masks/1\.png: the largest value of this mask is 1; .* white, 255"):
        square_views(photos, 32)
