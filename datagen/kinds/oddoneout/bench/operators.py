"""Every operator on objects over sources of shapes: acceptance, reasons, severity; a table, a sheet, histograms."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from datagen.bench.sheet import histograms_svg, save_sheet
from datagen.formats.oddoneout import KINDS
from datagen.kinds.oddoneout.bench.oddities import OperatorFigures, measure_operators
from datagen.kinds.oddoneout.bench.tiles import operator_tile
from datagen.kinds.oddoneout.kind import plan_scenes
from datagen.kinds.oddoneout.tools import SceneTools
from datagen.materials.open import open_libraries
from datagen.recipe import SceneRecipe
from datagen.render.protocol import open_renderer
from datagen.shapes.collections import open_collection

TILE_PX, SAMPLES = 144, 16


def measure(collections: Sequence[str], count: int, figures: Path | None = None) -> dict[str, Any]:
    """Figures of every source; operators.png (four examples a kind) and severity.svg are drawn into `figures`."""
    found = [measure_operators(collection, count) for collection in collections]
    if figures is not None:
        figures.mkdir(parents=True, exist_ok=True)
        (figures / "severity.svg").write_text(severity_svg(found))
        _sheet(found, collections[0], figures / "operators.png")
    return {source.source: source.to_json() for source in found}


def severity_svg(sources: Sequence[OperatorFigures]) -> str:
    """A histogram of severity for every kind, the sources over each other, in per cent of each source's own."""
    panels = [(f"severity of {kind}", [source.kinds[kind].severities for source in sources]) for kind in KINDS]
    return histograms_svg([source.source for source in sources], panels)


def _sheet(sources: Sequence[OperatorFigures], collection: str, path: Path) -> None:
    """Four columns: examples of every kind, shared out over the sources."""
    share = max(4 // len(sources), 1)
    recipe = SceneRecipe()
    settings = {**recipe.render.model_dump(mode="json"), "samples": SAMPLES}
    plan = plan_scenes(recipe, open_collection(collection, None, textured=True))
    renderer = open_renderer("cycles", len(os.sched_getaffinity(0)))
    try:
        context = SceneTools(plan, open_libraries(recipe.materials.libraries, recipe.seed), "cycles", renderer)
        made = [odd for kind in KINDS for source in sources for odd in source.examples(kind, share)]
        save_sheet([operator_tile(odd, context, TILE_PX, settings) for odd in made], 4, path)
    finally:
        renderer.close()
