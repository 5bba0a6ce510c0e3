"""`datagen bench`: measure, print tables, or JSON."""

import platform
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from datagen.bench import bundles, operators, phases, presets, scale, tabletop, verify, workers
from datagen.bench.scenes import MeasuredScene, Protocol, make_scenes
from datagen.cli.build import print_json
from datagen.cli.console import console as open_console
from datagen.core.errors import UsageError
from datagen.kinds.brokenchairs.kind import plan_chairs
from datagen.kinds.registry import load_recipe, recipe_of_kind
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
        recipe = recipe_of_kind(load_recipe(find_recipe("brokenchairs180k")), "brokenchairs")
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


def run_bench(
    quick: bool, as_json: bool, only: Sequence[str], chairs: int, pictures: int, collections: Sequence[str],
    figures: Path | None,
) -> None:  # fmt: skip
    """The parts named, in order. Raises UsageError for an unknown one."""
    unknown = sorted(set(only) - {*PARTS, *ON_DEMAND})
    if unknown:
        raise UsageError(f"bench has no part '{unknown[0]}'; the parts are {', '.join((*PARTS, *ON_DEMAND))}")
    protocol = Protocol(chairs, pictures, tuple(collections) or CHAIRS)
    objects = tuple(collections) or OBJECTS
    bench = Bench(Protocol(2, 1, protocol.collections) if quick else protocol, objects, quick, figures)
    console = open_console()
    for name in only or PARTS:
        part: Callable[[], None] = getattr(bench, name)
        with console.status(name):
            part()
    document = bench.document
    document["protocol"] = {
        "chairs": bench.protocol.chairs,
        "pictures_a_chair": bench.protocol.pictures,
        "collections": list(bench.protocol.collections),
    }
    document["machine"] = f"{platform.machine()}, {usable_cores()} cores"
    document["versions"] = {"python": platform.python_version()}
    if as_json:
        print_json(document)
    else:
        _print_tables(document, open_console(stderr=False, file=sys.stdout, width=110))


def _print_tables(document: Mapping[str, Any], console: Console) -> None:
    """One table a part; rows of figures side by side where the part compares things."""
    for name, part in document.items():
        if name == "non_render_cpu_s_per_image":  # stands in the table of phases
            continue
        rows = part if isinstance(part, dict) else {name: part}
        table = Table(title=name, title_justify="left")
        if rows and all(isinstance(row, dict) for row in rows.values()):
            columns = sorted({column for row in rows.values() for column in row})
            table.add_column("figure")
            for heading in rows:
                table.add_column(heading)
            for column in columns:
                table.add_row(column, *(str(row.get(column, "")) for row in rows.values()))
        else:
            table.add_column("figure")
            table.add_column("value")
            for key, value in rows.items():
                inner = value if isinstance(value, dict) else {"": value}
                for name, figure in inner.items():
                    table.add_row(f"{key}: {name}" if name else key, str(figure))
        console.print(table)
