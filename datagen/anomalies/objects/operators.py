"""One door to the operators on objects: propose and apply by kind."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np

from datagen.anomalies.objects import deform, fracture, material, move, similar
from datagen.core.anomaly import Rejected
from datagen.core.material import Material
from datagen.core.oddity import OddShape, OddSpec
from datagen.core.shape import Shape
from datagen.recipe.scenes import OddRecipe

BREAKS = ("fracture", "crack")
FIELDS = ("bump", "bend", "twist", "deformation")
MOVES = ("translation", "rotation", "missing")


class Neighbours(Protocol):
    """Shapes of the split that look like one."""

    def nearest(self, shape: Shape) -> tuple[str, ...]:
        """Ids, the likest first; never the shape itself."""
        ...

    def load(self, shape_id: str) -> Shape:
        """One of them."""
        ...


def propose(
    shape: Shape, kind: str, recipe: OddRecipe, rng: np.random.Generator, choices: Sequence[Material],
    neighbours: Neighbours,
) -> OddSpec | Rejected:  # fmt: skip
    """A spec of this kind, or why there can be none."""
    if kind in BREAKS:
        return fracture.propose(shape, kind, recipe, rng)
    if kind in FIELDS:
        return deform.propose(shape, kind, recipe.deform, rng)
    if kind in MOVES:
        return move.propose(shape, kind, recipe.move, rng)
    if kind == "material":
        return material.propose(shape, recipe.material, choices, rng)
    return similar.propose(shape, neighbours.nearest(shape), rng)


def apply(
    shape: Shape, spec: OddSpec, recipe: OddRecipe, choices: Sequence[Material], neighbours: Neighbours
) -> OddShape | Rejected:
    """What the spec does to the shape: a function of shape, spec, recipe and neighbour alone."""
    if spec.kind in BREAKS:
        return _with_inside(fracture.apply(shape, spec, recipe))
    if spec.kind in FIELDS:
        return deform.apply(shape, spec, recipe.deform)
    if spec.kind in MOVES:
        return move.apply(shape, spec, recipe.move)
    if spec.kind == "material":
        return material.apply(shape, spec, recipe.material, choices)
    if spec.kind == "similar":
        return similar.apply(shape, spec, recipe.similar, neighbours.load(spec.values["neighbour"]))
    raise TypeError(f"{spec.kind} is no kind of anomaly of an object")


def _with_inside(result: OddShape | Rejected) -> OddShape | Rejected:
    """The materials of broken faces, added to the palette: the outer colour, lighter and matt."""
    if isinstance(result, Rejected):
        return result
    named = {name for part in result.shape.parts if part.skin for name in part.skin.materials}
    palette = dict(result.shape.palette)
    for name in sorted(named - set(palette)):
        outer = palette[name.removeprefix(f"{fracture.INSIDE}:")]
        r, g, b = (0.75 * channel + 0.12 for channel in outer.mean_color)
        palette[name] = replace(
            outer, material_id=name, maps={}, base_color=(r, g, b), mean_color=(r, g, b), roughness=0.85,
            metallic=0.6 * outer.metallic, coat=0.0, sheen=0.0, digest="",
        )  # fmt: skip
    return replace(result, shape=replace(result.shape, palette=palette))
