"""Damaged environments are told when assets are opened."""

from pathlib import Path

import numpy as np
import OpenEXR
import pytest
from PIL import Image

from datagen.core.errors import MissingDependency
from datagen.formats.exr import write_exr
from datagen.formats.hdr import check_environment
from datagen.formats.images import ImageError
from datagen.pipeline.assets import open_assets
from tests.conftest import plan_of


def radiance(width: int = 16, height: int = 4, runs: bool = True) -> bytes:
    """A Radiance picture whose lines are a run and literals."""
    lines = b""
    for row in range(height):
        if runs:
            channel = bytes([128 + width // 2, 60 + row]) + bytes([width // 2, *range(width // 2)])
            lines += b"\x02\x02" + width.to_bytes(2, "big") + 4 * channel
        else:
            lines += bytes(range(4)) * width
    return b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n" + f"-Y {height} +X {width}\n".encode() + lines


@pytest.mark.parametrize("runs", [True, False])
def test_whole_radiance_pictures_pass_and_cut_ones_do_not(tmp_path: Path, runs: bool) -> None:
    path = tmp_path / "sky.hdr"
    data = radiance(runs=runs)
    path.write_bytes(data)
    check_environment(path)
    for cut in (5, 40, len(data) // 2, len(data) - 1):
        path.write_bytes(data[:cut])
        with pytest.raises(ImageError, match=r"sky\.hdr"):
            check_environment(path)


def test_a_run_that_does_not_fit_its_line_is_damage(tmp_path: Path) -> None:
    data = bytearray(radiance())
    data[data.index(b"\x02\x02") + 4] = 255
    (tmp_path / "sky.hdr").write_bytes(data)
    with pytest.raises(ImageError, match="damaged in line 1"):
        check_environment(tmp_path / "sky.hdr")


def test_exr_and_plain_pictures(tmp_path: Path) -> None:
    whole = write_exr(np.ones((8, 16, 3), np.float32))
    (tmp_path / "sky.exr").write_bytes(whole)
    check_environment(tmp_path / "sky.exr")
    (tmp_path / "sky.exr").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ImageError):
        check_environment(tmp_path / "sky.exr")
    OpenEXR.File({"type": OpenEXR.scanlineimage}, {"RGB": np.ones((4, 8, 3), np.float16)}).write(
        str(tmp_path / "b.exr")
    )
    check_environment(tmp_path / "b.exr")
    Image.new("RGB", (8, 4)).save(tmp_path / "sky.jpg")
    check_environment(tmp_path / "sky.jpg")


@pytest.mark.parametrize(("recipe", "collection"), [("quickstart", "partnet/chair"), ("toysad_quickstart", "toys")])
def test_a_damaged_environment_is_exit_5_before_the_first_job(tmp_path: Path, recipe: str, collection: str) -> None:
    path = tmp_path / "sky.hdr"
    path.write_bytes(radiance()[:-20])
    plan = plan_of(1, recipe, (f"light.worlds=[{path}]",), collection)
    with pytest.raises(MissingDependency, match=r"light\.worlds: .*sky\.hdr.*cut short") as raised:
        open_assets(plan)
    assert raised.value.exit_code == 5
