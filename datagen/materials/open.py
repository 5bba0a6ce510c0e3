"""From the names in a recipe to the libraries of materials and floors behind them."""

from collections.abc import Sequence
from pathlib import Path

from datagen.core.errors import MaterialError
from datagen.materials.folder import load_folder
from datagen.materials.library import CombinedLibrary, MaterialLibrary
from datagen.materials.procedural.floor import FloorLibrary
from datagen.materials.procedural.library import ProceduralLibrary

PROCEDURAL = "procedural"
"""The word that names the built-in library where a folder could stand."""


def open_libraries(names: Sequence[str], seed: int, cache: Path | None = None) -> MaterialLibrary:
    """The libraries a recipe names: 'procedural' for the built-in one, anything else a folder.

    Raises MaterialError for a folder that is not there, holds nothing usable, or repeats an id.
    """
    opened: list[MaterialLibrary] = [
        ProceduralLibrary(seed, cache=cache) if name == PROCEDURAL else load_folder(Path(name), cache=cache)
        for name in names
    ]
    if not opened:
        raise MaterialError("the recipe names no material library; add 'procedural' or a folder")
    return opened[0] if len(opened) == 1 else CombinedLibrary(tuple(opened))


def open_floors(names: Sequence[str], seed: int, cache: Path | None = None) -> MaterialLibrary:
    """Floors that a recipe names: 'procedural', or folders of PBR image sets. Raises MaterialError."""
    opened: list[MaterialLibrary] = [
        FloorLibrary(seed, cache) if name == PROCEDURAL else load_folder(Path(name).expanduser(), cache, floors=True)
        for name in names
    ]
    if not opened:
        raise MaterialError("the recipe names no floor; add 'procedural' or a folder to light.floors")
    return opened[0] if len(opened) == 1 else CombinedLibrary(tuple(opened))
