"""An export is of what the build wrote: what was damaged since is refused by its name."""

import shutil

import pytest

from datagen.core.errors import BrokenFile
from datagen.export.run import export_dataset
from datagen.export.unchanged import Digests


def one(folder, pattern):
    return sorted(folder.rglob(pattern))[0]


@pytest.mark.parametrize("to", ["coco", "mvtec", "hub", "webdataset", "kaputt"])
@pytest.mark.parametrize("fault", ["cut", "flipped", "gone"])
def test_a_damaged_picture_ends_the_export(fake_dataset, tmp_path, to, fault):
    folder = shutil.copytree(fake_dataset, tmp_path / "data")
    path = one(folder / "images", "*.png")
    data = path.read_bytes()
    if fault == "cut":
        path.write_bytes(data[:-40])
    elif fault == "flipped":
        path.write_bytes(data[:60] + bytes([data[60] ^ 1]) + data[61:])
    else:
        path.unlink()
    with pytest.raises(BrokenFile, match=rf"{path.name}: .*datagen verify"):
        export_dataset(folder, to, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("to", ["poses", "mad"])
def test_a_reference_view_that_is_gone_is_no_smaller_bundle(fake_dataset, tmp_path, to):
    folder = shutil.copytree(fake_dataset, tmp_path / "data")
    path = one(folder / "shapes", "mv_images/*.png")
    path.unlink()
    with pytest.raises(BrokenFile, match=rf"{path.name}: named by the manifest and not there"):
        export_dataset(folder, to, tmp_path / "out")


def test_an_edited_mask_is_no_mask_of_the_build(fake_dataset, tmp_path):
    folder = shutil.copytree(fake_dataset, tmp_path / "data")
    path = one(folder / "annotations", "*mask_new*.png")
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(BrokenFile, match="is not what the manifest says"):
        export_dataset(folder, "coco", tmp_path / "out")


def test_digests_say_nothing_of_files_that_they_do_not_know():
    from datagen.core.ids import bytes_hash

    known = Digests([("a", bytes_hash(b"1")), ("b", bytes_hash(b"2"))])
    assert known.agrees("a", b"1") and known.agrees("b", b"2") and known.agrees("c", b"3")
    assert not known.agrees("a", b"2") and Digests([]).agrees("a", b"1")
