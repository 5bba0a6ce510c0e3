"""Semantic assignment (section 3.2, after PhotoShape): what each part of a shape is made of.

Materials go by the roles of a category (legs, tops, handles), not part by part: designed objects have two or three
materials. Every role is drawn whether the shape has it or not, each from a stream of its own, so a shape with a part
missing is dressed like the whole one.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from datagen.core.errors import MaterialError
from datagen.core.material import MATERIAL_CLASSES, Material, MaterialAssignment, PartMaterial
from datagen.core.rng import stream
from datagen.core.shape import Part, Shape
from datagen.materials.colour import colour_distance
from datagen.materials.library import MaterialLibrary
from datagen.recipe.category import Category
from datagen.recipe.materials import MaterialSettings
from datagen.recipe.roles import Follow, Thickness, Weights


def assign(
    shape: Shape, category: Category, library: MaterialLibrary, settings: MaterialSettings, rng: np.random.Generator
) -> MaterialAssignment:
    """A material, a projection and an offset for every part of a shape of the category.

    Looks at ids, classes, groups and labels, and at how thick parts are (cushions): give it the
    normal shape, and an anomalous shape whose parts keep their ids is dressed alike under an equal `rng`.
    Raises MaterialError for an empty library.
    """
    seed = int(rng.integers(2**63))
    rows = weights_for(shape, category, settings)
    worn = _roles(_MaterialChoice(library.materials, settings, rows, seed), category)
    by_group = _group_roles(shape.parts, category)
    parts = []
    for part in sorted(shape.parts, key=lambda p: p.part_id):
        material = worn[by_group.get(part.group) or role_of(part, category)]
        u, v = stream(seed, "offset", part.part_id).random(2).round(6).tolist()
        projection = settings.projection[material.material_class]
        parts.append(PartMaterial(part.part_id, material.material_id, projection, (u, v)))
    return MaterialAssignment(tuple(parts))


def weights_for(shape: Shape, category: Category, settings: MaterialSettings) -> Mapping[str, Weights]:
    """Role -> weights of the material classes, those of thick and thin parts by the category's rules: nobody carves a
    cushion of wood."""
    rows = dict(settings.rows_of(category))
    for rule in category.thickness:
        extents = [float(p.mesh.extents.min()) for p in shape.parts if p.part_class == rule.role]
        left = {name: weight for name, weight in rows[rule.role].items() if name in rule.only and weight > 0}
        if extents and left and _is_within(max(extents), rule):
            rows[rule.role] = left
    return rows


def _is_within(extent: float, rule: Thickness) -> bool:
    return (rule.above is None or extent > rule.above) and (rule.below is None or extent < rule.below)


def role_of(part: Part, category: Category) -> str:
    """The role that a part follows: that of the category's first rule that its label or name fits, else its class."""
    label = f"{part.path} {part.name}".lower()
    for rule in category.role_rules:
        if rule.classes and part.part_class not in rule.classes:
            continue
        if any(word in label for word in rule.words) and not any(word in label for word in rule.without):
            return rule.role
    return part.part_class if part.part_class in category.rows else "Other"


def _group_roles(parts: Sequence[Part], category: Category) -> dict[str, str]:
    """One role for each non-empty group: the one most of its parts have."""
    votes: dict[str, Counter[str]] = {}
    for part in parts:
        if part.group:
            votes.setdefault(part.group, Counter())[role_of(part, category)] += 1
    order = [*category.ties, *category.rows]
    return {group: min(count, key=lambda role: (-count[role], order.index(role))) for group, count in votes.items()}


@dataclass(frozen=True)
class _MaterialChoice:
    materials: tuple[Material, ...]
    settings: MaterialSettings
    rows: Mapping[str, Weights]
    seed: int

    def follows(self, role: str, follow: Follow) -> bool:
        """Whether a role wears what the other wears, by chance."""
        share = getattr(self.settings, follow.share) if isinstance(follow.share, str) else follow.share
        keys = (role, follow.draw) if follow.draw else (role,)
        return bool(stream(self.seed, "chance", *keys).random() < share)

    def draw(self, role: str, beside: Sequence[Material]) -> Material:
        """A material of one of the role's classes that contrasts with its neighbours, or the best seen."""
        rng = stream(self.seed, "role", role)
        wanted = _pick_class(rng, self.rows[role], self.materials)
        pool = [material for material in self.materials if material.material_class == wanted]
        best, best_contrast = pool[0], -1.0
        for _ in range(self.settings.redraws + 1):
            candidate = pool[int(rng.integers(len(pool)))]
            contrast = least_contrast(candidate, beside)
            if contrast > best_contrast:
                best, best_contrast = candidate, contrast
            if contrast >= self.settings.contrast:
                break
        return best


def least_contrast(material: Material, beside: Sequence[Material]) -> float:
    """Least colour distance to those neighbours that wear another material; infinite without any."""
    return min(
        (
            colour_distance(material.mean_color, other.mean_color)
            for other in beside
            if other.material_id != material.material_id
        ),
        default=float("inf"),
    )


def _pick_class(rng: np.random.Generator, weights: Weights, materials: Sequence[Material]) -> str:
    """A class by weight among those the library has; any class it has when it has none of the wanted."""
    present = {material.material_class for material in materials}
    if not present:
        raise MaterialError("the material library is empty; add 'procedural' to the recipe's libraries")
    names = [name for name in MATERIAL_CLASSES if name in present and weights.get(name, 0) > 0]
    if not names:
        return next(name for name in MATERIAL_CLASSES if name in present)
    p = np.array([weights[name] for name in names])
    return names[int(rng.choice(len(names), p=p / p.sum()))]


def _roles(choice: _MaterialChoice, category: Category) -> dict[str, Material]:
    """Every role's material, drawn in the category's order, following earlier ones by chance."""
    worn: dict[str, Material] = {}
    for role in category.roles:
        own = choice.draw(role.role, [worn[name] for name in role.touches])
        worn[role.role] = own
        for follow in role.follows:
            other = worn[follow.role]
            if follow.same_class and own.material_class != other.material_class:
                continue
            if choice.follows(role.role, follow):
                worn[role.role] = other
                break
    return worn
