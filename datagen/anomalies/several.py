"""Several anomalies in one object, each on a part of its own: made one after the other, told apart afterwards."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from datagen.anomalies.operator import Setting
from datagen.anomalies.registry import apply, operators, propose
from datagen.core.anomaly import ALSO, AnomalousShape, AnomalySpec, Rejected, further_specs
from datagen.core.shape import Shape

TRIES = 8
"""Proposals for each further anomaly before the object is given up."""


def apply_all(shape: Shape, spec: AnomalySpec, setting: Setting) -> AnomalousShape | Rejected:
    """What a spec with all its further ones does to the shape, or why one of them is not taken.

    Each is made on what the earlier ones left. Raises as `apply`.
    """
    more = further_specs(spec)
    first = replace(spec, values={key: value for key, value in spec.values.items() if key != ALSO})
    made = apply(shape, first, setting)
    for further in more:
        if isinstance(made, Rejected):
            return made
        made = _with(made, further, setting)
    return made


def add_anomalies(
    made: AnomalousShape, count: int, weights: Mapping[str, float], rng: np.random.Generator, setting: Setting
) -> AnomalousShape | Rejected:
    """The object with so many more anomalies, their kinds drawn by weight, each on a part that has none yet."""
    names = sorted(name for name, weight in weights.items() if weight > 0 and operators()[name].on_part)
    mass = np.array([weights[name] for name in names])
    for _ in range(count):
        more: AnomalousShape | Rejected = Rejected("no_further", "no operator on parts is asked for")
        for _ in range(TRIES if names else 0):
            kind = names[int(rng.choice(len(names), p=mass / mass.sum()))]
            _, further = propose(made.shape, kind, rng, setting)
            more = further if isinstance(further, Rejected) else _with(made, further, setting)
            if isinstance(more, AnomalousShape):
                break
        if isinstance(more, Rejected):
            return Rejected("no_further", f"{more.reason}: {more.detail}")
        made = more
    return made


def _with(made: AnomalousShape, further: AnomalySpec, setting: Setting) -> AnomalousShape | Rejected:
    """An object with one more anomaly, on a part that has none."""
    if further.part_id in {part.spec.part_id for part in made.each or (made,)}:
        return Rejected("same_part", f"part {further.part_id} has an anomaly already")
    last = apply(made.shape, further, setting)
    if isinstance(last, Rejected):
        return last
    values = {**made.spec.values, ALSO: [*made.spec.values.get(ALSO, ()), further.to_json()]}
    return replace(
        made,
        spec=replace(made.spec, values=values),
        shape=last.shape,
        changed={**made.changed, **last.changed},
        gone=tuple(sorted({*made.gone, *last.gone})),
        each=(*(made.each or (made,)), last),
    )
