"""The parts of `datagen bench` that measure odd-one-out scenes. Heavy imports stay inside them."""

from collections.abc import Mapping
from dataclasses import replace

from datagen.bench.run import Bench, Measurement
from datagen.pipeline.cores import usable_cores

COLLECTIONS = ("toys", "abc")
"""Measured on where the command names none."""


def scenes(measurement: Measurement) -> None:
    """A view of a scene of three, six and twelve objects."""
    from datagen.kinds.oddoneout.bench.views import measure_views

    measurement.document["scenes"] = measure_views(measurement.quick)


def presets_of_scenes(measurement: Measurement) -> None:
    """Cost and quality of every preset of scenes: a dozen scenes, four views of each.

    And of the first view of each, quality with the noise of the converged picture taken off.
    """
    from datagen.bench.closeups import save_closeups
    from datagen.bench.presets import compare, net_of_noise
    from datagen.kinds.oddoneout.bench.pictures import CONVERGED, VIEWS, make_scenes, presets

    count, pictures = (2, 1) if measurement.quick else (measurement.objects, min(VIEWS, measurement.pictures))
    scenes = list(make_scenes(count, pictures, measurement.collections or COLLECTIONS))
    found = compare(scenes, presets(), usable_cores(), CONVERGED)
    measurement.document["presets_of_scenes"] = found
    first = [replace(scene, targets=scene.targets[:1]) for scene in scenes]
    measurement.document["net_of_noise"] = net_of_noise(first, presets(), usable_cores(), CONVERGED)
    if measurement.figures is not None:
        save_closeups(scenes, presets(), CONVERGED, measurement.figures / "presets_of_scenes.png")


def operators(measurement: Measurement) -> None:
    """Every operator on objects, on up to 50 shapes of each collection."""
    from datagen.kinds.oddoneout.bench.operators import measure

    collections = measurement.collections or COLLECTIONS
    found = measure(collections, 5 if measurement.quick else 50, measurement.figures)
    measurement.document["operators"] = found


BENCHES: Mapping[str, Bench] = {
    "scenes": Bench(scenes),
    "presets_of_scenes": Bench(presets_of_scenes, on_demand=True),
    "operators": Bench(operators, on_demand=True),
}
