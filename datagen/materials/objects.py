"""What an object of a scene wears where its source brings no material: one a group of parts, told apart."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from datagen.core.colour import lab_from_linear
from datagen.core.material import Material
from datagen.core.shape import Part, Shape, Skin
from datagen.recipe.scenes import SceneMaterialRecipe

CONTRAST, DRAWS = 18.0, 12
"""Least CIE 1976 distance between two groups, and how often a group is drawn again to reach it."""


def choose_materials(library: Sequence[Material], recipe: SceneMaterialRecipe) -> tuple[Material, ...]:
    """The library's materials of the recipe's classes, at a toy's texture scale."""
    chosen = [m for m in library if recipe.classes.get(m.material_class, 0) > 0]
    return tuple(replace(m, tile_size=m.tile_size * recipe.scale) for m in chosen or library)


def with_materials(
    shape: Shape, choices: Sequence[Material], recipe: SceneMaterialRecipe, rng: np.random.Generator
) -> Shape:
    """The shape with a skin on every part that has none; parts of one group share a material."""
    worn: dict[str, Material] = {}
    tones = lab_from_linear(np.array([m.mean_color for m in choices]).reshape(-1, 3))
    taken: list[int] = []
    parts = []
    for part in shape.parts:
        if part.skin is not None:
            parts.append(part)
            continue
        key = part.group or part.name
        if key not in worn:
            taken.append(_draw(choices, recipe, tones, tones[taken], rng))
            worn[key] = choices[taken[-1]]
        parts.append(replace(part, skin=plain_skin(part, worn[key].material_id)))
    palette = {**shape.palette, **{m.material_id: m for m in worn.values()}}
    return replace(shape, parts=tuple(parts), palette=palette)


def plain_skin(part: Part, material_id: str) -> Skin:
    """One material all over."""
    return Skin((material_id,), np.zeros(len(part.mesh.faces), dtype=np.int32))


def _draw(
    choices: Sequence[Material],
    recipe: SceneMaterialRecipe,
    tones: np.ndarray,
    others: np.ndarray,
    rng: np.random.Generator,
) -> int:
    """Number of a material whose tone (CIELAB, `tones` (N, 3)) stands out from `others` (M, 3)."""
    mass = np.array([recipe.classes.get(m.material_class, 0.0) for m in choices])
    counts = {name: sum(m.material_class == name for m in choices) for name in {m.material_class for m in choices}}
    mass = mass / np.array([counts[m.material_class] for m in choices])
    mass = np.full(len(choices), 1.0) if mass.sum() <= 0 else mass
    best, distance = 0, -1.0
    for _ in range(DRAWS):
        drawn = int(rng.choice(len(choices), p=mass / mass.sum()))
        gap = float(np.linalg.norm(others - tones[drawn], axis=1).min(initial=np.inf))
        if gap > distance:
            best, distance = drawn, gap
        if gap >= CONTRAST:
            break
    return best
