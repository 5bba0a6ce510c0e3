"""The plainest OBJ, read ten times as fast: positions, then triangles, and nothing else, as `obj_bytes` writes it."""

import numpy as np

_LETTERS = b"vf-.0123456789 \n"
_ODD = (b"  ", b" \n", b"- ", b"-\n", b"-.", b" .", b". ", b".\n")


def read_plain(data: bytes) -> tuple[np.ndarray, np.ndarray] | None:
    """Vertices (V, 3) and faces (F, 3) from 0 of a file of `v x y z` and then `f a b c` lines; None for any other.

    Numbers are written out with one point, and single spaces stand between them. What is not so is not judged here.
    """
    cut = data.find(b"\nf ") + 1
    if not cut or not data.endswith(b"\n") or data.translate(None, _LETTERS):
        return None
    vertices = _table(data[:cut], b"v", points=True)
    faces = _table(data[cut:], b"f", points=False)
    if vertices is None or faces is None or faces.min() < 1 or faces.max() > len(vertices):
        return None
    return vertices, faces - 1


def _table(text: bytes, letter: bytes, points: bool) -> np.ndarray | None:
    """Three numbers of each line (N, 3) of `text`, whose lines all have to begin with the letter."""
    count = text.count(b"\n")
    begins = text.count(b"\n" + letter + b" ") + text.startswith(letter + b" ")
    if begins != count or text.count(letter) != count or text.count(b"v") + text.count(b"f") != count:
        return None
    # A sign opens a number, a point stands between digits.
    if text.count(b"-") != text.count(b" -") or any(odd in text for odd in _ODD) or (not points and b"-" in text):
        return None
    marks = np.frombuffer(text, np.uint8)
    ends = np.flatnonzero(marks == ord("\n"))
    # Before each of three numbers there is a space, and in each of them one point or none.
    spaces = np.flatnonzero(marks == ord(" "))
    if len(spaces) != 3 * count or not (np.searchsorted(ends, spaces) == np.repeat(np.arange(count), 3)).all():
        return None
    dots = np.flatnonzero(marks == ord("."))
    wanted = np.arange(3 * count) if points else np.empty(0, np.int64)
    if len(dots) != len(wanted) or not (np.searchsorted(spaces, dots) - 1 == wanted).all():
        return None
    found = np.fromstring(text.replace(letter, b"").decode(), np.float64 if points else np.int64, sep=" ")
    return found.reshape(count, 3) if len(found) == 3 * count else None
