"""The seam `kinds.registry.Kind`: plan, build, resume, layouts, verify, show."""

import pickle

import numpy as np
import pytest

from datagen.kinds.registry import Kind
from datagen.pipeline.build import Scope, build
from datagen.pipeline.worker import Site
from datagen.shapes.collections import open_collection
from datagen.store.manifest import read_manifest
from datagen.store.reader import DatasetReader
from datagen.verify import tree
from datagen.verify.document import examine

TABLES = ("run.json", "manifest.parquet")


class KindConformance:
    """A subclass names its kind, a recipe small enough for a test, and a collection of shapes."""

    kind: Kind
    collection = "partnet/chair"
    limit = 2

    def recipe(self) -> dict:
        return {}

    def plan(self):
        building = self.kind.building
        recipe = building.recipe.model_validate({"kind": self.kind.name, **self.recipe()})
        return building.plan(recipe, open_collection(self.collection, None, building.textured), self.limit)

    def build(self, out, layout="loose", shard=(0, 1)):
        return build(Site(self.plan(), out, "fake", layout=layout), scope=Scope(shard=shard))

    @pytest.fixture(scope="class")
    @classmethod
    def dataset(cls, tmp_path_factory):
        out = tmp_path_factory.mktemp("kind") / "data"
        cls().build(out)
        return out

    def test_the_plan_repeats_and_travels(self):
        jobs = list(self.plan().jobs())
        assert jobs == list(self.plan().jobs()) == list(pickle.loads(pickle.dumps(self.plan())).jobs())
        assert len({job.job_id for job in jobs}) == len(jobs) > 0
        assert {job.job_type for job in jobs} <= set(self.kind.building.jobs)

    def test_an_estimate_is_plain_figures(self):
        figures = self.kind.building.estimate(self.plan(), "fake")
        assert figures and all(isinstance(key, str) for key in figures)

    def test_files_lie_in_the_folders_of_the_kind(self, dataset):
        named = {path for row in read_manifest(dataset) for path in row["sha256"]}
        assert named == set(DatasetReader(dataset, self.kind.building.folders).sizes)

    def test_parts_of_a_build_make_the_whole(self, dataset, tmp_path):
        for k in (2, 0, 1):
            summary = self.build(tmp_path / "parts", shard=(k, 3))
        assert summary.images == sum(row["row_type"] == "sample" for row in read_manifest(dataset))
        assert all((tmp_path / "parts" / name).read_bytes() == (dataset / name).read_bytes() for name in TABLES)

    def test_shards_hold_the_same_files(self, dataset, tmp_path):
        self.build(tmp_path / "shards", layout="shards")
        loose, packed = (DatasetReader(path, self.kind.building.folders) for path in (dataset, tmp_path / "shards"))
        assert packed.is_packed and loose.sizes == packed.sizes
        assert all(loose.read(name) == packed.read(name) for name in list(loose.sizes)[:20])

    def test_it_verifies_and_a_changed_byte_does_not(self, dataset):
        def document():
            found = tree.open_tree(dataset, self.kind.building.folders)
            return examine(self.kind.examination, self.kind.examination.evidence(found))

        good = document()
        assert good.ok, [(r.name, r.examples[:2]) for r in good.results if r.failed_as_error]
        assert good.counts["images"] > 0 and "<html" in good.page() and good.to_json()["ok"]
        path = dataset / next(name for row in read_manifest(dataset) for name in row["sha256"])
        kept = path.read_bytes()
        path.write_bytes(kept + b"x")
        try:
            assert not document().ok
        finally:
            path.write_bytes(kept)

    def test_it_is_shown(self, dataset):
        shown = self.kind.sheet(DatasetReader(dataset), read_manifest(dataset), (), 1)
        assert shown.picture is not None and shown.picture.dtype == np.uint8 and shown.picture.std() > 0
