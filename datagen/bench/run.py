"""One run of `datagen bench`: which parts there are, and what each adds to the document."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from datagen.bench import bundles, operators, phases, presets, scale, tabletop, verify, workers
from datagen.bench.scenes import MeasuredScene, Protocol, make_scenes
from datagen.kinds.brokenchairs.kind import plan_chairs
from datagen.kinds.registry import load_recipe
from datagen.pipeline.cores import usable_cores
from datagen.recipe.loader import find_recipe

PARTS = ("presets", "plain", "phases", "bundles", "scale", "workers", "verify", "tabletop")
CHAIRS, OBJECTS = ("partnet/chair",), ("toys", "abc")
"""Collections measured on where none is named."""
ON_DEMAND = ("operators",)
"""Parts that run only where --only names them."""


class Bench:
    """One run of the benchmark: every part adds to the document."""

    def __init__(self, protocol: Protocol, objects: Sequence[str], quick: bool, figures: Path | None) -> None:
        self.protocol, self.objects, self.quick, self.figures = protocol, objects, quick, figures
        self.document: dict[str, Any] = {}
        self._scenes: list[MeasuredScene] = []

    @property
    def scenes(self) -> list[MeasuredScene]:
        """The chairs of the protocol, made once."""
        self._scenes = self._scenes or list(make_scenes(self.protocol))
        return self._scenes

    def presets(self) -> None:
        """Cost and quality of every preset, and what a core-hour and the full set come to."""
        self.document["presets"] = presets.compare(self.scenes, workers=usable_cores())
        recipe = load_recipe(find_recipe("brokenchairs180k"))
        plan = plan_chairs(recipe, scale.NamedShapes(scale.PUBLISHED_SHAPES))
        images = plan.building.estimate(plan, "fake")["images_asked_for"]
        for figures in self.document["presets"].values():
            figures["images_per_core_hour"] = round(3600 / figures["cpu_s_per_image"])
            figures["brokenchairs180k_core_hours"] = round(images * figures["cpu_s_per_image"] / 3600)

    def plain(self) -> None:
        """The plain script on every third chair in one light, and its cost at the quality of our presets."""
        scenes = [scene.first_shot() for scene in self.scenes[::3]]
        samples, cores = (32,) if self.quick else presets.PLAIN_SAMPLES, usable_cores()
        found = presets.compare_plain(scenes, samples, cores)
        baselines: dict[str, Any] = {f"plain_{samples}_samples": figures for samples, figures in found.items()}
        points = [(figures["psnr_db"], figures["cpu_s_per_image"]) for figures in found.values()]
        ours = presets.compare(scenes, workers=cores) if len(points) > 1 else {}
        for name, figures in ours.items():
            cost = presets.cost_at(points, figures["psnr_db"])
            baselines[f"plain_at_{name}"] = {
                "psnr_db": figures["psnr_db"],
                "cpu_s_per_image": round(cost, 3),
                "ratio": round(cost / figures["cpu_s_per_image"], 2),
            }
        self.document.setdefault("baselines", {}).update(baselines)

    def phases(self) -> None:
        """The build by phase, and what Blender does within a picture."""
        limit = 1 if self.quick else 4
        found = phases.build_phases(limit, "standard", self.protocol.collections[0])
        self.document["phases"] = found
        self.document["non_render_cpu_s_per_image"] = found["non_render_cpu_s_per_image"]
        settings = presets.settings_of("standard")
        self.document["render_phases"] = phases.render_phases(self.scenes[: 1 if self.quick else 4], settings)

    def bundles(self) -> None:
        """Reference bundles, and embree beside pyrender."""
        rounds = 1 if self.quick else 5
        self.document["reference_bundle"] = bundles.bundles(rounds)
        self.document["reference_bundle_cpu_s"] = self.document["reference_bundle"]["20k"]["cpu_s"]
        self.document.setdefault("baselines", {})["reference_views"] = bundles.embree_and_pyrender(rounds)

    def scale(self) -> None:
        """Planning and resuming at full size."""
        self.document["scale"] = scale.plan_and_scan(scale.PUBLISHED_SHAPES // (10 if self.quick else 1))

    def workers(self) -> None:
        """Two workers against one."""
        self.document.update(workers.compare(self.quick))

    def verify(self) -> None:
        """The checks that always run, on many samples."""
        self.document["verify"] = verify.measure_apart(verify.SAMPLES // (10 if self.quick else 1))

    def tabletop(self) -> None:
        """A view of an odd-one-out scene of three, six and twelve objects."""
        self.document["tabletop"] = tabletop.measure_scenes(self.quick)

    def operators(self) -> None:
        """Every operator on objects, on up to 50 shapes of each collection."""
        self.document["operators"] = operators.measure(self.objects, 5 if self.quick else 50, self.figures)
