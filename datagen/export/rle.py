"""COCO's run-length encoding of masks, as pycocotools writes and reads it (maskApi.c), in Python."""

import numpy as np


def encode(mask: np.ndarray) -> dict[str, object]:
    """A mask (H, W) bool as COCO's compressed RLE: `size` [H, W] and `counts` as a str."""
    height, width = mask.shape
    return {"size": [height, width], "counts": _packed(run_lengths(mask))}


def decode(size: tuple[int, int], counts: str) -> np.ndarray:
    """The mask (H, W) bool of a compressed RLE; `size` is (H, W). Raises ValueError where the two do not agree."""
    runs = _unpacked(counts)
    height, width = size
    if min(runs, default=0) < 0 or sum(runs) != height * width:
        raise ValueError(f"the runs do not fill {height} x {width} pixels")
    flat = np.repeat(np.arange(len(runs)) % 2 == 1, runs)
    return flat.reshape((width, height)).T


def run_lengths(mask: np.ndarray) -> list[int]:
    """Lengths of the runs down the columns, in turn of 0 and of 1; the first, of 0, may be empty."""
    flat = np.concatenate([[False], mask.T.ravel().astype(bool)])
    edges = np.flatnonzero(flat[1:] != flat[:-1])
    ends = np.concatenate([[0], edges, [mask.size]])
    return [int(length) for length in np.diff(ends)]


def _packed(runs: list[int]) -> str:
    """Five bits a character from '0' on, lowest first, the sixth for "more follows".

    From the fourth on a run is written as its difference from the one two before it.
    """
    letters = []
    for k, run in enumerate(runs):
        value = run - runs[k - 2] if k > 2 else run
        more = True
        while more:
            low = value & 31
            value >>= 5
            # Bit 4 is the sign: the number ends once what is left only repeats it.
            more = value != (-1 if low & 16 else 0)
            letters.append(chr(48 + (low | (32 if more else 0))))
    return "".join(letters)


def _unpacked(counts: str) -> list[int]:
    runs: list[int] = []
    value = shift = 0
    for letter in counts:
        bits = ord(letter) - 48
        value |= (bits & 31) << shift
        shift += 5
        if not bits & 32:
            if bits & 16:
                value -= 1 << shift
            runs.append(value + runs[len(runs) - 2] if len(runs) > 2 else value)
            value = shift = 0
    if shift:
        raise ValueError("the counts end inside a number")
    return runs
