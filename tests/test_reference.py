"""docs/reference is what the program says of itself; every key of a recipe and every check has a text."""

import pytest

from datagen.cli.reference import FOLDER, KINDS, pages
from datagen.recipe.section import Section

PAGES = pages()


@pytest.mark.parametrize("name", PAGES)
def test_the_page_is_not_stale(name):
    there = (FOLDER / name).read_text(encoding="utf-8")
    assert there == PAGES[name], f"docs/reference/{name} is stale: run `make docs` and commit it"


def test_no_other_page_lies_there():
    assert {path.name for path in FOLDER.iterdir()} == set(PAGES)


def fields(section, path=""):
    """(dotted name, description) of every key below a section."""
    for name, field in type(section).model_fields.items():
        value = getattr(section, name)
        if isinstance(value, Section):
            yield from fields(value, f"{path}{name}.")
        else:
            yield path + name, field.description


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_key_of_a_recipe_is_described(kind):
    bare = [name for name, text in fields(kind.building.recipe()) if not text]
    assert not bare, f"write a text below these fields: {bare}"


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_check_says_what_has_to_hold(kind):
    checks = kind.examination.checks.checks.values()
    assert not [check.name for check in checks if not check.run.__doc__ or not check.protects]
