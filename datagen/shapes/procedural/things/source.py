"""Collections of generated toys and machine parts: nothing on disk, every instance a function of its name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import manifold3d
import numpy as np

from datagen.core.errors import ShapeError
from datagen.core.ids import bytes_hash, content_hash
from datagen.core.rng import stream
from datagen.core.shape import Part, Shape
from datagen.geometry.segments import convex_segments
from datagen.geometry.solid import manifold_mesh
from datagen.shapes.procedural.things import food, household, machines, vehicles
from datagen.shapes.procedural.things.animals import grazing, pawed, reptiles, sitting, swimming, winged
from datagen.shapes.procedural.things.solids import Solid
from datagen.shapes.source import ShapeEntry

Builder = Callable[[np.random.Generator], list[Solid]]
TOYS: Mapping[str, Builder] = {
    "airplane": vehicles.airplane,
    "apple": food.apple,
    "banana": food.banana,
    "boat": vehicles.boat,
    "bottle": household.bottle,
    "bowl": household.bowl,
    "bread": food.bread,
    "bunny": pawed.bunny,
    "bus": vehicles.bus,
    "butterfly": winged.butterfly,
    "cake": food.cake,
    "car": vehicles.car,
    "chess_piece": household.chess_piece,
    "chicken": winged.chicken,
    "cookie": food.cookie,
    "cow": grazing.cow,
    "cup": household.cup,
    "cupcake": food.cupcake,
    "deer_moose": grazing.deer_moose,
    "dinosaur": reptiles.dinosaur,
    "dog": pawed.dog,
    "donut": food.donut,
    "elephant": grazing.elephant,
    "fish": swimming.fish,
    "fox": pawed.fox,
    "frog": sitting.frog,
    "giraffe": grazing.giraffe,
    "glass": household.glass,
    "hamburger": food.hamburger,
    "hammer": household.hammer,
    "hat": household.hat,
    "horse": grazing.horse,
    "ice_cream": food.ice_cream,
    "key": household.key,
    "light_bulb": household.light_bulb,
    "lion": pawed.lion,
    "lizard": reptiles.lizard,
    "monkey": sitting.monkey,
    "mouse": pawed.mouse,
    "mug": household.mug,
    "octopus": swimming.octopus,
    "orange": food.orange,
    "panda": sitting.panda,
    "penguin": winged.penguin,
    "pig": grazing.pig,
    "plate": household.plate,
    "robot": household.robot,
    "shark": swimming.shark,
    "sheep": grazing.sheep,
    "shoe": household.shoe,
    "train": vehicles.train,
}
"""Category -> builder, under Toys4K's names."""
PARTS: Mapping[str, Builder] = {
    "bolt": machines.bolt,
    "bracket": machines.bracket,
    "clamp": machines.clamp,
    "elbow": machines.elbow,
    "flange": machines.flange,
    "gear": machines.gear,
    "housing": machines.housing,
    "plate": machines.plate,
    "pulley": machines.pulley,
    "shaft": machines.shaft,
}
COUNTS = {"toys": 21, "abc": 420}
"""Instances a category: 51 x 21 = 1,071 toys, 10 x 420 = 4,200 parts."""
BUILT_IN = {"toys": "toys", "toys4k": "toys", "abc": "abc", "parts": "abc"}
"""Names of collections that are made here where no data of that name is found."""
NOTE = (
    "The shapes are parametric stand-ins made by this project. They are NOT Toys4K or ABC data; "
    "figures obtained on them say nothing about ToysAD-8K or PartsAD-15K."
)


@dataclass(frozen=True)
class GeneratedThings:
    """The source protocol over a table of builders. `which` is toys or abc."""

    which: str

    @property
    def name(self) -> str:
        """What the manifest's `source` column says."""
        return f"datagen-procedural-{'toys' if self.which == 'toys' else 'parts'}"

    @property
    def licence(self) -> str:
        """Made here."""
        return "Apache-2.0"

    @property
    def stand_in(self) -> bool:
        """They stand in for Toys4K and ABC."""
        return True

    @property
    def warnings(self) -> tuple[str, ...]:
        """None: nothing is read."""
        return ()

    @property
    def root(self) -> Path:
        """The generator itself."""
        return Path(__file__).parent

    @property
    def table(self) -> Mapping[str, Builder]:
        """Category -> builder."""
        return TOYS if self.which == "toys" else PARTS

    @cached_property
    def _entries(self) -> tuple[ShapeEntry, ...]:
        count = COUNTS[self.which]
        names = [(category, f"{category}_{k:03d}") for category in sorted(self.table) for k in range(1, count + 1)]
        return tuple(ShapeEntry(name, name, (), category=category) for category, name in names)

    def entries(self) -> tuple[ShapeEntry, ...]:
        """Every instance, by category and number."""
        return self._entries

    def digest(self, shape_id: str) -> str:
        """Of the generator and the name: nothing is built."""
        return content_hash([_version(), self.which, shape_id])

    def load(self, shape_id: str) -> Shape:
        """One instance, normalised. Raises ShapeError for a name that is none."""
        category, _, number = shape_id.rpartition("_")
        if category not in self.table or not number.isdigit():
            raise ShapeError(
                f"{shape_id}: no such shape; names are <category>_<number>, such as {self._entries[0].shape_id}"
            )
        pieces = self.table[category](stream(0, "thing", self.which, category, int(number)))
        named = [(p.name, manifold_mesh(p.solid), p.group) for p in pieces if not p.solid.is_empty()]
        if len(named) == 1:
            # One solid, as ABC has them: its ribs, bosses and hubs are the parts that can move or be missing.
            (name, whole, group), *_ = named
            segments = convex_segments(whole) or [whole]
            named = [(f"{name}_{k}", mesh, group) for k, mesh in enumerate(segments)]
        parts = tuple(
            Part(k + 1, name, f"{category}/{name}", "Other", mesh, group) for k, (name, mesh, group) in enumerate(named)
        )
        return Shape(
            shape_id, self.name, parts, shape_id, category, self.licence, provenance=f"{self.name}/{shape_id}"
        ).normalised()


@lru_cache(maxsize=1)
def _version() -> str:
    """Digest of the generators and of the library that makes their triangles."""
    text = b"".join(path.read_bytes() for path in sorted(Path(__file__).parent.rglob("*.py")))
    return bytes_hash(text + manifold3d.__file__.rsplit("/", 1)[-1].encode())[:16]
