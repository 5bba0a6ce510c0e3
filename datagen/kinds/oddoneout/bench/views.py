"""What a view of a scene costs: CPU-seconds by phase for three, six and twelve objects, floor and sky included."""

import tempfile
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from datagen.kinds.oddoneout.kind import plan_scenes
from datagen.pipeline.build import build
from datagen.pipeline.run_serial import SerialExecutor
from datagen.pipeline.worker import Site
from datagen.recipe import SceneRecipe
from datagen.recipe.loader import find_recipe, load_recipe
from datagen.shapes.collections import open_collection

COUNTS = (3, 6, 12)
NO_PHASE = ("t", "peak_rss_bytes")


def measure_views(quick: bool) -> dict[str, Any]:
    """One scene of machine parts for each count; resting poses, materials and skies are made before it is timed."""
    views, samples = (2, 8) if quick else (6, 64)
    found = {}
    for count in COUNTS:
        sets = [f"layout.objects={{{count}: 1}}", "split.scenes={train: 1}", f"render.samples={samples}"]
        _cost(count, [*sets, "camera.views=1"])
        cost = _cost(count, [*sets, f"camera.views={views}"])
        found[str(count)] = {
            "cpu_s_per_view": round(sum(cost.values()) / views, 3),
            "render_cpu_s_per_view": round(cost.get("render", 0.0) / views, 3),
            "geometry_cpu_s_per_scene": round(sum(v for k, v in cost.items() if k not in ("render", "materials")), 3),
        }
    return {"views": views, "samples": samples, "objects": found}


def _cost(count: int, sets: list[str]) -> dict[str, float]:
    """CPU-seconds by phase of a build of one scene."""
    recipe = load_recipe(find_recipe("partsad_quickstart"), {"oddoneout": SceneRecipe}, sets)
    assert isinstance(recipe, SceneRecipe), "the only model given"
    plan = plan_scenes(recipe, open_collection("abc", textured=True))
    with tempfile.TemporaryDirectory(prefix="datagen-bench-") as folder:
        build(Site(plan, Path(folder) / f"scenes{count}", "cycles"), SerialExecutor())
        (row,) = pq.read_table(Path(folder) / f"scenes{count}" / "cost.parquet").to_pylist()
    return {k: v for k, v in row.items() if isinstance(v, float) and k not in NO_PHASE}
