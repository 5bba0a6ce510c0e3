"""Light set-ups named by index: a blurred environment and one to three suns (lookdev.md, section 1)."""

import numpy as np

from datagen.core.rng import stream
from datagen.core.scene import Light, Sun
from datagen.recipe.models import LightRecipe


def light_setups(recipe: LightRecipe, seed: int) -> list[Light]:
    """Every set-up of the recipe; set-up k depends on (seed, k) alone."""
    return [_setup(recipe, seed, index) for index in range(recipe.setups)]


def _setup(recipe: LightRecipe, seed: int, index: int) -> Light:
    rng = stream(seed, "light", index)
    low, high = recipe.suns
    shares = rng.dirichlet(np.full(int(rng.integers(low, high + 1)), 2.0)) * recipe.sun_share
    suns = tuple(
        Sun(
            elevation_deg=round(float(rng.uniform(38, 75)), 3),
            azimuth_deg=round(float(rng.uniform(0, 360)), 3),
            angle_deg=round(float(rng.uniform(25, 60)), 3),
            share=round(float(share), 6),
        )
        for share in shares
    )
    world = recipe.worlds[index % len(recipe.worlds)]
    return Light(index, world, round(float(rng.uniform(0, 360)), 3), suns)
