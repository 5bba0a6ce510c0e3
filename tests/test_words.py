"""General rooms know no kind of dataset by its words, and only tables of data keep a layout of their own."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "datagen"

KIND_WORDS = re.compile("brokenchairs|oddoneout|chair|scene_", re.IGNORECASE)
ROOMS_OF_KINDS = ("kinds/", "shapes/", "formats/", "recipe/")
"""Where such words belong: each kind's own folder, what shapes are, published layouts, recipes."""
HASHED = ("materials/procedural/",)
"""The version of generated textures is a hash of these sources, their comments included."""
KIND_WORDS_TO_GO = ("anomalies/", "core/oddity.py", "datasets/", "render/", "train/")
"""General rooms that still say them. This list only shrinks."""


def sources() -> list[str]:
    """Every module of the program and every page template, as a path below datagen/."""
    found = [path for ending in ("py", "j2", "js", "css") for path in ROOT.rglob(f"*.{ending}")]
    return sorted(path.relative_to(ROOT).as_posix() for path in found)


@pytest.mark.parametrize("name", [n for n in sources() if not n.startswith((*ROOMS_OF_KINDS, *HASHED))])
def test_general_rooms_know_no_kind_by_its_words(name):
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    said = [f"{name}:{k}: {line.strip()}" for k, line in enumerate(lines, 1) if KIND_WORDS.search(line)]
    if name.startswith(KIND_WORDS_TO_GO):
        return
    assert not said, "\n".join(["say it in general words, or move it to the folder of its kind:", *said])


@pytest.mark.parametrize("entry", KIND_WORDS_TO_GO)
def test_the_list_of_rooms_that_say_them_shrinks(entry):
    there = [name for name in sources() if name.startswith(entry)]
    said = any(KIND_WORDS.search((ROOT / name).read_text(encoding="utf-8")) for name in there)
    assert said, f"nothing in {entry} says a word of a kind any more: take it off KIND_WORDS_TO_GO"
