"""The seam `shapes.source.SampleSource`."""

import pickle

import numpy as np
import pytest

from datagen.core.errors import DatagenError
from datagen.shapes.source import Source, natural_key


class SourceConformance:
    """A subclass says how to open its source; it has to hold two shapes or more."""

    def open(self, tmp_path) -> Source:
        raise NotImplementedError

    def test_it_answers_the_protocol(self, tmp_path):
        source = self.open(tmp_path)
        assert isinstance(source, Source) and source.name and source.licence
        assert isinstance(source.stand_in, bool) and source.root.exists()

    def test_entries_are_sorted_unique_and_the_same_twice(self, tmp_path):
        source = self.open(tmp_path)
        ids = [entry.shape_id for entry in source.entries()]
        assert len(ids) >= 2 and len(set(ids)) == len(ids) and ids == sorted(ids, key=natural_key)
        assert source.entries() == self.open(tmp_path).entries()

    def test_a_shape_is_normalised_finite_and_the_same_twice(self, tmp_path):
        source = self.open(tmp_path)
        shape_id = source.entries()[0].shape_id
        shape, again = source.load(shape_id), self.open(tmp_path).load(shape_id)
        points = np.concatenate([part.mesh.vertices for part in shape.parts])
        assert np.isfinite(points).all() and abs(points[:, 2].min()) < 1e-6, "it stands on the ground"
        assert np.linalg.norm(points - shape.centre, axis=1).max() == pytest.approx(1.0, abs=1e-6)
        assert shape.shape_id == shape_id and len({part.part_id for part in shape.parts}) == len(shape.parts)
        for one, other in zip(shape.parts, again.parts, strict=True):
            assert one.name == other.name and np.array_equal(one.mesh.vertices, other.mesh.vertices)

    def test_digests_tell_shapes_apart_and_repeat(self, tmp_path):
        source = self.open(tmp_path)
        ids = [entry.shape_id for entry in source.entries()[:2]]
        digests = [source.digest(shape_id) for shape_id in ids]
        assert len(set(digests)) == 2 and digests == [self.open(tmp_path).digest(shape_id) for shape_id in ids]

    def test_an_unknown_shape_is_refused_by_its_name(self, tmp_path):
        with pytest.raises((DatagenError, KeyError), match="nosuch"):
            self.open(tmp_path).load("nosuch")

    def test_it_travels_to_other_processes(self, tmp_path):
        source = self.open(tmp_path)
        assert pickle.loads(pickle.dumps(source)).entries() == source.entries()
