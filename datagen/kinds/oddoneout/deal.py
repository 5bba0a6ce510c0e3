"""How many objects every scene holds, and which of them are odd."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from datagen.core.ids import fraction_of_hash
from datagen.core.rng import stream
from datagen.recipe import SceneRecipe


@dataclass(frozen=True)
class Draw:
    """What a scene holds: how many objects, and which of the shape's anomalous shapes."""

    objects: int
    slots: tuple[int, ...]
    swapped: bool = False
    """Whether the anomalous shape is in the majority, and the normal one is odd."""
    asked: int = 0
    """How many odd ones the recipe draws, whether or not there is an anomalous shape to show."""


def turn(k: int, shapes: int, *, swaps: bool) -> tuple[int, int]:
    """Which of a split's shapes its scene k shows, and the number of that scene among the shape's, from 1.

    `swaps`: scenes come in twos of one shape, the majority of one being odd in the other.
    """
    if swaps:
        return k // 2 % shapes, 2 * (k // 2 // shapes) + k % 2 + 1
    return k % shapes, k // shapes + 1


@dataclass(frozen=True)
class Dealer:
    """Deals objects and anomalous shapes to scenes. `turns`: shape_id -> how many scenes show it, one at least."""

    recipe: SceneRecipe
    turns: Mapping[str, int]

    def draw(self, shape_id: str, number: int) -> Draw:
        """Scene `number` (from 1) of a shape: always fewer than half of its objects are odd.

        A shape's anomalous shapes take turns over its scenes, so that all are shown. Where a scene draws more odd
        objects than there are, some stand twice.
        """
        dealt = self._dealt.setdefault(shape_id, [])
        while len(dealt) < number:
            dealt.append(self._deal(shape_id, len(dealt) + 1, sum(len(d.slots) for d in dealt)))
        return dealt[number - 1]

    def drawn_as(self, number: int) -> int:
        """The number that draws of scene `number` of a shape go by: of two with swapped majorities it is one."""
        return (number + 1) // 2 if self.recipe.swaps else number

    @cached_property
    def pools(self) -> Mapping[str, int]:
        """shape_id -> how many anomalous shapes are made of it.

        In all as many as the recipe's mean says. They are dealt out in rounds, shapes ranked by hash: first until the
        scene of a shape that holds most odd objects has one for each, then as long as its scenes have room for more.
        """
        mean, seed = self.recipe.anomaly.shapes, self.recipe.seed
        odd = {shape_id: [self._counts(shape_id, k + 1)[1] for k in range(n)] for shape_id, n in self.turns.items()}
        if self.recipe.swaps:
            # Two scenes share one anomalous shape, however many of their objects are odd.
            odd = {shape_id: [1] * ((n + 1) // 2) for shape_id, n in self.turns.items()}
        ranked = sorted(odd, key=lambda i: (fraction_of_hash([seed, "pool", i]), i))
        left = round(mean * len(ranked))
        found = dict.fromkeys(ranked, 0)
        for room in ({i: max(odd[i]) for i in ranked}, {i: sum(odd[i]) for i in ranked}):
            while left and (taking := [i for i in ranked if found[i] < room[i]]):
                for shape_id in taking[:left]:
                    found[shape_id] += 1
                left -= min(left, len(taking))
        return found

    @cached_property
    def _dealt(self) -> dict[str, list[Draw]]:
        """shape_id -> what its scenes hold, from number 1, as far as anyone has asked."""
        return {}

    def _deal(self, shape_id: str, number: int, turns: int) -> Draw:
        """Scene `number` of a shape whose earlier scenes have shown `turns` anomalous shapes."""
        count, odd = self._counts(shape_id, number)
        pool = self.pools.get(shape_id, 0)
        if pool == 0 or odd == 0:
            return Draw(count, (), asked=odd)
        order = stream(self.recipe.seed, "turns", shape_id).permutation(pool)
        if self.recipe.swaps:
            slots = (int(order[(self.drawn_as(number) - 1) % pool]),) * odd
            return Draw(count, slots, swapped=number % 2 == 0, asked=odd)
        return Draw(count, tuple(sorted(int(order[(turns + k) % pool]) for k in range(odd))), asked=odd)

    def _counts(self, shape_id: str, number: int) -> tuple[int, int]:
        """How many objects scene `number` of a shape holds, and how many are odd: uniform from one to under half."""
        layout = self.recipe.layout
        rng = stream(self.recipe.seed, "scene", shape_id, self.drawn_as(number))
        counts = sorted(layout.objects)
        mass = np.array([layout.objects[count] for count in counts])
        count = int(rng.choice(counts, p=mass / mass.sum()))
        most = (count - 1) // 2
        if most == 0 or rng.random() < layout.normal_share:
            return count, 0
        return count, int(rng.integers(1, most + 1))
