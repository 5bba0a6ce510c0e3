"""The unit of length that a STEP file names: OpenCASCADE takes one that it does not know for another, in silence."""

import re
from pathlib import Path

from datagen.meshfiles.text import name_text
from datagen.meshfiles.values import bad

PREFIXES = (
    *("EXA", "PETA", "TERA", "GIGA", "MEGA", "KILO", "HECTO", "DECA"),
    *("DECI", "CENTI", "MILLI", "MICRO", "NANO", "PICO", "FEMTO", "ATTO"),
)
EXPORT = "export it in millimetres"
_METRE = re.compile(rb"SI_UNIT\((?:\$|\.(\w+)\.),\.METRE\.\)")
_CONVERTED = re.compile(rb"CONVERSION_BASED_UNIT\('([^']*)',#(\d+)\)")
_MEASURE = rb"#%s=LENGTH_MEASURE_WITH_UNIT\(LENGTH_MEASURE\(([-+.0-9Ee]+)\),#\d+\);"
_QUOTED = re.compile(rb"/\*.*?\*/|('(?:[^']|'')*')|\s+", re.DOTALL)


def check_units(data: bytes, path: Path) -> tuple[str, ...]:
    """Warnings of a STEP file's units of length. Raises MeshLoadError for one whose size the file does not say.

    Read are metres with any SI prefix, and units that the file gives as a number of those, such as inches.
    """
    named = [_entity(data, match.start()) for match in re.finditer(rb"\bLENGTH_UNIT\b", data)]
    if not named or b"GLOBAL_UNIT_ASSIGNED_CONTEXT" not in data:
        return (f"unit of length not named: {path.name} is taken to be in millimetres",)
    for entity in named:
        if metre := _METRE.search(entity):
            prefix = (metre[1] or b"").decode()
            if prefix and prefix not in PREFIXES:
                raise bad(path, f"its unit of length has the prefix {prefix}, which SI does not know", EXPORT)
        elif converted := _CONVERTED.search(entity):
            if not _is_measured(data, converted[2]):
                name = name_text(converted[1])
                raise bad(path, f"its unit of length {name} is no positive number of metres in it", EXPORT)
        else:
            raise bad(path, f"its unit of length is none that can be told ({name_text(entity)[:60]})", EXPORT)
    return ()


def _entity(data: bytes, at: int) -> bytes:
    """The statement around a place, without comments and white space outside of strings."""
    start, end = data.rfind(b";", 0, at) + 1, data.find(b";", at)
    return _packed(data[start : end if end >= 0 else len(data)])


def _packed(text: bytes) -> bytes:
    return _QUOTED.sub(lambda match: match[1] or b"", text)


def _is_measured(data: bytes, number: bytes) -> bool:
    """Whether an entity is a positive length in a unit."""
    for match in re.finditer(rb"#%s\s*=" % number, data):
        found = re.match(_MEASURE % number, _packed(data[match.start() : data.find(b";", match.start()) + 1]))
        if found:
            try:
                return 0 < float(found[1]) < float("inf")
            except ValueError:
                return False
    return False
