"""What geometry costs on dense shapes and on those of many parts: proposals and bundles by faces and by parts."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from datagen.anomalies.registry import apply, propose
from datagen.core.anomaly import Rejected
from datagen.core.rng import stream
from datagen.core.shape import Mesh, Part, Shape
from datagen.kinds.brokenchairs.bench.bundles import bundle_cost, count_faces, dense_chair, open_bundles, timed
from datagen.kinds.brokenchairs.bench.plans import plan_of, recipe_of
from datagen.kinds.brokenchairs.policy import offered

FACES = (25_000, 100_000, 400_000)
PARTS = (75, 300, 1_201)
KINDS = ("broken", "position", "rotation", "missing")
SLAT = np.array([[0, 1, 3], [0, 3, 2], [4, 6, 7], [4, 7, 5], [0, 4, 5], [0, 5, 1], [2, 3, 7], [2, 7, 6]])
SLAT = np.concatenate([SLAT, [[0, 2, 6], [0, 6, 4], [1, 5, 7], [1, 7, 3]]])
CUBE = np.array([[x, y, z] for x in (0.0, 1.0) for y in (0.0, 1.0) for z in (0.0, 1.0)])


def dense(rounds: int) -> dict[str, Any]:
    """CPU-seconds, the least of `rounds`: proposals of each kind and a bundle, by number of faces and of parts."""
    recipe = recipe_of(None)
    plan = plan_of(recipe)
    shapes = {f"{faces}_faces": dense_chair(plan, faces) for faces in FACES}
    shapes |= {f"{parts}_parts": slatted(parts) for parts in PARTS}
    context, found = open_bundles(), dict[str, Any]()
    for name, shape in shapes.items():
        told: dict[str, Any] = {"faces": count_faces(shape), "parts": len(shape.parts)}
        for kind in KINDS:
            told[f"{kind}_cpu_s"] = _least(rounds, lambda kind=kind, shape=shape: proposal(shape, kind))  # type: ignore[misc]
        told["bundle_cpu_s"] = round(min(bundle_cost(context, shape) for _ in range(rounds)), 3)
        found[name] = told
    return found


def proposal(shape: Shape, kind: str) -> bool:
    """Propose an anomaly and make it; whether it was accepted."""
    setting = offered(recipe_of(None))
    _, spec = propose(shape, kind, stream(0, "dense", shape.shape_id, kind), setting)
    return not isinstance(spec, Rejected) and not isinstance(apply(shape, spec, setting), Rejected)


def slatted(parts: int) -> Shape:
    """A seat on four legs with a back of thin slats, `parts` parts in all, every slat on the seat."""
    boxes = [("seat_single_surface", "SeatSurface", (-0.5, -0.5, 0.45), (0.5, 0.5, 0.5))]
    corners = [(x, y) for x in (-0.5, 0.45) for y in (-0.5, 0.45)]
    boxes += [("leg", "Leg", (x, y, 0.0), (x + 0.05, y + 0.05, 0.455)) for x, y in corners]
    count = parts - len(boxes)
    width = 1.0 / count
    for k in range(count):
        low = -0.5 + k * width
        boxes.append(("back_frame_vertical_bar", "BackFrame", (low, 0.45, 0.495), (low + 0.6 * width, 0.5, 1.2)))
    found = []
    for k, (name, part_class, low_corner, high_corner) in enumerate(boxes):
        mesh = Mesh(np.array(low_corner) + CUBE * np.subtract(high_corner, low_corner), SLAT)
        found.append(Part(k + 1, name, f"chair/chair_back/{name}", part_class, mesh))
    shape = Shape(f"slats{parts}", "bench", tuple(found), model_id=f"{parts:032x}")
    return replace(shape.normalised(), shape_id=shape.shape_id)


def _least(rounds: int, work: Callable[[], object]) -> float:
    return round(min(timed(work) for _ in range(rounds)), 3)
