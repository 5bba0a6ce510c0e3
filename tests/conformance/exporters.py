"""The seam `export.protocol.Exporter`."""

from pathlib import Path

import pytest

from datagen.core.errors import UsageError
from datagen.export.protocol import NEEDS, Exporter, Options
from datagen.export.settings import parse_settings
from datagen.kinds.registry import kind_of, open_tree


def what_to_export(exporter: Exporter, root: Path, *sets: str):
    """Reader, rows and options of a first try, as `datagen export` gives them; `sets` are texts `key=value`."""
    tree, kind = open_tree(root), kind_of(root)
    rows = sorted(tree.rows, key=lambda row: (row["job_id"], row["index"]))
    settings = parse_settings(exporter.name, getattr(exporter, "settings", {}), sets)
    options = Options(tree.name, kind.name, kind.instances, kind.instances.kinds_in(rows), settings=settings)
    return tree.files, rows, options


class ExporterConformance:
    """A subclass says how to open its exporter; it is tried on every built-in kind that has what it needs."""

    keeps_all = True
    """Whether the format holds every picture of a dataset."""

    refuses: tuple[str, ...] = ()
    """Fixtures of datasets that lack what the format is about, though their kind has all of `needs`."""

    sets: tuple[str, ...] = ()
    """Settings of the format, as texts `key=value`."""

    def open(self) -> Exporter:
        raise NotImplementedError

    def test_it_answers_the_protocol(self):
        exporter = self.open()
        assert isinstance(exporter, Exporter) and exporter.name.isidentifier() and exporter.about.endswith(".")
        assert set(exporter.needs) <= set(NEEDS)

    @pytest.mark.parametrize("name", ["fake_dataset", "scene_dataset"])
    def test_what_it_writes_is_what_it_reads_back(self, name, request, tmp_path):
        root = request.getfixturevalue(name)
        exporter, samples = self.open(), open_tree(root).samples
        for folder in ("one", "two"):
            (tmp_path / folder).mkdir()
            reader, rows, options = what_to_export(exporter, root, *self.sets)
            if name in self.refuses:
                with pytest.raises(UsageError, match="choose another --to"):
                    exporter.write(reader, rows, tmp_path / folder, options)
                return
            written = exporter.write(reader, rows, tmp_path / folder, options)
        assert written.pictures > 0
        if self.keeps_all:
            assert written.pictures == len(samples)
            assert written.anomalous == sum(row["label"] for row in samples)
        assert exporter.read_back(tmp_path / "one") == written
        one, two = (
            {p.relative_to(tmp_path / f).as_posix(): p.read_bytes() for p in (tmp_path / f).rglob("*") if p.is_file()}
            for f in ("one", "two")
        )
        assert one == two, "an export repeats to the byte"
