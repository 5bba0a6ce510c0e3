"""Exporters by name: an installed package's, and what is said of those that are none."""

import sys
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, EntryPoints
from types import ModuleType

import pytest

from datagen.core.errors import UsageError
from datagen.export import registry, source
from datagen.export.counts import Exported
from datagen.export.registry import GROUP, exporter_names, find_exporter
from datagen.export.run import export_dataset
from datagen.kinds.registry import Kind, kinds
from tests.conftest import ROOT


@dataclass
class Names:
    """An exporter of another package: the names of the pictures, one a line."""

    name: str = "names"
    about: str = "The names of the pictures, one a line."
    needs: frozenset[str] = field(default_factory=lambda: frozenset({"masks"}))

    def write(self, reader, rows, out, options):
        names = [picture.name for picture in options.pictures(reader, rows)]
        (out / "names.txt").write_text("\n".join(names))
        return Exported(pictures=len(names))

    def read_back(self, out):
        return Exported(pictures=len((out / "names.txt").read_text().splitlines()))


@pytest.fixture
def install(monkeypatch):
    """Puts objects where entry points name them; returns the function that does."""

    def put(**exporters):
        module = ModuleType("some_package")
        for name, exporter in exporters.items():
            setattr(module, name, exporter)
        monkeypatch.setitem(sys.modules, "some_package", module)
        points = EntryPoints(EntryPoint(name, f"some_package:{name}", GROUP) for name in exporters)
        monkeypatch.setattr(registry, "entry_points", lambda group: points.select(group=group))

    return put


def test_an_exporter_of_a_package_is_found_and_writes(install, tmp_path, fake_dataset):
    install(names=Names())
    built_in = [exporter.name for exporter in registry.BUILT_IN]
    assert exporter_names() == tuple(sorted([*built_in, "names"]))
    told = export_dataset(fake_dataset, "names", tmp_path / "out")
    assert told == find_exporter("names").read_back(tmp_path / "out")
    assert told.pictures == export_dataset(fake_dataset, "coco", tmp_path / "coco").pictures


def test_the_exporter_of_the_documentation_works(install, tmp_path, fake_dataset):
    blocks = (ROOT / "docs" / "exports.md").read_text().split("```python\n")[1:]
    code = next(block.split("```")[0] for block in blocks if "EXPORTER = " in block)
    names: dict = {}
    exec(code, names)
    install(table=names["EXPORTER"])
    told = export_dataset(fake_dataset, "table", tmp_path / "out")
    assert told == names["EXPORTER"].read_back(tmp_path / "out")
    lines = [line.split("\t") for line in (tmp_path / "out" / "table.tsv").read_text().splitlines()]
    assert sum(len(line) == 3 for line in lines) == told.pictures and sum(len(line) == 5 for line in lines)
    assert told.anomalous == told.instances > 0


@dataclass
class Liar(Names):
    """Reads back more than it wrote."""

    def read_back(self, out):
        return Exported(pictures=99)


@dataclass
class Silent(Names):
    """Does not say what it wrote."""

    def write(self, reader, rows, out, options):
        (out / "names.txt").write_text("x")


@pytest.mark.parametrize("exporter, said", [(Liar(), "reads back"), (Silent(), "answers write with NoneType")])
def test_an_exporter_that_does_not_keep_its_word_is_named_and_leaves_nothing(
    install, tmp_path, fake_dataset, exporter, said
):
    install(names=exporter)
    with pytest.raises(UsageError, match=rf"exporter names .*{said}.*tell its author"):
        export_dataset(fake_dataset, "names", tmp_path / "out")
    assert not (tmp_path / "out").exists() and not list(tmp_path.glob(".out*"))


def test_an_unknown_name_lists_those_there_are(install):
    install(names=Names(), other=object())
    with pytest.raises(UsageError) as caught:
        find_exporter("yolo")
    said = caught.value.args[0]
    assert said.startswith("no exporter yolo; choose one with --to: bop (BOP's scenewise folders: models, depth, masks")
    assert "; names (The names of the pictures, one a line); other (of a package that is broken); points (" in said


@pytest.mark.parametrize(
    ("exporter", "why"),
    [
        (Names, "is no exporter of that name"),
        (Names(name="other"), "is no exporter of that name"),
        (object(), "is no exporter of that name"),
        (Names(needs=frozenset({"sound"})), "needs sound; an exporter may need masks, boxes, depth, pose, mesh"),
    ],
)
def test_an_entry_point_that_gives_no_exporter_is_refused(install, exporter, why):
    install(names=exporter)
    with pytest.raises(UsageError, match=why):
        find_exporter("names")


def test_a_package_that_does_not_load_breaks_its_own_exporter_alone(monkeypatch):
    points = EntryPoints([EntryPoint("names", "no_such_package:names", GROUP)])
    monkeypatch.setattr(registry, "entry_points", lambda group: points.select(group=group))
    assert find_exporter("coco").name == "coco"
    with pytest.raises(UsageError, match=r"cannot be loaded .*no_such_package.*; repair or uninstall its package"):
        find_exporter("names")


def test_a_name_given_twice_is_refused(install):
    install(coco=Names(name="coco"))
    with pytest.raises(UsageError, match="given more than once; uninstall the package of one of some_package:coco"):
        find_exporter("coco")


def test_a_kind_that_lacks_what_an_exporter_needs_is_refused(install, monkeypatch, tmp_path, scene_dataset):
    install(clouds=Names(name="clouds", needs=frozenset({"mesh"})))
    with pytest.raises(UsageError, match="exporter clouds needs mesh, which datasets of kind oddoneout do not hold"):
        export_dataset(scene_dataset, "clouds", tmp_path / "out")
    scenes = kinds()["oddoneout"]
    monkeypatch.setattr(
        source, "kind_of", lambda root: Kind("plain", scenes.building, scenes.examination, scenes.sheet, None)
    )
    with pytest.raises(UsageError, match="exporter coco needs boxes and masks, which datasets of kind plain do not"):
        export_dataset(scene_dataset, "coco", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_built_in_exporters_say_what_they_are():
    for exporter in registry.BUILT_IN:
        assert exporter.about.endswith(".") and exporter.name.isidentifier()
