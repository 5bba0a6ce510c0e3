"""The plainest OBJ, read ten times as fast: positions, then triangles, and nothing else, as `obj_bytes` writes it."""

import numpy as np

_LETTERS = b"vf-.0123456789 \n"
_DIGIT = np.array([chr(k) in "0123456789" for k in range(256)])
_OUTSIDE = np.array([chr(k) in " \n" for k in range(256)])


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
    marks = np.frombuffer(text, np.uint8)
    ends, spaces, dots, signs = (np.flatnonzero(marks == ord(mark)) for mark in "\n .-")
    wanted = 3 * count if points else 0
    if len(spaces) != 3 * count or len(dots) != wanted or (len(signs) and not points):
        return None
    # Three spaces a line, a number after each; a sign opens a number, and one point stands between digits of each.
    is_spaced = (np.searchsorted(ends, spaces) == np.repeat(np.arange(count), 3)).all() and not _OUTSIDE[
        marks[spaces + 1]
    ].any()
    is_signed = (marks[signs - 1] == ord(" ")).all() and _DIGIT[marks[signs + 1]].all()
    is_pointed = (np.searchsorted(spaces, dots) - 1 == np.arange(wanted)).all() and (
        _DIGIT[marks[dots - 1]] & _DIGIT[marks[dots + 1]]
    ).all()
    if not (is_spaced and is_signed and is_pointed):
        return None
    found = np.fromstring(text.replace(letter, b"").decode(), np.float64 if points else np.int64, sep=" ")
    return found.reshape(count, 3) if len(found) == 3 * count else None
