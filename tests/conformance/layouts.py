"""The seam of store layouts: however a dataset's files lie on the disk, its reader gives the same names and bytes."""

import pickle
import shutil

import pytest

from datagen.core.errors import BrokenFile
from datagen.store.reader import DatasetReader


class LayoutConformance:
    """A subclass says how a loose dataset is laid out anew, and what a change of one byte of a file is."""

    def lay_out(self, loose, folder):
        """Write the dataset that lies loose at `loose` into `folder`, laid out."""
        raise NotImplementedError

    @pytest.fixture(scope="class")
    @classmethod
    def readers(cls, fake_dataset, tmp_path_factory):
        folder = tmp_path_factory.mktemp("layout") / "data"
        cls().lay_out(fake_dataset, folder)
        return DatasetReader(fake_dataset), DatasetReader(folder)

    def test_names_sizes_and_bytes_are_those_of_loose_files(self, readers):
        loose, laid = readers
        assert dict(laid.sizes) == dict(loose.sizes) and not laid.is_empty
        for name in loose.sizes:
            assert laid.has(name) and laid.read(name) == loose.read(name)

    def test_folders_list_the_same(self, readers):
        loose, laid = readers
        for folder in sorted({name.rsplit("/", 1)[0] for name in loose.sizes})[:20]:
            assert sorted(laid.list(folder)) == sorted(loose.list(folder)) != []
        assert list(laid.list("images/nosuch")) == [] and not laid.has("images/nosuch")

    def test_a_file_that_is_not_there_is_told_by_its_name(self, readers):
        with pytest.raises(BrokenFile, match="nosuch"):
            readers[1].read("images/nosuch.png")

    def test_every_file_has_a_stamp_with_its_size(self, readers):
        stamps = {name: size for name, size, _ in readers[1].stamps()}
        assert stamps and all((readers[1].root / name).stat().st_size == size for name, size in stamps.items())

    def test_it_travels_to_other_processes(self, readers):
        loose, laid = readers
        name = next(iter(loose.sizes))
        assert pickle.loads(pickle.dumps(laid)).read(name) == loose.read(name)

    def test_reading_changes_nothing_on_the_disk(self, readers, tmp_path):
        laid = readers[1]
        copy = tmp_path / "copy"
        shutil.copytree(laid.root, copy)
        before = {p: p.read_bytes() for p in copy.rglob("*") if p.is_file()}
        reader = DatasetReader(copy)
        for name in list(reader.sizes)[:5]:
            reader.read(name)
        assert {p: p.read_bytes() for p in copy.rglob("*") if p.is_file()} == before
