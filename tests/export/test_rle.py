"""RLE in Python against the rules of maskApi.c, and against pycocotools where it is installed."""

import numpy as np
import pytest

from datagen.export import rle
from tests.export.coco_rules import counts_of, mask_of


def boxed(height, width, rows, columns, hole):
    mask = np.zeros((height, width), bool)
    mask[slice(*rows), slice(*columns)] = True
    mask[hole] = False
    return mask


KNOWN = {
    "61=": boxed(4, 5, (2, 3), (1, 2), (0, 0)),
    "li8V7V2PKhNl1X1T3Pm`1": boxed(300, 200, (20, 250), (30, 33), (slice(90, 120), 31)),
    "0S51Yk0": boxed(40, 30, (0, 40), (0, 30), (3, 4)),
}
"""Strings that pycocotools 2.0.11 wrote (mask.encode) -> their masks."""


def masks():
    rng = np.random.default_rng(0)
    for height, width in ((1, 1), (1, 7), (9, 1), (40, 33), (256, 256)):
        yield np.zeros((height, width), bool)
        yield np.ones((height, width), bool)
        for share in (0.01, 0.5, 0.97):
            yield rng.random((height, width)) < share
    blob = np.zeros((300, 200), bool)
    blob[20:250, 30:170] = True
    blob[90:120, 60:61] = False
    yield blob


def test_what_is_encoded_decodes_by_the_rules_and_by_our_own_reader():
    for mask in masks():
        coded = rle.encode(mask)
        assert coded["size"] == list(mask.shape)
        assert counts_of(coded["counts"]) == rle.run_lengths(mask)
        assert np.array_equal(mask_of(coded), mask)
        assert np.array_equal(rle.decode(mask.shape, coded["counts"]), mask)


def test_runs_go_down_the_columns_and_begin_with_zeros():
    assert rle.run_lengths(np.array([[False, True], [False, True], [True, False]])) == [2, 3, 1]
    assert rle.run_lengths(np.array([[True], [False]])) == [0, 1, 1]


@pytest.mark.parametrize("text", KNOWN)
def test_the_strings_are_those_of_pycocotools(text):
    assert rle.encode(KNOWN[text])["counts"] == text


@pytest.mark.parametrize("text", ["", "0", "9", "P", "4O4"])
def test_counts_that_do_not_fill_the_picture_are_refused(text):
    with pytest.raises(ValueError):
        rle.decode((2, 4), text)


def test_pycocotools_agrees():
    theirs = pytest.importorskip("pycocotools.mask", reason="pycocotools is not installed")
    for mask in masks():
        coded = rle.encode(mask)
        assert theirs.encode(np.asfortranarray(mask, np.uint8))["counts"].decode() == coded["counts"]
        assert np.array_equal(theirs.decode(coded).astype(bool), mask)
