"""Where packed files lie, of any number of them: names one after the other in one string, and numbers in arrays."""

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TarPlace:
    """Where a file lies: tar below the dataset's folder, byte offset and size."""

    shard: str
    offset: int
    size: int


class Places(Mapping[str, TarPlace]):
    """Path -> place, sorted by path, in some 120 bytes a file. Of two places of one path the later counts."""

    def __init__(self, found: Iterable[tuple[str, TarPlace]] = ()) -> None:
        self._names, self._ends = bytearray(), array("Q", [0])
        self._shard, self._offset, self._size = array("I"), array("Q"), array("Q")
        self._number: dict[str, int] = {}
        last, is_sorted = "", True
        for name, place in found:
            is_sorted &= not self._shard or last < name
            last = name
            self._names += name.encode("utf-8", "surrogateescape")
            self._ends.append(len(self._names))
            self._shard.append(self._number.setdefault(place.shard, len(self._number)))
            self._offset.append(place.offset)
            self._size.append(place.size)
        self._shards = tuple(self._number)
        # Numbers of the files in the order of their paths; None where they came so.
        self._order = None if is_sorted else self._sorted()

    def _sorted(self) -> "array[int]":
        latest = {self._name(k): k for k in range(len(self._shard))}
        return array("Q", (latest[name] for name in sorted(latest)))

    def _name(self, k: int) -> str:
        return self._names[self._ends[k] : self._ends[k + 1]].decode("utf-8", "surrogateescape")

    def _at(self, position: int) -> int:
        return position if self._order is None else self._order[position]

    def _find(self, path: str) -> int:
        """The first position whose path is not before this one."""
        return bisect_left(range(len(self)), path, key=lambda position: self._name(self._at(position)))

    def __len__(self) -> int:
        return len(self._shard) if self._order is None else len(self._order)

    def __iter__(self) -> Iterator[str]:
        return (self._name(self._at(position)) for position in range(len(self)))

    def __getitem__(self, path: str) -> TarPlace:
        position = self._find(path)
        if position == len(self) or self._name(self._at(position)) != path:
            raise KeyError(path)
        k = self._at(position)
        return TarPlace(self._shards[self._shard[k]], self._offset[k], self._size[k])

    def below(self, folder: str) -> list[str]:
        """Paths at any depth below a folder, sorted."""
        # What begins with "folder/" stands together, before "folder0": 0 follows / in Unicode.
        return [self._name(self._at(k)) for k in range(self._find(f"{folder}/"), self._find(f"{folder}0"))]

    @property
    def shards(self) -> tuple[str, ...]:
        """The tars that hold files, sorted."""
        return tuple(sorted(self._shards))
