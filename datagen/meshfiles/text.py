"""Bytes of text formats as lines of ASCII: encodings, line ends, continuation."""

import re
from pathlib import Path

from datagen.meshfiles.values import bad

_POINTER = b"version https://git-lfs"
BOMS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))


def plain_text(data: bytes, path: Path | str) -> bytes:
    """The text as bytes with single line feeds: byte order marks, UTF-16, CR and CRLF are resolved.

    Raises MeshLoadError for a git-lfs pointer and for text that holds null bytes.
    """
    refuse_pointer(data, path)
    for mark, encoding in BOMS:
        if data.startswith(mark):
            data = data[len(mark) :]
            if encoding != "utf-8":
                try:
                    data = data.decode(encoding).encode()
                except UnicodeDecodeError as error:
                    raise bad(path, f"broken UTF-16 text ({error.reason})") from error
            break
    if b"\0" in data:
        raise bad(path, "null bytes in a text file")
    return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def refuse_pointer(data: bytes, path: Path | str) -> None:
    """Raises MeshLoadError for a git-lfs pointer that stands where the file should be."""
    if data.lstrip().startswith(_POINTER):
        raise bad(path, "a git-lfs pointer stands here instead of the file", "run `git lfs pull`")


def without_comment(line: bytes) -> bytes:
    """A line of numbers up to the `#` that opens a comment; one glued to a number spoils it."""
    return re.split(rb"(?:^|\s)#", line, maxsplit=1)[0]


def without_remark(line: bytes) -> bytes:
    """A line that holds a name up to a comment: `#` at its start, or between white space (`Material #1` is a name)."""
    return re.sub(rb"(^\s*|\s)#(\s.*)?$", b"", line) if not line.lstrip().startswith(b"#") else b""


def name_text(data: bytes) -> str:
    """A name as UTF-8, else byte for byte as Latin-1: names that differ stay apart."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")


def shown(word: bytes) -> str:
    """A word of a file for a message: at most 40 characters."""
    text = word.decode("utf-8", "replace")
    return repr(text if len(text) <= 40 else text[:37] + "...")
