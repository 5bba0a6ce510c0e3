"""Semantic assignment (section 3.2, after PhotoShape): what each part of a shape is made of.

Materials go by roles (structure, seat, back, arms, wheels), not part by part: designed furniture has two or three
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
from datagen.core.shape import PART_CLASSES, Part, Shape
from datagen.materials.colour import colour_distance
from datagen.materials.library import MaterialLibrary
from datagen.recipe.materials import BARS, STAR_BASE, WHEEL, MaterialSettings, Weights

_NEIGHBOURS: Mapping[str, tuple[str, ...]] = {
    "Leg": (),
    "SeatSurface": ("Leg",),
    "SeatFrame": ("Leg", "SeatSurface"),
    "SeatSupport": ("Leg", "SeatSurface"),
    "SurfaceBase": ("Leg", "SeatSurface"),
    "Footrest": ("Leg",),
    "BackSurface": ("SeatSurface", "Leg"),
    BARS: ("SeatSurface", "Leg"),
    "BackFrame": ("BackSurface", "SeatSurface"),
    "BackSupport": ("BackSurface", "Leg"),
    "Arm": ("SeatSurface", "BackSurface", "Leg"),
    "Other": ("Leg", "SeatSurface"),
    STAR_BASE: ("SeatSurface",),
    WHEEL: (STAR_BASE,),
}
"""Roles in the order they are drawn -> roles drawn before that they touch."""
_FRAME = ("SeatFrame", "SeatSupport", "SurfaceBase", "Footrest", "BackFrame", "BackSupport", BARS, "Other")

CUSHION_THICKNESS = 0.11
"""Smallest extent from which a seat or back counts as a cushion, object units (about 6 cm)."""


def assign(
    shape: Shape, library: MaterialLibrary, settings: MaterialSettings, rng: np.random.Generator
) -> MaterialAssignment:
    """A material, a projection and an offset for every part of a shape.

    Looks at ids, classes, groups and labels, and at how thick the shape's cushions are: give it the
    normal shape, and an anomalous shape whose parts keep their ids is dressed alike under an equal `rng`.
    Raises MaterialError for an empty library.
    """
    seed = int(rng.integers(2**63))
    worn = _roles(_MaterialChoice(library.materials, upholstered(settings, shape), seed))
    by_group = _group_roles(shape.parts)
    parts = []
    for part in sorted(shape.parts, key=lambda p: p.part_id):
        material = worn[by_group.get(part.group) or role_of(part)]
        u, v = stream(seed, "offset", part.part_id).random(2).round(6).tolist()
        projection = settings.projection[material.material_class]
        parts.append(PartMaterial(part.part_id, material.material_id, projection, (u, v)))
    return MaterialAssignment(tuple(parts))


def upholstered(settings: MaterialSettings, shape: Shape) -> MaterialSettings:
    """Settings in which seats and backs as thick as a cushion are upholstered: nobody carves one of wood."""
    rows = dict(settings.classes)
    for role in ("SeatSurface", "BackSurface"):
        thickest = max((p.mesh.extents.min() for p in shape.parts if p.part_class == role), default=0.0)
        soft = {name: weight for name, weight in rows[role].items() if name in ("fabric", "leather") and weight > 0}
        if thickest > CUSHION_THICKNESS and soft:
            rows[role] = soft
    return settings.model_copy(update={"classes": rows})


def role_of(part: Part) -> str:
    """The row of the class table that a part follows: its class, or StarBase, Wheel or Bars by its labels."""
    label = f"{part.path} {part.name}".lower()
    if any(word in label for word in ("wheel", "caster")) and "stem" not in label:
        return WHEEL
    if "star" in label:
        return STAR_BASE
    if part.part_class in ("BackSurface", "SeatSurface") and any(word in label for word in ("_bar", "slat", "spindle")):
        return BARS
    return part.part_class if part.part_class in PART_CLASSES else "Other"


def _group_roles(parts: Sequence[Part]) -> dict[str, str]:
    """One role for each non-empty group: the one most of its parts have."""
    votes: dict[str, Counter[str]] = {}
    for part in parts:
        if part.group:
            votes.setdefault(part.group, Counter())[role_of(part)] += 1
    order = list(_NEIGHBOURS)
    return {group: min(count, key=lambda role: (-count[role], order.index(role))) for group, count in votes.items()}


@dataclass(frozen=True)
class _MaterialChoice:
    materials: tuple[Material, ...]
    settings: MaterialSettings
    seed: int

    def chance(self, share: float, *keys: str) -> bool:
        return bool(stream(self.seed, "chance", *keys).random() < share)

    def draw(self, role: str, beside: Sequence[Material]) -> Material:
        """A material of one of the role's classes that contrasts with its neighbours, or the best seen."""
        rng = stream(self.seed, "role", role)
        wanted = _pick_class(rng, self.settings.classes[role], self.materials)
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


def _roles(choice: _MaterialChoice) -> dict[str, Material]:
    """Every role's material, drawn in the order of `_NEIGHBOURS`, following earlier ones by chance."""
    settings, worn = choice.settings, dict[str, Material]()
    for role, neighbours in _NEIGHBOURS.items():
        own = choice.draw(role, [worn[name] for name in neighbours])
        worn[role] = own
        if role in _FRAME and choice.chance(settings.share_frame, role):
            worn[role] = worn["Leg"]
        elif role == "SeatSurface":
            same_class = own.material_class == worn["Leg"].material_class
            if same_class and choice.chance(settings.one_piece, role):
                worn[role] = worn["Leg"]
        elif role == "BackSurface" and choice.chance(settings.share_back_seat, role):
            worn[role] = worn["SeatSurface"]
        elif role == "Arm" and choice.chance(settings.share_arm, role):
            worn[role] = worn["Leg"]
        elif role == "Arm" and choice.chance(settings.share_arm_seat, role, "seat"):
            worn[role] = worn["SeatSurface"]
    return worn
