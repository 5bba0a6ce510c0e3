"""The package's own plug-ins, each named once."""

import numpy as np
import pytest
from PIL import Image

from datagen.export.registry import find_exporter
from datagen.kinds.registry import BUILT_IN
from datagen.materials.folder import load_folder
from datagen.materials.procedural.floor import FloorLibrary
from datagen.materials.procedural.library import ProceduralLibrary
from datagen.pipeline.build import build
from datagen.pipeline.worker import Site
from datagen.render.blender.client import BlenderProcess
from datagen.render.fake import FakeRenderer
from datagen.shapes.collections import open_collection
from datagen.train.tasks.matching.task import MATCHING
from tests.conformance.exporters import ExporterConformance
from tests.conformance.kinds import KindConformance
from tests.conformance.libraries import LibraryConformance
from tests.conformance.renderers import RendererConformance
from tests.conformance.sources import SourceConformance
from tests.conformance.tasks import TaskConformance
from tests.conftest import run_build
from tests.corpus.test_layouts import write_chair
from tests.helpers.mobility import write_cabinets
from tests.kinds.pointclouds import KIND
from tests.kinds.pointclouds.task import TASK

KINDS = {kind.name: kind for kind in BUILT_IN}


class TestPartNet(SourceConformance):
    def open(self, tmp_path):
        return open_collection("partnet/chair")


class TestStandIns(SourceConformance):
    def open(self, tmp_path):
        return open_collection("partnet/lamp")


class TestJoined(SourceConformance):
    def open(self, tmp_path):
        return open_collection("partnet/faucet,partnet/chair")


class TestMobility(SourceConformance):
    def open(self, tmp_path):
        if not (tmp_path / "45001").is_dir():
            write_cabinets(tmp_path, 2)
        return open_collection(str(tmp_path), keep=True)


class TestGeneratedToys(SourceConformance):
    def open(self, tmp_path):
        return open_collection("toys", None, textured=True)


class TestMeshes(SourceConformance):
    textured = False

    def open(self, tmp_path):
        for name in ("one", "two"):
            write_chair(tmp_path / name / "chair.obj", scale=1.0 if name == "one" else 2.0)
        return open_collection(str(tmp_path), None, textured=self.textured)


class TestTexturedMeshes(TestMeshes):
    textured = True


class TestProcedural(LibraryConformance):
    def open(self, tmp_path):
        return ProceduralLibrary(0, {"wood": 2, "metal": 1}, cache=tmp_path / "cache")


class TestFloors(LibraryConformance):
    classes = ("tiles", "slate", "terrazzo", "planks", "concrete", "marble")

    def open(self, tmp_path):
        return FloorLibrary(0, tmp_path / "cache")


class TestFolder(LibraryConformance):
    def open(self, tmp_path):
        for name in ("Wood001", "Metal001"):
            folder = tmp_path / "pbr" / name
            folder.mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.full((8, 8, 3), 120, np.uint8)).save(folder / f"{name}_1K_Color.png")
            Image.fromarray(np.full((8, 8), 90, np.uint8)).save(folder / f"{name}_1K_Roughness.png")
        return load_folder(tmp_path / "pbr", cache=tmp_path / "cache")


class TestChairs(KindConformance):
    kind = KINDS["brokenchairs"]

    def recipe(self):
        views = {"query": {"size_px": 64}, "reference": {"views": 4}}
        return {**views, "anomaly": {"slots_per_shape": 2, "min_changed_px": 20}}


class TestScenes(KindConformance):
    kind = KINDS["oddoneout"]
    collection = "toys"

    def recipe(self):
        return {
            "split": {"categories": ["mug", "hammer"], "unseen": ["mug"], "scenes": {"train": 1, "unseen-test": 1}},
            "layout": {"poses": "stable", "objects": {3: 1}},
            "camera": {"views": 4, "size_px": 64},
        }


class TestPointClouds(KindConformance):
    kind = KIND
    limit = 3


class TestMatching(TaskConformance):
    task, kind, other = MATCHING, KINDS["brokenchairs"], KIND

    def build(self, out):
        sets = ["anomaly.slots_per_shape=1", "normal.views={2: 1}", "split.test=100", "split.val=60"]
        run_build(out, limit=6, sets=[*sets, "reference.views=4"])

    def recipe(self):
        model = {"dim": 16, "encoder_width": 8, "heads": 2, "blocks": 2, "k": 16}
        return {
            "model": model,
            "data": {"image_px": 64, "views": 3, "eval_views": 4},
            "loss": {"points": 8, "pairs": 1},
        }


class TestClouds(TaskConformance):
    task, kind, other = TASK, KIND, KINDS["brokenchairs"]

    def build(self, out):
        plan = KIND.building.plan(KIND.building.recipe(), open_collection("partnet/chair"), 6)
        build(Site(plan, out, "fake"))


class TestFakeRenderer(RendererConformance):
    def open(self):
        return FakeRenderer()


@pytest.mark.cycles
class TestCycles(RendererConformance):
    def open(self):
        return BlenderProcess(threads=1)


class TestCoco(ExporterConformance):
    def open(self):
        return find_exporter("coco")


class TestMVTec(ExporterConformance):
    keeps_all = False

    def open(self):
        return find_exporter("mvtec")


class TestWebDataset(ExporterConformance):
    def open(self):
        return find_exporter("webdataset")
