"""The parts of `datagen bench` that measure odd-one-out scenes. Heavy imports stay inside them."""

from collections.abc import Mapping

from datagen.bench.run import Bench, Measurement

COLLECTIONS = ("toys", "abc")
"""Measured on where the command names none."""


def scenes(measurement: Measurement) -> None:
    """A view of a scene of three, six and twelve objects."""
    from datagen.kinds.oddoneout.bench.views import measure_views

    measurement.document["scenes"] = measure_views(measurement.quick)


def operators(measurement: Measurement) -> None:
    """Every operator on objects, on up to 50 shapes of each collection."""
    from datagen.kinds.oddoneout.bench.operators import measure

    collections = measurement.collections or COLLECTIONS
    found = measure(collections, 5 if measurement.quick else 50, measurement.figures)
    measurement.document["operators"] = found


BENCHES: Mapping[str, Bench] = {"scenes": Bench(scenes), "operators": Bench(operators, on_demand=True)}
