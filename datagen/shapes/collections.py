"""How a collection's name, or a path, becomes a source of shapes."""

import os
from difflib import get_close_matches
from importlib.metadata import entry_points
from pathlib import Path

from datagen.core.errors import DatagenError, EmptyCollection, UsageError
from datagen.core.folders import bundled
from datagen.core.plugins import load
from datagen.recipe.categories import OTHER, Categories, built_in_names
from datagen.shapes.built_in import STAND_INS
from datagen.shapes.joined import joined
from datagen.shapes.meshes import recognise_meshes
from datagen.shapes.partnet import EVERY, recognise_partnet
from datagen.shapes.passed_over import passed_over
from datagen.shapes.procedural.things.source import BUILT_IN, GeneratedThings
from datagen.shapes.source import Source
from datagen.shapes.standins.collection import GENERATORS
from datagen.shapes.standins.source import StandInSource
from datagen.shapes.textured import recognise_things

DATA_VARIABLE = "DATAGEN_DATA"
GROUP = "datagen.sources"
BUILT_IN_CATEGORIES = Categories()
PARTNET = "partnet"
"""The collection of all categories."""


def open_collection(
    spec: str,
    data_root: Path | None = None,
    textured: bool = False,
    categories: Categories = BUILT_IN_CATEGORIES,
    keep: bool = False,
    units: str = "",
) -> Source:
    """The source behind a path or a collection's name such as `partnet/chair`, or behind several with commas between.

    A name is looked up under `data_root`, then $DATAGEN_DATA, then the built-in assets; below each as
    `<name>`, and as PartNet's flat `data_v0`, where the last word of the name picks the category. `toys` and
    `abc` that are found nowhere are generated. `textured` (for scenes): files keep their own materials, and every
    one of them is a shape of its own. `categories` say what parts are. `partnet` is every category of PartNet's that
    is there; the stand-ins, where none is. `keep`: parts of PartNet-Mobility keep their own textures. `units`: what a
    recipe says of plain mesh files.
    Raises EmptyCollection (one line: what was looked for, and where), UsageError on a bad card and
    UnplacedParts on loose parts that nothing places.
    """
    if data_root is not None and not data_root.is_dir():
        raise UsageError(f"--data-root {data_root} is not a folder; check the path")
    specs = [name for name in spec.split(",") if name.strip()]
    if len(specs) > 1 and not Path(spec).exists():
        return joined([open_collection(name.strip(), data_root, textured, categories, keep, units) for name in specs])
    if spec.strip().lower().rstrip("/") == PARTNET and not Path(spec).exists():
        return _partnet(data_root, textured, categories, keep)
    candidates = dict.fromkeys(_candidates(spec, data_root))
    there = [(path, category) for path, category in candidates if path.exists()]
    for path, category in there:
        source: Source | None = recognise_partnet(path, categories, category, keep)
        if source is None and category is None:
            source = _of_other_packages(path, textured)
        if source is None and category is None:
            source = recognise_things(path) if textured else recognise_meshes(path, categories, units)
        if source is not None:
            return source
    name = spec.strip().lower().rstrip("/")
    made = _stand_ins(name, categories)
    if made is not None:
        return made
    built_in = BUILT_IN.get(name)
    if built_in is not None:
        return GeneratedThings(built_in)
    named = [path for path, category in there if category is None]
    if not named and name.startswith(f"{PARTNET}/"):
        raise EmptyCollection(_no_category(spec, name.removeprefix(f"{PARTNET}/")))
    if not named:
        below = "" if Path(spec).is_absolute() else f" here or below {', '.join(map(str, _data_roots(data_root)))}"
        names = ", ".join([STAND_INS, *BUILT_IN])
        raise EmptyCollection(f"{spec}: no such file or folder{below}; give a folder, a mesh file or one of {names}")
    places = ", ".join(str(path) for path in named)
    unread = [warning for path in named for warning in passed_over(path, ())]
    raise EmptyCollection(
        f"{spec}: no shape found in {places}; looked for PartNet folders (<id>/result_after_merging.json), for mesh "
        "files (obj, stl, ply, off, glb, gltf, step; blend for scenes) and for MuJoCo XML or URDF that place them"
        + (f"; {'; '.join(unread[:3])}: export it as GLB or OBJ" if unread else "")
    )


def _partnet(data_root: Path | None, textured: bool, categories: Categories, keep: bool) -> Source:
    """All categories of PartNet's: a flat download as it is, else those found by their names."""
    for root in _data_roots(data_root):
        for place in (root / PARTNET / "data_v0", root / "data_v0", root / PARTNET, root):
            source = recognise_partnet(place, categories, EVERY, keep)
            if source is not None:
                return source
    found: list[Source] = []
    for name in (name for name in built_in_names() if name != OTHER):
        try:
            found.append(open_collection(f"{PARTNET}/{name}", data_root, textured, categories, keep))
        except EmptyCollection:
            continue
    return joined([source for source in found if not source.stand_in] or found)


def _stand_ins(name: str, categories: Categories) -> Source | None:
    """Shapes made here in place of a category of PartNet's, None for a name that is none."""
    category = name.removeprefix(f"{PARTNET}/")
    if not name.startswith(f"{PARTNET}/") or category not in GENERATORS:
        return None
    return StandInSource(category, categories)


def _no_category(spec: str, word: str) -> str:
    """Why there is nothing of a category of PartNet's, and what to do."""
    known = [name for name in built_in_names() if name != OTHER]
    if word in known:
        return (
            f"{spec}: no download of it (--data-root) and no stand-ins; `datagen doctor` lists what is made on demand"
        )
    near = get_close_matches(word, known, n=1)
    meant = f", did you mean {PARTNET}/{near[0]}?" if near else ";"
    return f"{spec}: PartNet has no such category{meant} known are {', '.join(known)}; `datagen doctor` says more"


def _of_other_packages(path: Path, textured: bool) -> Source | None:
    """The source that an entry point of `datagen.sources` recognises in a path: (path, textured) -> Source or None.

    Raises UsageError for one that gives anything else.
    """
    for name, recognise in load(entry_points(group=GROUP)).found.items():
        try:
            source = recognise(path, textured)
        except DatagenError:
            raise
        except Exception as error:
            raise UsageError(f"the entry point {name} of {GROUP} fails on {path}: {error}; tell its author") from error
        if source is not None and not isinstance(source, Source):
            raise UsageError(f"the entry point {name} of {GROUP} gives no source of shapes; repair or uninstall it")
        if source is not None:
            return source
    return None


def _candidates(spec: str, data_root: Path | None) -> list[tuple[Path, str | None]]:
    """Places to look, in order; with a category only PartNet annotations of it count there."""
    if not spec.strip():
        raise UsageError(f"--shapes is empty; give a folder, a mesh file or a collection such as {STAND_INS}")
    path = Path(spec).expanduser()
    if path.exists() or path.is_absolute() or spec.startswith("."):
        return [(path, None)]
    places: list[tuple[Path, str | None]] = []
    for root in _data_roots(data_root):
        # A data root may hold the category's folder, PartNet's flat download, or be that download.
        flat = (root / path.parent / "data_v0", root / "data_v0", root)
        places += [(root / path, None), *((place, path.name.lower()) for place in flat)]
    return places


def _data_roots(data_root: Path | None) -> list[Path]:
    variable = os.environ.get(DATA_VARIABLE)
    roots = [data_root, Path(variable) if variable else None]
    return [*(Path(root).expanduser() for root in roots if root is not None), bundled("assets")]
