"""COCO's RLE as pycocotools decodes it: rleFrString and rleDecode of maskApi.c, statement by statement."""

import numpy as np


def counts_of(text: str) -> list[int]:
    """rleFrString."""
    s, counts, p = text.encode("ascii"), [], 0
    while p < len(s):
        x, k, more = 0, 0, True
        while more:
            c = s[p] - 48
            x |= (c & 0x1F) << (5 * k)
            more = bool(c & 0x20)
            p += 1
            k += 1
            if not more and c & 0x10:
                x |= -1 << (5 * k)
        if len(counts) > 2:
            x += counts[len(counts) - 2]
        counts.append(x)
    return counts


def mask_of(segmentation) -> np.ndarray:
    """rleDecode: the mask (H, W) bool of an annotation's segmentation; pixels run down the columns."""
    height, width = segmentation["size"]
    pixels, value = [], 0
    for count in counts_of(segmentation["counts"]):
        pixels += [value] * count
        value = 1 - value
    assert len(pixels) == height * width
    return np.array(pixels, bool).reshape((height, width), order="F")
