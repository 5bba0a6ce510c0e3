"""The page on categories: its script makes shapes, its file is a category, its first build passes `verify`."""

import re
import subprocess
import sys

from datagen.recipe.categories import read_category
from tests.conftest import ROOT, run_build
from tests.kinds.brokenchairs.test_categories import SMALL, failed

PAGE = (ROOT / "docs" / "extending" / "category.md").read_text()


def block(language: str) -> str:
    """The page's first block of code in a language."""
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)[0]


def test_the_page_gives_a_dataset(tmp_path):
    (tmp_path / "mills.py").write_text(block("python"))
    subprocess.run([sys.executable, "mills.py"], cwd=tmp_path, check=True, timeout=120)
    (tmp_path / "mill.yaml").write_text(block("yaml"))
    category = read_category(tmp_path / "mill.yaml")
    assert set(category.classes) == {"Tower", "Cap", "Sail", "Other"}
    sets = (*SMALL, f"category={tmp_path / 'mill.yaml'}")
    summary = run_build(tmp_path / "data", 4, sets=sets, collection=tmp_path / "mills")
    assert not summary.quarantined and summary.anomalous > 4
    assert failed(tmp_path / "data", tmp_path / "mills") == []


def test_every_place_that_the_page_names_is_there():
    table = PAGE.split("## How each file comes about")[1].split("##")[0]
    for path in re.findall(r"`((?:kinds|render|annotate|formats)/[\w/]+\.py)`", table):
        assert (ROOT / "datagen" / path).is_file(), path
    for name in re.findall(r"`(\w+\.yaml)`", PAGE.split("## 2. The file")[1].split("## 3.")[0]):
        assert (ROOT / "datagen" / "shapes" / "categories" / name).is_file() or name == "mill.yaml", name
