"""What is behind an object in its pictures, what the manifest says of it, and what a check may expect there."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from datagen.annotate.quality import WHITE, Behind, grey
from datagen.core.backdrop import Backdrop, Photo, Plain, Tiled
from datagen.core.colour import rgb_of
from datagen.core.errors import MissingDependency
from datagen.core.ids import canonical_json
from datagen.recipe.models import QueryRecipe, Recipe
from datagen.render.backdrop import flat
from datagen.scenes.backdrops import listed_photos


def background_columns(backdrop: Backdrop | None, digests: Mapping[str, str]) -> dict[str, str]:
    """As the manifest has it; '' for white. `digests`: path of a photo -> SHA-256 of its file."""
    match backdrop:
        case Plain():
            told: dict[str, object] = {"colour": "#" + "".join(f"{round(255 * c):02x}" for c in backdrop.color)}
        case Photo():
            cut = {"corner": list(backdrop.corner), "edge": backdrop.edge, "is_mirrored": backdrop.is_mirrored}
            told = {"photo": Path(backdrop.path).name, "sha256": digests[backdrop.path], **cut}
        case Tiled():
            told = {
                "floor": backdrop.material_id,
                "rotation_deg": backdrop.rotation_deg,
                "offset": list(backdrop.offset),
            }
        case _:
            return {"background": ""}
    return {"background": canonical_json(told)}


def expected_behind(backdrop: Backdrop | None, recipe: QueryRecipe) -> Behind:
    """What a check may expect behind an object. A photo that is not there leaves the ground unknown."""
    is_lit = not any(light.backlight for light in recipe.lights)
    if backdrop is None:
        return Behind(WHITE.level, is_lit)
    if isinstance(backdrop, Tiled):
        return Behind(None, is_lit)
    try:
        return Behind(grey(255 * flat(backdrop, recipe.size_px)), is_lit)
    except MissingDependency:
        return Behind(None, is_lit)


def backdrop_of(row: Mapping[str, Any] | None, recipe: QueryRecipe) -> Backdrop | None:
    """The backdrop of a manifest's row; a photo by its name in the recipe's folder. Raises ValueError, KeyError."""
    told = json.loads(str((row or {}).get("background") or "null"))
    if told is None:
        return None
    if "colour" in told:
        return Plain(rgb_of(told["colour"]))
    if "floor" in told:
        u, v = told["offset"]
        return Tiled(told["floor"], told["rotation_deg"], (u, v))
    x, y = told["corner"]
    folder = Path(recipe.background.photos or "").expanduser()
    return Photo(str(folder / told["photo"]), (int(x), int(y)), int(told["edge"]), bool(told["is_mirrored"]))


def photo_paths(recipe: QueryRecipe) -> tuple[Path, ...]:
    """The photographs of a recipe; () without any. Raises MissingDependency."""
    return listed_photos(recipe.background.photos) if recipe.background.photos is not None else ()


def is_on_white(recipe: Recipe | None) -> bool:
    """Whether objects are seen on white, lit from their front: what a picture without its geometry is judged by."""
    query = recipe.query if recipe else QueryRecipe()
    return query.background.is_white and not any(light.backlight for light in query.lights)


def refuse_unlike(row: Mapping[str, Any], recipe: QueryRecipe) -> str:
    """What is wrong with the kind of background that a row tells, by its recipe; '' where nothing is."""
    told, asked = backdrop_of(row, recipe), recipe.background
    kinds = {"photos": Photo, "colour": Plain, "floor": Tiled}
    wanted = next((kind for name, kind in kinds.items() if getattr(asked, name) is not None), type(None))
    if not isinstance(told, wanted):
        return f"its background is {row.get('background') or 'white'}, the recipe asks for another kind"
    if isinstance(told, Plain) and not np.allclose(told.color, rgb_of(str(asked.colour)), atol=1e-6):
        return f"its background is {row['background']}, the recipe says {asked.colour}"
    return ""
