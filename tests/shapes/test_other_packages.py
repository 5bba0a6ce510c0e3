"""Sources of other packages: found by their entry point, refused where they give something else."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from datagen.core.errors import UsageError
from datagen.shapes import collections
from datagen.shapes.collections import open_collection
from tests.helpers.docs import code_of


def planted(monkeypatch, recognise):
    point = SimpleNamespace(name="knobs", load=lambda: recognise)
    monkeypatch.setattr(collections, "entry_points", lambda group: [point] if group == "datagen.sources" else [])


def test_the_source_of_the_page_opens_what_it_recognises_alone(tmp_path, monkeypatch):
    module = {}
    exec(code_of("docs/extending/source.md", "# my_package/knobs.py"), module)
    planted(monkeypatch, module["recognise"])
    (tmp_path / "3.knobs").touch()
    source = open_collection(str(tmp_path / "3.knobs"))
    assert [entry.shape_id for entry in source.entries()] == ["knob0", "knob1", "knob2"]
    assert [part.name for part in source.load("knob1").parts] == ["body", "knob"]
    assert open_collection("partnet/chair").name != "knobs"


def test_what_gives_no_source_is_told_by_its_name(tmp_path, monkeypatch):
    planted(monkeypatch, lambda path, textured: Path(path))
    with pytest.raises(UsageError, match=r"the entry point knobs of datagen[.]sources gives no source"):
        open_collection(str(tmp_path))
