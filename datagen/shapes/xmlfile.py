"""Guarded reading of XML: no document types, no entities, bounded size, depth and number of elements."""

import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import cast

import numpy as np

from datagen.core.errors import ShapeError

MAX_XML_BYTES = 20_000_000
MAX_XML_DEPTH = 120
MAX_XML_ELEMENTS = 500_000
CHUNK_BYTES = 65_536


class _Guard(ElementTree.TreeBuilder):
    """Builds a tree and refuses what a hostile file blows up with."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path, self._depth, self._count = path, 0, 0

    def doctype(self, *_: object) -> None:
        raise ShapeError(f"{self._path}: it has a document type; only plain XML is read, so remove the DOCTYPE line")

    def start(self, tag: str, attrs: dict[str, str]) -> ElementTree.Element:
        self._depth, self._count = self._depth + 1, self._count + 1
        if self._depth > MAX_XML_DEPTH or self._count > MAX_XML_ELEMENTS:
            raise ShapeError(
                f"{self._path}: over {MAX_XML_DEPTH} levels or {MAX_XML_ELEMENTS:,} elements; simplify the file"
            )
        return super().start(tag, attrs)

    def end(self, tag: str) -> ElementTree.Element:
        self._depth -= 1
        return super().end(tag)


def parse_xml(path: Path) -> ElementTree.Element:
    """The root element of a file. Raises ShapeError naming it when it is missing, broken or hostile."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ShapeError(f"{path}: {error.strerror}; restore the file or remove what names it") from error
    if len(data) > MAX_XML_BYTES:
        raise ShapeError(f"{path}: {len(data):,} bytes are too large for a file that places parts; simplify it")
    parser = ElementTree.XMLParser(target=_Guard(path))
    try:
        parser.feed(_with_known_version(data))
        return parser.close()
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise ShapeError(f"{path}: broken XML ({error}); mend or remove it") from error


def root_tag(path: Path) -> str:
    """The name of a file's root element, lower case; '' where it does not begin like XML."""
    parser: ElementTree.XMLPullParser = ElementTree.XMLPullParser(events=("start",))
    data = b""
    with path.open("rb") as file:
        try:
            while chunk := file.read(CHUNK_BYTES):
                parser.feed(chunk if data else _with_known_version(chunk))
                data = (data + chunk)[:CHUNK_BYTES]
                for event in parser.read_events():
                    return str(cast(tuple[str, ElementTree.Element], event)[1].tag).lower().rpartition("}")[2]
                if file.tell() > MAX_XML_BYTES:
                    break
        except (ElementTree.ParseError, ValueError, LookupError):
            pass
    return next((tag for tag in ("mujoco", "robot") if f"<{tag}".encode() in data), "")


def _with_known_version(data: bytes) -> bytes:
    """Exporters write `version="0.0"`, which no parser of XML knows."""
    head = data[:200].partition(b"?>")[0]
    return head.replace(b'version="0.0"', b'version="1.0"') + data[len(head) :]


def numbers(text: str, count: int | range, what: str) -> np.ndarray:
    """`count` finite numbers separated by white space. Raises ValueError saying `what` they are."""
    words = text.split()
    allowed = range(count, count + 1) if isinstance(count, int) else count
    try:
        values = np.array([float(word) for word in words], dtype=np.float64)
    except ValueError:
        values = np.full(len(words), np.nan)
    if len(words) not in allowed or not np.isfinite(values).all():
        wanted = str(allowed[0]) if len(allowed) == 1 else f"{allowed[0]} to {allowed[-1]}"
        raise ValueError(f'{what}="{text}" is not {wanted} finite numbers')
    return values
