"""EXR written and read here: exact, and as the published depth has it."""

import numpy as np
import pytest

from datagen.formats.exr import ExrError, read_exr, write_exr


@pytest.mark.parametrize("shape", [(1, 1), (16, 5), (33, 40)])
def test_what_is_written_is_read(shape):
    rng = np.random.default_rng(0)
    image = rng.normal(size=shape).astype(np.float32)
    image[0, 0] = 1e10
    channels = read_exr(write_exr(image))
    assert list(channels) == ["B", "G", "R"] and all((c == image).all() for c in channels.values())


def test_colours_keep_their_channels():
    image = np.arange(60, dtype=np.float32).reshape(4, 5, 3)
    channels = read_exr(write_exr(image))
    assert (np.stack([channels[c] for c in "RGB"], axis=-1) == image).all()


def test_damage_is_an_error_that_names_the_file():
    data = write_exr(np.ones((20, 20), np.float32))
    for bad in (b"", b"no exr", data[:40], data[:-7], data[:200] + bytes(50) + data[250:]):
        with pytest.raises(ExrError, match=r"depth\.exr"):
            read_exr(bad, "depth.exr")


def test_the_published_depth_is_read(samples):
    channels = read_exr((samples / "oddoneout_scene" / "depth_exr" / "0000.exr").read_bytes())
    depth = channels["R"]
    assert set(channels) == {"R", "G", "B"} and depth.shape == (256, 256) and (channels["G"] == depth).all()
    assert np.isclose(depth.max(), 1e10) and 0.3 < depth.min() < 1.0
