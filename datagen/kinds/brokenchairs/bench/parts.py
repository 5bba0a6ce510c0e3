"""The parts of `datagen bench` that measure datasets of chairs. Heavy imports stay inside them."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from datagen.bench.run import Bench, Measurement
from datagen.pipeline.cores import usable_cores

if TYPE_CHECKING:
    from datagen.bench.targets import MeasuredObject


def _chairs(measurement: Measurement) -> "list[MeasuredObject]":
    """The chairs that are rendered, made once; the document says how many of which collections."""
    from datagen.kinds.brokenchairs.bench.pictures import make_chairs

    if "chairs" not in measurement.shared:
        count, pictures = (2, 1) if measurement.quick else (measurement.objects, measurement.pictures)
        collections = _collections(measurement)
        measurement.shared["chairs"] = list(make_chairs(count, pictures, collections))
        protocol = {"chairs": count, "pictures_a_chair": pictures, "collections": list(collections)}
        measurement.document["protocol"] = protocol
    found: list[MeasuredObject] = measurement.shared["chairs"]
    return found


def _collections(measurement: Measurement) -> tuple[str, ...]:
    from datagen.kinds.brokenchairs.bench.plans import COLLECTION

    return measurement.collections or (COLLECTION,)


def presets(measurement: Measurement) -> None:
    """Cost and quality of every preset, and what a core-hour and the full set come to."""
    from datagen.bench.closeups import save_closeups
    from datagen.bench.presets import compare, settings_by_preset
    from datagen.bench.references import CONVERGED
    from datagen.kinds.brokenchairs.bench.plans import plan_of, recipe_of
    from datagen.kinds.brokenchairs.bench.scale import PUBLISHED_SHAPES, NamedShapes
    from datagen.kinds.brokenchairs.estimate import estimate

    found: dict[str, dict[str, Any]] = compare(_chairs(measurement), workers=usable_cores())
    plan = plan_of(recipe_of("brokenchairs180k"), NamedShapes(PUBLISHED_SHAPES))
    images = estimate(plan, "fake")["images_asked_for"]
    for figures in found.values():
        figures["images_per_core_hour"] = round(3600 / figures["cpu_s_per_image"])
        figures["brokenchairs180k_core_hours"] = round(images * figures["cpu_s_per_image"] / 3600)
    measurement.document["presets"] = found
    if measurement.figures is not None:
        save_closeups(_chairs(measurement), settings_by_preset(), CONVERGED, measurement.figures / "presets.png")


def plain(measurement: Measurement) -> None:
    """The plain script on every third chair in one light, and its cost at the quality of our presets."""
    from datagen.bench.presets import PLAIN_SAMPLES, compare, compare_plain, cost_at

    chairs = [chair.first_shot() for chair in _chairs(measurement)[::3]]
    samples, cores = (32,) if measurement.quick else PLAIN_SAMPLES, usable_cores()
    found = compare_plain(chairs, samples, cores)
    baselines: dict[str, Any] = {f"plain_{samples}_samples": figures for samples, figures in found.items()}
    points = [(figures["psnr_db"], figures["cpu_s_per_image"]) for figures in found.values()]
    ours = compare(chairs, workers=cores) if len(points) > 1 else {}
    for name, figures in ours.items():
        cost = cost_at(points, figures["psnr_db"])
        baselines[f"plain_at_{name}"] = {
            "psnr_db": figures["psnr_db"],
            "cpu_s_per_image": round(cost, 3),
            "ratio": round(cost / figures["cpu_s_per_image"], 2),
        }
    measurement.document.setdefault("baselines", {}).update(baselines)


def phases(measurement: Measurement) -> None:
    """The build by phase, and what Blender does within a picture."""
    from datagen.bench.presets import settings_of
    from datagen.kinds.brokenchairs.bench.phases import build_phases, render_phases

    count = 1 if measurement.quick else 4
    found = build_phases(count, "standard", _collections(measurement)[0])
    measurement.document["phases"] = found
    measurement.document["non_render_cpu_s_per_image"] = found["non_render_cpu_s_per_image"]
    chairs = _chairs(measurement)[:count]
    measurement.document["render_phases"] = render_phases(chairs, settings_of("standard"))


def bundles(measurement: Measurement) -> None:
    """Reference bundles, and embree beside pyrender."""
    from datagen.kinds.brokenchairs.bench.bundles import bundles, embree_and_pyrender

    rounds = 1 if measurement.quick else 5
    measurement.document["reference_bundle"] = bundles(rounds)
    measurement.document["reference_bundle_cpu_s"] = measurement.document["reference_bundle"]["20k"]["cpu_s"]
    measurement.document.setdefault("baselines", {})["reference_views"] = embree_and_pyrender(rounds)


def scale(measurement: Measurement) -> None:
    """Planning and resuming at full size."""
    from datagen.kinds.brokenchairs.bench.scale import PUBLISHED_SHAPES, plan_and_scan

    measurement.document["scale"] = plan_and_scan(PUBLISHED_SHAPES // (10 if measurement.quick else 1))


def workers(measurement: Measurement) -> None:
    """Two workers against one."""
    from datagen.kinds.brokenchairs.bench.workers import compare

    measurement.document.update(compare(measurement.quick))


def verify(measurement: Measurement) -> None:
    """The checks that always run, on many samples."""
    from datagen.kinds.brokenchairs.bench.verify import SAMPLES, measure_apart

    measurement.document["verify"] = measure_apart(SAMPLES // (10 if measurement.quick else 1))


def dense(measurement: Measurement) -> None:
    """Proposals and bundles of dense shapes and of shapes of many parts."""
    from datagen.kinds.brokenchairs.bench.dense import dense

    measurement.document["dense"] = dense(1 if measurement.quick else 3)


BENCHES: Mapping[str, Bench] = {
    "presets": Bench(presets),
    "plain": Bench(plain),
    "phases": Bench(phases),
    "bundles": Bench(bundles),
    "dense": Bench(dense),
    "scale": Bench(scale),
    "workers": Bench(workers),
    "verify": Bench(verify),
}
