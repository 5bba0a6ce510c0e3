"""Figures of the operators: what is counted, which examples are shown, what is drawn."""

import xml.etree.ElementTree as ET

import numpy as np
from PIL import Image

from datagen.bench.sheet import save_sheet
from datagen.formats.oddoneout import KINDS
from datagen.kinds.oddoneout.bench.oddities import measure_operators
from datagen.kinds.oddoneout.bench.operators import severity_svg
from datagen.kinds.oddoneout.bench.tiles import CAPTION, operator_tile
from datagen.kinds.oddoneout.tools import SceneTools
from datagen.kinds.registry import make_plan
from datagen.materials.open import open_libraries
from datagen.recipe import SceneRecipe
from datagen.render.fake import FakeRenderer
from datagen.shapes.collections import open_collection

RECIPE = SceneRecipe.model_validate({"anomaly": {"similar": {"pool": 3}}})


def test_operators_are_counted_and_drawn(tmp_path):
    found = measure_operators("toys", 3, RECIPE)
    assert found.shapes == 3 and not found.unreadable
    for kind, figures in found.kinds.items():
        told = figures.to_json()
        assert told["accepted"] + sum(told["reasons"].values()) == told["proposals"] > 0, kind
        assert sum(told["severity_histogram"]["counts"]) == told["shapes"] == len(found.kept.get(kind, []))
    examples = found.examples("bump", 2)
    low, high = np.quantile([made.severity for made in found.kept["bump"]], [0, 1])
    assert 1 <= len(examples) <= 2 and all(low <= made.severity <= high for made in examples)
    assert found.examples("bump", 2)[0] is examples[0] and not found.examples("no such kind", 2)

    drawn = ET.fromstring(severity_svg([found, found]))
    titles = [element.text for element in drawn.iter("{http://www.w3.org/2000/svg}title")]
    assert len(titles) == sum(len(f.severities) > 1 for f in found.kinds.values()) <= len(KINDS)

    context = SceneTools(
        make_plan(RECIPE, open_collection("toys")), open_libraries(("procedural",), 0), "fake", FakeRenderer()
    )
    tile = operator_tile(examples[0], context, 48, {})
    assert tile.shape == (48 + CAPTION, 96, 3)
    assert (tile[:48, :48] != tile[:48, 48:]).any(), "the odd one looks otherwise"
    save_sheet([tile] * 3, 2, tmp_path / "sheet.png")
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.size == (192, 2 * (48 + CAPTION)) and sheet.getpixel((191, 2 * (48 + CAPTION) - 1)) == (255,) * 3
