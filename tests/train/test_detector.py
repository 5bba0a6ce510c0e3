"""The detector on scenes: what a sample is, what moves in training, resume, evaluation, and two scenes by heart."""

import csv
import json
import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from datagen.cli.train import run_evaluate
from datagen.cli.train_options import EvaluateOptions
from datagen.core.errors import BrokenFile, RecipeError, UsageError
from datagen.datasets.objects import drawn_world, moved_boxes
from datagen.datasets.objects_config import ObjectsConfig
from datagen.datasets.scenes import list_scenes, named_split, read_scene, split_names
from datagen.models.detector.detector import ObjectLogits
from datagen.models.detector.lifted import Views
from datagen.models.detector.volumes import Boxes, lattice, project
from datagen.train.costs import timed
from datagen.train.errors import BadCheckpoint
from datagen.train.evaluate import evaluate
from datagen.train.load import load_network
from datagen.train.loop import train
from datagen.train.page import render_page
from datagen.train.predict import predict, predict_scene
from datagen.train.recipes import load_train_recipe
from datagen.train.run import open_run
from datagen.train.runtime import Runtime
from datagen.train.tasks.detector.costs import measured
from datagen.train.tasks.detector.found import density_boxes, judged_in_found
from datagen.train.tasks.detector.networks import make_objective
from datagen.train.tasks.detector.objective import change_loss, changed_tokens
from datagen.train.tasks.detector.predictions import ObjectPredictions
from datagen.train.tasks.detector.recipe import DetectorRecipe
from datagen.train.tasks.detector.report import ONLY_PUBLISHED, found_figures
from datagen.train.tasks.detector.scenes import objects_of, views_of
from datagen.train.tasks.detector.study import Asked, arms, study
from datagen.train.tasks.detector.study_table import table
from datagen.train.tasks.detector.task import open_folder, open_split
from datagen.train.tasks.detector.teacher_study import networks, recalls

CPU = Runtime(0, 1, torch.device("cpu"))
VOLUME = {"around": "objects", "side": 8, "widths": [8, 16], "down": [1, 1], "up": [1]}
MODEL = {
    **{
        "dim": 8,
        "encoder": {"name": "resnet18", "width": 8},
        "volume": VOLUME,
        "feature_dim": 8,
        "render": False,
        "roi": 4,
        "k": 4,
    },
    **{"blocks": 1, "heads": 2, "attention_dim": 16},
}


def recipe_of(**sections) -> DetectorRecipe:
    """A tiny recipe with some values changed, section by section."""
    data = {
        "task": "detector",
        "model": {**MODEL, **sections.pop("model", {})},
        "data": {"image_px": 64, "views": 3, "most_objects": 8, **sections.pop("data", {})},
        "loss": {"reconstruct": 0.0, **sections.pop("loss", {})},
        "optim": {
            "optimiser": "adamw",
            "lr": 2e-3,
            "batch": 2,
            "epochs": 50,
            "max_steps": 2,
            **sections.pop("optim", {}),
        },
        "log": {"tensorboard": False, "validate_epochs": 100, **sections.pop("log", {})},
    }
    return DetectorRecipe.model_validate(data | sections)


@pytest.fixture(scope="module")
def scenes(scene_dataset, tmp_path_factory):
    """The shared scenes, each of them in every split."""
    folder = shutil.copytree(scene_dataset, tmp_path_factory.mktemp("detector") / "scenes")
    names = sorted(path.name for path in (folder / "scenes").iterdir())
    (folder / "split.json").write_text(json.dumps({"train": names, "val": names, "test": names}))
    return folder


def test_boxes_and_cameras_belong_to_the_pictures(scenes):
    """Every object's box, projected, holds its own pixels of the segmentation; of the picture's size too."""
    data = open_split(scenes, "test", recipe_of())
    for number, sample in enumerate(data.samples):
        item = data[number]
        for n in range(len(sample.things)):
            centre, size = item["boxes"][n]
            corners = centre + size / 2 * torch.cartesian_prod(*[torch.tensor([-1.0, 1.0])] * 3)
            pixel, depth = project(corners[None], item["K"][None], item["extrinsics"][None])
            assert (depth > 0).all()
            inside = pixel[0].mean(1)
            assert ((inside > -16) & (inside < 80)).all()
        # The masks cover where the objects' centres are seen, as a rule.
        middle, _ = project(item["boxes"][: len(sample.things), 0][None], item["K"][None], item["extrinsics"][None])
        at = middle[0].round().long().clamp(0, 63)
        assert torch.stack([m[p[:, 1], p[:, 0]] for m, p in zip(item["masks"], at, strict=True)]).float().mean() > 0.5


def test_moving_the_world_moves_no_pixel():
    """A point and its camera moved alike are seen at the same pixel; boxes hold their moved corners."""
    rng = np.random.default_rng(0)
    world = drawn_world(ObjectsConfig(), rng)
    point, T = np.array([0.2, -0.1, 0.15, 1.0]), np.eye(4)
    T[:3, 3] = [0, 0, 2]
    K = np.array([[100, 0, 32], [0, 100, 32], [0, 0, 1.0]])
    before, after = (K @ (E @ p)[:3] for E, p in ((T, point), (T @ np.linalg.inv(world), world @ point)))
    np.testing.assert_allclose(before / before[2], after / after[2], atol=1e-9)
    box = np.array([[[0.1, 0.2, 0.1], [0.3, 0.1, 0.2]]])
    corners = box[:, 0] + box[:, 1] / 2 * np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)])
    moved = corners @ world[:3, :3].T + world[:3, 3]
    found = moved_boxes(box, world)[0]
    np.testing.assert_allclose(found[0] - found[1] / 2, moved.min(axis=0), atol=1e-9)


def test_a_sample_is_a_function_of_seed_epoch_and_scene(scenes):
    recipe = recipe_of()
    one, two = (open_split(scenes, "train", recipe, make_objective(recipe)) for _ in range(2))
    first = one[3, 1]
    two[0, 0]
    again = two[3, 1]
    assert all(torch.equal(torch.nan_to_num(first[k]), torch.nan_to_num(again[k])) for k in first)
    assert not torch.equal(first["extrinsics"], one[4, 1]["extrinsics"])
    assert len(set(one.views_of(3, one.samples[1]))) == 6
    sets = [
        set(open_split(scenes, "test", recipe_of(data={"protocol": p})).views_of(0, one.samples[0])) for p in (0, 1)
    ]
    assert len(sets[0]) == len(sets[1]) == 3 and not sets[0] & sets[1]


def test_the_protocol_is_that_of_the_dataset(scenes, tmp_path):
    """Five views are those of protocol.json; where it is not there, or is of another number, they are evenly spread."""
    folder = shutil.copytree(scenes, tmp_path / "scenes")

    def views(**data):
        found = open_split(folder, "test", recipe_of(data={"views": 5, **data}))
        return found.views_of(0, found.samples[0])

    even = [views(protocol=p) for p in (0, 1)]
    path = folder / "protocol.json"
    path.write_text(json.dumps({"views": 10, "five_views": [[9, 1, 2, 3, 4], [0, 5, 6, 7, 8]]}))
    assert [views(protocol=p) for p in (0, 1)] == [[9, 1, 2, 3, 4], [0, 5, 6, 7, 8]]
    assert views(views=3) == [0, 3, 6]
    path.write_text(json.dumps({"views": 20, "five_views": [[0, 4, 8, 12, 16], [2, 6, 10, 14, 18]]}))
    assert [views(protocol=p) for p in (0, 1)] == even
    path.unlink()
    assert [views(protocol=p) for p in (0, 1)] == even
    for told in ("{", "[]", "{}", '{"views": 10, "five_views": [[0, 0, 1, 2, 3], [4, 5, 6, 7, 10]]}'):
        path.write_text(told)
        with pytest.raises(BrokenFile, match=r"protocol\.json"):
            views()


def test_a_damaged_scene_is_named_and_never_left_out(scenes, tmp_path):
    folder = shutil.copytree(scenes, tmp_path / "scenes")
    name = split_names(open_folder(folder), "test")[0]
    (folder / "scenes" / name / "RGB" / "0000.png").write_bytes(b"no picture")
    data = open_split(folder, "test", recipe_of())
    with pytest.raises(BrokenFile, match=f"{name}/RGB/0000.png"):
        data[0]
    (folder / "scenes" / name / "scene3d.metadata.json").write_text("{}")
    with pytest.raises(BrokenFile, match=f"{name}/scene3d.metadata.json"):
        open_split(folder, "test", recipe_of())
    with pytest.raises(BrokenFile, match="most_objects"):
        open_split(scenes, "test", recipe_of(data={"most_objects": 2}))


def test_splits_are_found_by_the_published_names(scenes, tmp_path):
    folder = shutil.copytree(scenes, tmp_path / "scenes")
    names = split_names(open_folder(folder), "train")
    (folder / "split.json").write_text(json.dumps({"unseen-test": names[:1], "train": names[1:], "seen-test": []}))
    files = open_folder(folder)
    assert split_names(files, "test") == names[:1]
    with pytest.raises(
        BrokenFile, match=r"no split nosuch; it has unseen-test, train, .*val \(a tenth of the training"
    ):
        split_names(files, "nosuch")
    assert [named_split(files, split) for split in ("test", "val", "train")] == ["unseen-test", "val", "train"]
    assert {s.name for s in list_scenes(files, "train")} <= set(names[1:])


def test_training_goes_on_as_if_never_interrupted_and_is_evaluated(scenes, tmp_path):
    recipe = recipe_of(loss={"exact": 0.5}, optim={"max_steps": 4})
    for name in ("once", "twice"):
        (tmp_path / name).mkdir()
    once = train(tmp_path / "once", scenes, recipe, CPU, lambda event: None)

    class Stop(Exception):
        pass

    def stop(event):
        if event.step == 2:
            raise Stop

    with pytest.raises(Stop):
        train(
            tmp_path / "twice",
            scenes,
            recipe_of(loss={"exact": 0.5}, optim={"max_steps": 4}, log={"checkpoint_steps": 1}),
            CPU,
            stop,
        )
    again = train(tmp_path / "twice", scenes, recipe, CPU, lambda event: None, resume=True)
    for name, tensor in once.objective.weights_dict().items():
        torch.testing.assert_close(tensor, again.objective.weights_dict()[name], rtol=0, atol=1e-6)
    report = evaluate(load_network(tmp_path / "once", CPU.device), scenes, "test", CPU, rounds=20).report
    objects = sum(len(s.things) for s in list_scenes(open_folder(scenes), "test"))
    hull = report["found_boxes"]["hull"]
    assert set(hull) == {"auc", "accuracy_iou", "accuracy", "box_recall", "count_accuracy"}
    assert 0 <= hull["box_recall"]["value"] <= 1 and hull["accuracy_iou"]["value"] <= hull["accuracy"]["value"]
    assert report["n"] == objects and {"auc", "auc_by_scene", "auc_residual", "per_kind", "per_count"} <= set(report)


@pytest.mark.parametrize("match", ["none", "sparse"])
def test_two_scenes_are_learned_by_heart(scenes, tmp_path, match):
    recipe = recipe_of(
        model={"match": match, "blocks": 2},
        data={"views": 4, "yaw_deg": 0.0, "shift_m": 0.0, "flip": 0.0, "scale": (1.0, 1.0)},
        optim={"max_steps": 100, "lr": 3e-3, "schedule": "cosine", "warmup_steps": 10, "clip_norm": 1.0},
    )
    trained = train(tmp_path, scenes, recipe, CPU, lambda event: None)
    found = evaluate(load_network(tmp_path, CPU.device), scenes, "test", CPU, rounds=20).report
    assert found["auc"] > 0.95
    assert trained.progress.step == 100


def test_the_first_stage_reconstructs(scenes, tmp_path):
    recipe = recipe_of(
        model={"render": True, "render_px": 24, "samples": 24, "reach_m": (0.3, 1.6)},
        loss={"classify": 0.0, "reconstruct": 1.0},
        optim={"max_steps": 60, "lr": 3e-3},
    )
    losses = []
    train(tmp_path, scenes, recipe, CPU, lambda event: losses.append(event.loss))
    report = evaluate(load_network(tmp_path, CPU.device), scenes, "test", CPU, 10).report
    assert "density" not in report["found_boxes"] and report["mask_error"] < 0.3
    assert "nothing taught this network to judge objects" in report["notes"][0]
    assert np.mean(losses[-5:]) < 0.7 * np.mean(losses[:5])


def test_recipes_are_read_and_what_cannot_be_is_refused():
    for name in ("oddoneout", "oddoneout_stage1", "oddoneout_small", "oddoneout_study", "oddoneout_smoke"):
        assert load_train_recipe(name).task == "detector"
    with pytest.raises(RecipeError, match="nothing is learned"):
        load_train_recipe("oddoneout", overrides=["loss.classify=0", "loss.reconstruct=0", "loss.exact=0"])
    with pytest.raises(RecipeError, match=r"model\.render"):
        load_train_recipe("oddoneout", overrides=["model.render=false"])


@pytest.mark.skipif(not Path("../shared/samples/oddoneout_scene").is_dir(), reason="the published sample is not here")
def test_the_published_scene_is_a_sample(tmp_path):
    """Its masks are absent, as published; they are made of the segmentations here."""
    source = Path("../shared/samples/oddoneout_scene")
    folder = tmp_path / "scenes" / "banana_028-001"
    shutil.copytree(source, folder)
    (folder / "masks").mkdir()
    for view in sorted((folder / "RGB").iterdir()):
        whole = np.zeros((256, 256), dtype=bool)
        for thing in (folder / "segmentations").iterdir():
            if thing.name != "floor_object":
                picture = Image.open(thing / f"{thing.name}_{view.name}").convert("L")
                whole |= np.asarray(picture) > 127
        Image.fromarray((whole * 255).astype(np.uint8)).save(folder / "masks" / view.name)
    (tmp_path / "split.json").write_text(json.dumps({"unseen-test": [folder.name], "train": [folder.name]}))
    sample = read_scene(open_folder(tmp_path), folder.name)
    assert [thing.label for thing in sample.things].count(1) == 1 and sample.shape == "banana_028"
    data = open_split(tmp_path, "test", recipe_of())
    item = data[0]
    assert item["there"].sum() == 3 and torch.isnan(item["poses"]).all()
    recipe = recipe_of(loss={"exact": 0.5})
    objective = make_objective(recipe)
    batch = torch.utils.data.default_collate([open_split(tmp_path, "train", recipe, objective)[0, 0]])
    losses = objective(batch, 0, torch.Generator())
    assert all(torch.isfinite(loss) for loss in losses.values()) and losses["exact"] == 0


def test_boxes_are_found_by_density_where_the_volume_is_the_objects():
    """A network whose density is given: the boxes are those of the dense voxels, and missed objects have no score."""
    volume = {"around": "floor", "size": (32, 32, 8), "voxel_m": 0.04, "low_m": (-0.64, -0.64, 0.0)}
    volume |= {"widths": (8,), "down": (1,), "up": ()}
    model = make_objective(recipe_of(model={"volume": volume, "render": True}, loss={"reconstruct": 1.0})).model.eval()
    dense = torch.full((1, 1, 1, 8, 32, 32), 0.0)
    dense[0, 0, 0, 0:4, 4:10, 20:26] = 500.0
    dense[0, 0, 0, 0:3, 20:28, 5:10] = 500.0
    model.sigma = lambda built: dense
    built = model.build(Views(torch.zeros(1, 2, 3, 64, 64), torch.eye(3)[None], torch.eye(4).expand(1, 2, 4, 4)), None)
    boxes = density_boxes(model, built)[0]
    low, size = np.array([20, 4, 0]) * 0.04 - [0.64, 0.64, 0.0], np.array([6, 6, 4]) * 0.04
    assert len(boxes) == 2
    np.testing.assert_allclose(boxes[1], [low + size / 2, size], atol=1e-9)
    true = torch.from_numpy(np.stack([boxes[1], boxes[1] + [[0.0, 0, 3.0], [0, 0, 0]]]))[None].float()
    views = Views(torch.zeros(1, 2, 3, 64, 64), torch.eye(3)[None], torch.eye(4).expand(1, 2, 4, 4))
    found = judged_in_found(model, views, [boxes], true, torch.ones(1, 2, dtype=torch.bool))
    assert found["iou"][0].tolist() == pytest.approx([1.0, 0.0], abs=1e-5) and int(found["count"]) == 2
    assert torch.isfinite(found["score"][0, 0]) and torch.isnan(found["score"][0, 1])


def test_figures_of_found_boxes():
    """Of two scenes of two objects one box is missed and one scene has a box too many."""
    scene = SimpleNamespace(shape="a", things=(None, None))
    samples = tuple(SimpleNamespace(shape="a", scene=scene, place=n) for n in range(4))
    found = ObjectPredictions(
        samples,
        label=np.array([0, 1, 0, 1]),
        score=np.array([0.2, 0.9, 0.7, np.nan]),
        residual=np.zeros(4),
        recall=np.zeros(2),
        scene=np.array([0, 0, 1, 1]),
        mask_error=np.zeros(2),
        iou=np.array([0.8, 0.4, 0.9, 0.0]),
        count=np.array([2, 3]),
    )
    told = {name: value(rows) for name, (value, rows) in found_figures(found, 0.5).items()}
    assert told == {"auc": 0.5, "accuracy_iou": 0.25, "accuracy": 0.5, "box_recall": 0.5, "count_accuracy": 0.5}


HELD = {"name": "mobilenetv2", "weights": "random", "stride": 8}
FLOOR = {
    **{"size": (32, 32, 8), "voxel_m": 0.05, "low_m": (-0.8, -0.8, -0.1)},
    **{"widths": (8, 16), "down": (1, 1), "up": (1,)},
}
VARIANTS = {
    "efficient": {"model": {"variant": "efficient", "encoder": HELD}, "data": {"pack": True}},
    "efficient, others": {"model": {"variant": "efficient", "centre": "others"}, "data": {"pack": True}},
    "imvoxelnet": {"model": {"variant": "imvoxelnet", "volume": FLOOR}},
    "detr3d": {"model": {"variant": "detr3d", "volume": FLOOR, "queries": 10}},
    "points": {"model": {"variant": "points"}, "data": {"points": 64, "depth_noise_m": 0.002}},
    "residual": {"model": {"variant": "residual", "encoder": {"name": "colour", "stride": 8}}},
    "residual, held": {"model": {"variant": "residual", "encoder": HELD}, "data": {"pack": True}},
    "taught": {
        "model": {"encoder": HELD, "render": True, "render_px": 16, "samples": 8, "reach_m": (0.3, 1.6)},
        "teacher": {"name": "mobilenetv2", "weights": "random", "stride": 8},
        "loss": {"reconstruct": 1.0, "feature": 1.0},
        "data": {"pack": True},
    },
    "dinov2": {"model": {"encoder": {"name": "dinov2", "weights": "random"}, "match": "full"}},
    "difference": {"model": {"difference": True, "head": "pooled"}},
    "masked": {"model": {"masked": True, "difference": True, "head": "pooled"}},
    "taught tokens": {
        "model": {"masked": True, "difference": True, "head": "tokens"},
        "data": {"changed": True, "pack": True},
        "loss": {"change": 1.0},
    },
    "efficient, masked": {"model": {"masked": True, "variant": "efficient"}},
    "difference, full": {"model": {"difference": True, "match": "full"}},
    "one direction": {"model": {"match": "none"}, "loss": {"swap_views": False, "exact": 1.0}},
}


@pytest.mark.parametrize("name", VARIANTS)
def test_every_variant_trains_a_step_and_is_evaluated(scenes, tmp_path, monkeypatch, name):
    monkeypatch.setenv("DATAGEN_CACHE", str(tmp_path / "cache"))
    recipe = recipe_of(**{key: dict(value) for key, value in VARIANTS[name].items()})
    losses = []
    (tmp_path / "run").mkdir()
    trained = train(tmp_path / "run", scenes, recipe, CPU, lambda event: losses.append(event.loss))
    assert np.isfinite(losses).all() and len(losses) == 2
    loaded = load_network(tmp_path / "run", CPU.device)
    report = evaluate(loaded, scenes, "test", CPU, rounds=10).report
    objects = sum(len(s.things) for s in list_scenes(open_folder(scenes), "test"))
    assert report["n"] == objects and report["auc"] is not None
    ways = {"imvoxelnet": {"own"}, "detr3d": {"own"}, "points": set(), "residual": set(), "residual, held": set()}
    assert set(report["found_boxes"]) == ways.get(name, {"hull"})
    assert (report["auc_residual"] is None) == (name.split(",")[0] in ("efficient", "imvoxelnet", "detr3d", "points"))
    if recipe.model.encoder.held:  # It is in no checkpoint.
        assert not any(key.startswith("encoder.backbone") for key in trained.objective.weights_dict())


def test_packed_scenes_are_the_loose_ones(scenes, tmp_path, monkeypatch):
    monkeypatch.setenv("DATAGEN_CACHE", str(tmp_path))
    sections = {"model": {"encoder": HELD}}
    loose, packed = (
        open_split(scenes, "test", recipe_of(data={"pack": pack, "points": 32}, **sections)) for pack in (False, True)
    )
    for number in range(len(loose)):
        one, two = loose[number], packed[number]
        assert set(two) - set(one) == {"held"}
        for key in one:
            torch.testing.assert_close(one[key], two[key], equal_nan=True, rtol=1e-6, atol=1e-6)
    with torch.no_grad():
        encoder = make_objective(recipe_of(**sections)).model.encoder
        seen = encoder(one["pictures"])
        torch.testing.assert_close(encoder.reduce(two["held"]), seen, rtol=1e-2, atol=1e-2)


def test_changed_pixels_are_read_in_training_and_the_same_from_a_cache(scenes, tmp_path, monkeypatch):
    monkeypatch.setenv("DATAGEN_CACHE", str(tmp_path))
    told = {"model": {"head": "tokens"}, "loss": {"change": 1.0}}
    loose, packed = (
        open_split(scenes, "train", recipe, make_objective(recipe))
        for recipe in (recipe_of(data={"changed": True, "pack": pack}, **told) for pack in (False, True))
    )
    shown = 0
    for number in range(len(loose)):
        one, two = loose[number], packed[number]
        assert (one["changed"] == two["changed"]).all()
        odd = bool(one["label"].any())
        shown += int(one["changed"].any())
        assert odd or not one["changed"].any()
    assert shown
    assert "changed" not in open_split(scenes, "test", recipe_of(data={"changed": True}, **told))[0]


def test_tokens_are_taught_where_odd_objects_differ(scenes):
    recipe = recipe_of(model={"head": "tokens"}, data={"changed": True, "views": 5}, loss={"change": 1.0})
    data = open_split(scenes, "train", recipe, make_objective(recipe))
    batch = {name: torch.stack([data[n][name] for n in range(len(data))]) for name in data[0]}
    objects = objects_of(batch)
    grid = lattice(objects, 4, 0.05)
    target = changed_tokens(batch, grid)
    assert not target[batch["label"] < 0.5].any()
    odd = target[batch["label"] > 0.5]
    assert odd.any() and odd.float().mean() < 0.9
    said = torch.where(target, 4.0, -4.0)
    right = change_loss(ObjectLogits(batch["label"], said, None), batch, grid)
    wrong = change_loss(ObjectLogits(batch["label"], -said, None), batch, grid)
    assert right < 0.05 and wrong > 3.0
    nothing = torch.zeros_like(target)
    assert change_loss(ObjectLogits(batch["label"], said, nothing), batch, grid) == 0.0


@pytest.mark.parametrize("match", ["full", "sparse"])
def test_tokens_in_the_air_can_be_left_out(scenes, match):
    """As many tokens as any object has inside: the answers are those of all tokens."""
    shared = {"head": "tokens", "masked": True, "difference": True, "match": match, "k": 2, "roi": 8}
    answers = []
    for most in (None, 256):
        recipe = recipe_of(model=shared | {"most_tokens": most}, data={"views": 5})
        objective = make_objective(recipe).eval()
        data = open_split(scenes, "test", recipe)
        batch = {name: torch.stack([data[n][name] for n in range(len(data))]) for name in data[0]}
        model, objects = objective.model, objects_of(batch)
        with torch.no_grad():
            volume = model.build(views_of(batch, slice(None)), objects)
            judged = model.judge_tokens(volume, objects, batch["there"])
        counts = model.inside(volume, objects)[batch["there"]].sum(-1)
        assert counts.min() >= 2 and counts.max() <= 256
        answers.append(judged.objects[batch["there"]])
    assert judged.tokens.shape[-1] == 256
    # Tokens that are alike may be chosen for each other.
    torch.testing.assert_close(*answers, atol=1e-5 if match == "full" else 1e-3, rtol=1e-4)


def test_scenes_that_do_not_tell_what_changed_are_refused_by_name(scenes, tmp_path):
    folder = shutil.copytree(scenes, tmp_path / "scenes")
    for path in folder.glob("scenes/*/anomaly_masks"):
        shutil.rmtree(path)
    recipe = recipe_of(model={"head": "tokens"}, data={"changed": True}, loss={"change": 1.0})
    with pytest.raises(BrokenFile, match=r"anomaly_masks.*data\.changed asks for"):
        open_split(folder, "train", recipe, make_objective(recipe))[0]


def test_clouds_lie_in_their_boxes(scenes):
    data = open_split(scenes, "train", recipe_of(data={"points": 64}), make_objective(recipe_of()))
    item = data[2, 0]
    for n in range(int(item["there"].sum())):
        centre, size = item["boxes"][n]
        outside = ((item["clouds"][n] - centre).abs() > size / 2 + 0.02).any(-1)
        assert outside.float().mean() < 0.05


@pytest.mark.parametrize(
    ("override", "match"),
    [
        (["model.variant=points", "model.render=false", "loss.reconstruct=0"], "data.points"),
        (["model.variant=residual", "model.render=false", "loss.reconstruct=0"], "held"),
        (["loss.feature=1"], "teacher"),
        (["loss.feature=1", "teacher.name=mobilenetv2"], "file of its weights"),
        (["loss.feature=1", "teacher.name=mobilenetv2", "teacher.weights=random"], "data.pack"),
        (["loss.change=1", "data.changed=true"], "model.head tokens"),
        (["loss.change=1", "model.head=tokens"], "set both or none"),
        (["data.changed=true", "model.head=tokens"], "set both or none"),
        (["model.encoder.name=dinov2"], "give the file"),
        (["data.scale=[2,1]"], r"data\.scale.*is no span"),
        (["data.scale=[0,1]"], r"data\.scale.*is no span"),
        (["model.reach_m=[2,1]"], r"model\.reach_m.*is no span"),
        (["model.variant=detr3d"], "model.render to false"),
        (["model.encoder.stride=16"], "ends at stride"),
        (["model.variant=detr3d", "model.render=false", "model.masked=true"], "leave model.masked out"),
    ],
)
def test_what_does_not_go_together_is_refused(override, match):
    with pytest.raises(RecipeError, match=match) as told:
        load_train_recipe("oddoneout", overrides=override)
    assert "the keys are in docs/detector.md" in str(told.value)


def test_what_was_learned_by_heart_is_the_labels_and_not_the_place(scenes, tmp_path):
    """With the labels of the objects exchanged the same scenes are learned the other way round."""
    folder = shutil.copytree(scenes, tmp_path / "scenes")
    for path in folder.glob("scenes/*/scene3d.metadata.json"):
        table = json.loads(path.read_text())
        for thing in table["objects"]:
            thing["label"] = 1 - thing["label"]
            thing["path"] = "a-crack-001.obj" if thing["label"] else "a.obj"
        path.write_text(json.dumps(table))
    recipe = recipe_of(
        model={"match": "none", "blocks": 2},
        data={"views": 4, "yaw_deg": 0.0, "shift_m": 0.0, "flip": 0.0, "scale": (1.0, 1.0)},
        optim={"max_steps": 60, "lr": 3e-3, "schedule": "cosine", "warmup_steps": 10, "clip_norm": 1.0},
    )
    (tmp_path / "run").mkdir()
    train(tmp_path / "run", folder, recipe, CPU, lambda event: None)
    loaded = load_network(tmp_path / "run", CPU.device)
    assert evaluate(loaded, folder, "test", CPU, rounds=10).report["auc"] > 0.9
    assert evaluate(loaded, scenes, "test", CPU, rounds=10).report["auc"] < 0.1


@pytest.fixture(scope="module")
def trained_run(scenes, tmp_path_factory):
    run = tmp_path_factory.mktemp("judged") / "run"
    run.mkdir()
    train(run, scenes, recipe_of(data={"views": 4}), CPU, lambda event: None)
    return run


@pytest.mark.parametrize("form", ["scene", "transforms", "colmap"])
def test_photographs_with_poses_are_judged(scenes, trained_run, tmp_path, form):
    """The three tables of one scene give one answer; boxes by the hull of the masks hold the objects."""
    name = split_names(open_folder(scenes), "test")[0]
    source = scenes / "scenes" / name
    if form == "scene":
        folder = source
    else:
        folder = tmp_path / "photos"
        shutil.copytree(source / "RGB", folder / "images")
        shutil.copytree(source / "masks", folder / "masks")
        camera = json.loads((source / "scene3d.metadata.json").read_text())["camera"]
        K, poses = np.array(camera["K"]), [np.array(p["rotation"]) for p in camera["poses"]]
        size = round(2 * K[0, 2])
        if form == "transforms":
            flip = np.diag([1.0, -1, -1, 1])
            frames = [
                {"file_path": f"images/{k:04d}.png", "transform_matrix": (np.linalg.inv(T) @ flip).tolist()}
                for k, T in enumerate(poses)
            ]
            table = {"fl_x": K[0, 0], "fl_y": K[1, 1], "cx": K[0, 2], "cy": K[1, 2], "w": size, "h": size}
            (folder / "transforms.json").write_text(json.dumps(table | {"frames": frames}))
        else:
            from scipy.spatial.transform import Rotation

            (folder / "cameras.txt").write_text(f"1 PINHOLE {size} {size} {K[0, 0]} {K[1, 1]} {K[0, 2]} {K[1, 2]}\n")
            lines = []
            for k, T in enumerate(poses):
                x, y, z, w = Rotation.from_matrix(T[:3, :3]).as_quat()
                lines += [f"{k + 1} {w} {x} {y} {z} {' '.join(map(str, T[:3, 3]))} 1 {k:04d}.png", ""]
            (folder / "images.txt").write_text("\n".join(lines))
    found = predict_scene(trained_run, folder, device="cpu")
    reference = predict_scene(trained_run, source, device="cpu")
    told, wanted = found.to_json(), reference.to_json()
    assert told["boxes_by"] == "hull" and len(told["objects"]) == len(wanted["objects"]) >= 2
    for a, b in zip(told["objects"], wanted["objects"], strict=True):
        assert a["score"] == pytest.approx(b["score"], abs=1e-3)
        np.testing.assert_allclose(a["box"], b["box"], atol=0.011)
    assert found.picture.ndim == 3 and "objects" in found.lines()[0]
    assert len(told["objects"][0]["box_px"]) == 10


def test_what_cannot_be_judged_is_told(scenes, trained_run, tmp_path):
    with pytest.raises(UsageError, match="holds no poses"):
        predict_scene(trained_run, tmp_path, device="cpu")
    name = split_names(open_folder(scenes), "test")[0]
    folder = shutil.copytree(scenes / "scenes" / name, tmp_path / "bare")
    for gone in ("masks", "segmentations"):
        shutil.rmtree(folder / gone)
    with pytest.raises(UsageError, match=r"finds boxes by masks: put one a photo into masks/"):
        predict_scene(trained_run, folder, device="cpu")
    with pytest.raises(UsageError, match="judges no single photo; give --scene"):
        predict(trained_run, folder / "RGB" / "0000.png", folder, device="cpu")


def test_the_page_shows_scenes_boxes_and_correspondences(scenes, trained_run):
    loaded = load_network(trained_run, CPU.device)
    found = evaluate(loaded, scenes, "test", CPU, rounds=10)
    page = "".join(loaded.task.blocks(found, loaded))
    assert page.count("data:image/jpeg") >= 3 and "Correspondences" in page and "the hull of the masks" in page
    swept = loaded.task.sweep(loaded, scenes, "test", CPU)["views"]
    assert list(swept) == ["1", "3", "5", "10"] and all(0 <= value <= 1 for value in swept.values())


def test_boxes_of_the_published_form_alone_are_noted(scenes, trained_run, tmp_path):
    def as_published(table):
        for thing in table["objects"]:
            thing["bbox"] = thing.pop("bbox_published")
            del thing["bbox_world"]

    changed_scene(scenes, tmp_path / "scenes", as_published)
    loaded = load_network(trained_run, CPU.device)
    assert not any(thing.only_published for s in list_scenes(open_folder(scenes), "test") for thing in s.things)
    found = evaluate(loaded, tmp_path / "scenes", "test", CPU, rounds=10)
    assert found.report["notes"] == [ONLY_PUBLISHED]
    assert ONLY_PUBLISHED in render_page(found, loaded, tmp_path)


def test_boxes_of_both_forms_and_splits_by_count(scenes):
    files = open_folder(scenes)
    name = split_names(files, "test")[0]
    world, published = (read_scene(files, name, boxes=form) for form in ("world", "published"))
    assert [thing.box for thing in world.things] != [thing.box for thing in published.things]
    counts = json.loads((scenes / "split-count.json").read_text())
    assert split_names(files, next(iter(counts))) == next(iter(counts.values()))


def test_the_study_trains_judges_and_goes_on(scenes, tmp_path, monkeypatch):
    monkeypatch.setenv("DATAGEN_CACHE", str(tmp_path / "cache"))
    small = [
        *("model.dim=8", "model.encoder.width=8", "model.feature_dim=8", "model.roi=4", "model.k=4"),
        *("model.attention_dim=16", "model.heads=2", "model.blocks=1", "data.image_px=64", "data.views=3"),
        *("optim.max_steps=2", "optim.batch=2", "log.tensorboard=false"),
        "model.volume={around: objects, side: 8, widths: [8], down: [1], up: [], size: [24, 24, 8], voxel_m: 0.05}",
    ]
    made = arms(["A, alone", "last:oddoneout_small+loss.exact=0.1"], range(2), small)
    asked = Asked(scenes, ("test",), (1, 5))
    found = study(made, asked, tmp_path, CPU, 1, 10)
    again = study(made, asked, tmp_path, CPU, 1, 10)
    assert found == again
    told = found["test"]["A, alone"]
    assert len(told["auc"]["seeds"]) == 2 and set(told["per_views"]) == {"1", "5"}
    assert told["last_minus"]["value"] == pytest.approx(
        found["test"]["last"]["auc"]["value"] - told["auc"]["value"], abs=1e-9
    )
    text = table(found)
    assert "| A, alone |" in text and "| last, hull |" in text
    # An answer that was cut short is none, and scenes that change are asked for again.
    assert not [path for path in tmp_path.rglob("judged/*") if path.suffix not in (".npz", ".json")]


@pytest.mark.parametrize(
    ("names", "overrides", "match"),
    [
        (["nosuch"], [], "arm 'nosuch' is none of 'A, alone', 'B, all tokens'"),
        (["final"], ["fnal:model.k=3"], "no arm is called 'fnal'; those here are 'final'"),
        (["x:oddoneout_small", "x:oddoneout_study"], [], "arm 'x' is given more than once"),
    ],
)
def test_arms_that_are_not_there_are_refused(names, overrides, match):
    with pytest.raises(UsageError, match=match):
        arms(names, range(1), overrides)


@pytest.mark.parametrize(
    ("asked", "match"),
    [
        ({"splits": ("nosuch",)}, "no split nosuch"),
        ({"splits": ("test",), "views": (30,)}, "--views 30: a scene of test in"),
        ({"splits": ("test",), "swap": Path("nosuch")}, "--swap nosuch: no dataset"),
    ],
)
def test_a_study_is_refused_before_it_trains(scenes, tmp_path, asked, match):
    with pytest.raises((UsageError, BrokenFile), match=match):
        study(arms(["A, alone"], range(1), []), Asked(scenes, **asked), tmp_path, CPU, 1, 10)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("values", "match"),
    [
        (["model.match=none"], "match none compares nothing"),
        (["model.variant=efficient"], "variant efficient has no tokens"),
        (["loss.classify=0"], r"loss\.change is learned with loss\.classify"),
        (["model.masked=false"], "most_tokens keeps those inside of masks"),
    ],
)
def test_switches_that_nothing_would_heed_are_refused(values, match):
    with pytest.raises(RecipeError, match=match):
        load_train_recipe("oddoneout_study", overrides=values)


def test_costs_are_of_the_paper_variant(scenes):
    recipe = recipe_of(model={"variant": "detr3d"})
    with pytest.raises(UsageError, match="parts are measured of variant paper"):
        measured(recipe)


@pytest.mark.parametrize("head", ["flat", "tokens"])
def test_the_cost_of_a_step_is_measured_part_by_part(head):
    model = {"render": True, "render_px": 16, "samples": 8, "head": head}
    told = measured(recipe_of(model=model, loss={"reconstruct": 1.0}))
    assert {"encoder", "lifting", "3D network", "rendering", "attention, all blocks", "whole step, one scene"} <= set(
        told
    )
    assert all(value >= 0 for value in told.values())


def test_the_cost_of_a_step_whose_features_are_cached():
    model = {"head": "tokens", "masked": True, "most_tokens": 16, "difference": True}
    encoder = {"name": "mobilenetv2", "weights": "random", "stride": 8}
    recipe = recipe_of(model=model | {"encoder": encoder}, data={"pack": True, "changed": True}, loss={"change": 1.0})
    told = measured(recipe)
    assert {"unlikeness, of beta", "unlikeness, of what is lifted"} <= set(told)
    backbone = make_objective(recipe).model.encoder.backbone
    x = torch.rand(recipe.data.views, 3, 64, 64)
    assert told["encoder"] < timed(lambda: [backbone(x) for _ in range(3)])  # A projection alone.


def test_held_features_are_compared_by_what_they_find(scenes):
    """Controls are always there; what is no network is refused."""
    told = networks([])
    assert set(told) == {"colours", *(f"mobilenetv2, random weights, stride {s}" for s in (4, 8, 16))}
    at_one, at_eight = recalls(told["colours"], scenes, "test", 2, 1.0)
    assert 0 <= at_one <= at_eight <= 1
    with pytest.raises(UsageError, match="give NAME=FILE"):
        networks(["resnet=x"])


def changed_scene(scenes, folder, change):
    """A copy of the dataset whose first test scene has its table changed by a function; the scene's name."""
    shutil.copytree(scenes, folder)
    name = split_names(open_folder(folder), "test")[0]
    path = folder / "scenes" / name / "scene3d.metadata.json"
    table = json.loads(path.read_text())
    change(table)
    path.write_text(json.dumps(table))
    return name


def of_pose(change):
    def changed(table):
        pose = np.array(table["camera"]["poses"][2]["rotation"])
        change(pose)
        table["camera"]["poses"][2]["rotation"] = pose.tolist()

    return changed


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (of_pose(lambda T: T.__setitem__((0, 3), np.nan)), "the pose of view 2 is not finite"),
        (of_pose(lambda T: T.__setitem__(0, -T[0])), "the pose of view 2 is mirrored"),
        (of_pose(lambda T: T.__setitem__(slice(0, 3), 2 * T[:3])), "the pose of view 2 is no rotation and shift"),
        (of_pose(lambda T: T.fill(0)), "the pose of view 2 is no rotation and shift"),
        (lambda table: table["camera"]["poses"].pop(), "9 poses for 10 pictures"),
        (lambda table: table["camera"]["K"][0].__setitem__(0, 0.0), "the lens K is"),
        (lambda table: table["objects"][1].update(bbox_world=[[0, 0, 0.1], [0.1, 0, 0.1]]), "object 1 has the box"),
        (lambda table: table["objects"][1].update(bbox_world=[[0, 0, 90], [0.1, 0.1, 0.1]]), "no view shows object 1"),
        (lambda table: table["objects"][0].update(label=1 - table["objects"][0]["label"]), "its path says"),
    ],
)
def test_a_scene_that_cannot_be_right_is_named(scenes, tmp_path, change, match):
    name = changed_scene(scenes, tmp_path / "scenes", change)
    with pytest.raises(BrokenFile, match=f"{name}/scene3d.metadata.json: .*{match}"):
        open_split(tmp_path / "scenes", "test", recipe_of())


def test_a_lens_of_another_size_and_scenes_named_twice_are_refused(scenes, tmp_path):
    def doubled(table):
        table["camera"]["K"] = (2 * np.array(table["camera"]["K"])).tolist()

    name = changed_scene(scenes, tmp_path / "scenes", doubled)
    with pytest.raises(BrokenFile, match=f"{name}: the middle of its lens is .* is K of another size"):
        open_split(tmp_path / "scenes", "test", recipe_of())[0]
    split = json.loads((scenes / "split.json").read_text())
    (tmp_path / "scenes" / "split.json").write_text(json.dumps(split | {"test": [name, *split["test"]]}))
    with pytest.raises(BrokenFile, match=f"split test names {name} twice"):
        open_split(tmp_path / "scenes", "test", recipe_of())


def test_a_shape_validates_wherever_there_are_two(scenes, tmp_path):
    folder = shutil.copytree(scenes, tmp_path / "scenes")
    names = split_names(open_folder(folder), "train")
    shapes = {name: name.split("-")[0] for name in names}
    two = sorted(set(shapes.values()))[:2]
    for kept in (two, two[:1]):
        told = [name for name in names if shapes[name] in kept]
        (folder / "split.json").write_text(json.dumps({"train": told, "test": names}))
        if len(kept) == 2:
            train_shapes, val_shapes = (
                {sample.shape for sample in list_scenes(open_folder(folder), split)} for split in ("train", "val")
            )
            assert train_shapes and val_shapes and not train_shapes & val_shapes
            assert train_shapes | val_shapes == set(two)
        else:
            with pytest.raises(BrokenFile, match="split val is of one shape; a second one has to validate"):
                list_scenes(open_folder(folder), "val")


def test_scenes_of_a_number_of_objects_are_trained_on_alone(scenes, tmp_path):
    folder = shutil.copytree(scenes, tmp_path / "scenes")
    files = open_folder(folder)
    every = split_names(files, "train")
    kept, left = every[:2], every[2:]
    (folder / "split-count.json").write_text(json.dumps({"train-3-7": kept, "train-8-12": []}))
    recipe = recipe_of(data={"within": "train-3-7"})
    for split, names in (("train", kept), ("val", kept), ("test", every)):
        assert [sample.name for sample in open_split(folder, split, recipe).samples] == sorted(names)
    (folder / "split.json").write_text(json.dumps({"train": left, "val": every}))
    with pytest.raises(BrokenFile, match=r"no scene of train is in split train-3-7 \(data\.within\)"):
        open_split(folder, "train", recipe)
    assert recipe_of().hash == recipe_of(data={"within": ""}).hash != recipe.hash


def test_a_cache_is_packed_anew_when_a_picture_changes(scenes, tmp_path, monkeypatch):
    monkeypatch.setenv("DATAGEN_CACHE", str(tmp_path / "cache"))
    folder = shutil.copytree(scenes, tmp_path / "scenes")
    recipe = recipe_of(data={"pack": True})
    before = open_split(folder, "test", recipe)
    picture = folder / "scenes" / before.samples[0].name / "RGB" / "0000.png"
    Image.fromarray(np.full((96, 96, 3), 7, np.uint8)).save(picture)
    after = open_split(folder, "test", recipe)
    assert not torch.equal(before[0]["pictures"], after[0]["pictures"])
    assert torch.equal(before[1]["pictures"], after[1]["pictures"])


def test_caches_are_shared_and_made_anew_when_what_they_hold_changes(scenes, tmp_path, monkeypatch):
    """Networks that need more than pictures pack what is more; depth and changed pixels count where they are read."""
    monkeypatch.setenv("DATAGEN_CACHE", str(tmp_path / "cache"))
    folder = shutil.copytree(scenes, tmp_path / "scenes")

    def packed(points=0, changed=False):
        more = {"model": {"head": "tokens"}, "loss": {"change": 1.0}} if changed else {}
        recipe = recipe_of(data={"pack": True, "points": points, "changed": changed}, **more)
        found = open_split(folder, "train", recipe, make_objective(recipe))
        return {path.name for path in (tmp_path / "cache" / "packed").iterdir() if path.is_dir()}, found.source.folders

    first, plain = packed()
    second, taught = packed(changed=True)
    third, clouds = packed(points=8)
    assert plain[0] == taught[0] == clouds[0] and [len(second - first), len(third - second)] == [1, 1]
    assert packed(points=8) == (third, clouds) and packed(changed=True)[1] == taught
    name = list_scenes(open_folder(folder), "train")[0].name
    for part, how in (("depth_exr", {"points": 8}), ("anomaly_masks", {"changed": True})):
        path = min((folder / "scenes" / name / part).iterdir())
        os.utime(path, ns=(1, 1))
        assert packed(**how)[1][0] == plain[0]
        assert packed(**how)[1][1] not in {taught[1], clouds[1]}


def test_scenes_of_16_bits_are_scaled_and_what_is_transparent_is_white(scenes, tmp_path):
    folder = shutil.copytree(scenes, tmp_path / "scenes")
    name = list_scenes(open_folder(folder), "test")[0].name
    Image.fromarray(np.full((96, 96), 0x4040, np.uint16)).save(folder / "scenes" / name / "RGB" / "0000.png")
    Image.fromarray(np.zeros((96, 96, 4), np.uint8)).save(folder / "scenes" / name / "RGB" / "0003.png")
    data = open_split(folder, "test", recipe_of())
    views = data.views_of(0, data.samples[0])
    pictures = (data[0]["pictures"] + 1) * 127.5
    assert views[:2] == [0, 3]
    torch.testing.assert_close(pictures[0], torch.full_like(pictures[0], 0x40))
    torch.testing.assert_close(pictures[1], torch.full_like(pictures[1], 255))


@pytest.mark.parametrize("small", [{"voxel_m": 0.001}, {"low_m": (-0.8, -0.8, -0.4)}])
def test_objects_outside_of_the_volume_are_named(scenes, small):
    recipe = recipe_of(model={"variant": "imvoxelnet", "volume": {**FLOOR, **small}})
    with pytest.raises(UsageError, match=r"object \d is at .* m, outside of the network's volume \(x .*model\.volume"):
        open_split(scenes, "test", recipe)
    open_split(scenes, "test", recipe_of(model={"variant": "imvoxelnet", "volume": FLOOR}))
    open_split(scenes, "test", recipe_of(model={"volume": {**VOLUME, "voxel_m": 0.001}}))


def test_the_residual_of_scenes_without_a_patch_is_nothing():
    model = make_objective(recipe_of(**VARIANTS["residual"])).model
    views = Views(torch.zeros(1, 2, 3, 64, 64), torch.eye(3)[None], torch.eye(4).expand(1, 2, 4, 4))
    boxes = Boxes(torch.zeros(1, 3, 3), torch.ones(1, 3, 3))
    nothing = torch.zeros(1, 2, 64, 64, dtype=torch.bool)
    assert model.score(views, nothing, boxes, torch.ones(1, 3, dtype=torch.bool)).tolist() == [[0.0] * 3]


@pytest.fixture
def photos(scenes, tmp_path):
    name = split_names(open_folder(scenes), "test")[0]
    return shutil.copytree(scenes / "scenes" / name, tmp_path / "photos")


def test_masks_that_cannot_be_used_are_told(trained_run, photos):
    whole = {path: np.asarray(Image.open(path).convert("L")) for path in sorted((photos / "masks").iterdir())}
    for change, match in (
        (lambda mask: mask * 0, "the masks are black in all photos"),
        (lambda mask: 255 - mask, r"masks cover \d\d% of the pictures; white has to be on objects"),
    ):
        for path, mask in whole.items():
            Image.fromarray(change(mask)).save(path)
        with pytest.raises(UsageError, match=match):
            predict_scene(trained_run, photos, device="cpu")
    shutil.rmtree(photos / "segmentations")
    next(iter(whole)).unlink()
    with pytest.raises(UsageError, match=r"0000\.png has no mask, and 9 of 10 photos have one"):
        predict_scene(trained_run, photos, device="cpu")


def test_few_photos_and_several_tables_are_noted(trained_run, photos):
    (photos / "transforms.json").write_text("{}")
    notes = predict_scene(trained_run, photos, views=2, device="cpu").notes
    assert notes[0] == "poses are those of scene3d.metadata.json; transforms.json is there too"
    assert "unsure with 2 of 3 photographs" in notes[1]


def test_where_nothing_is_found_the_volume_is_told(trained_run, photos):
    path = photos / "scene3d.metadata.json"
    table = json.loads(path.read_text())
    for pose in table["camera"]["poses"]:
        T = np.array(pose["rotation"])
        T[:3, 3] = 100 * T[:3, 3]
        pose["rotation"] = T.tolist()
    path.write_text(json.dumps(table))
    with pytest.raises(UsageError, match=r"no object was found by hull in the network's volume \(x -1\.92 to 1\.92"):
        predict_scene(trained_run, photos, device="cpu")


def test_an_evaluation_names_its_data_split_and_overrides(scenes, trained_run, tmp_path):
    """On the data that it was trained on its files have plain names; on others, or with --set, names of their own."""
    run = shutil.copytree(trained_run, tmp_path / "run")
    open_run(run, scenes, recipe_of(data={"views": 4}), 1, resume=True)
    other = shutil.copytree(scenes, tmp_path / "other scenes")
    names = split_names(open_folder(scenes), "test")
    (other / "split.json").write_text(json.dumps({"train": names, "unseen-test": names}))
    run_evaluate(EvaluateOptions(run, scenes, device="cpu"))
    run_evaluate(EvaluateOptions(run, other, device="cpu", overrides=["data.protocol=1"]))
    (plain, own) = sorted((path.stem for path in run.glob("evaluation-*.json")), key=len)
    assert plain == "evaluation-test" and own.startswith("evaluation-unseen-test-other_scenes-set-")
    report, page = json.loads((run / f"{own}.json").read_text()), (run / f"{own}.html").read_text()
    assert (report["split"], report["data"], report["overrides"]) == ("unseen-test", str(other), ["data.protocol=1"])
    assert str(other) in page and "data.protocol=1" in page
    rows = list(csv.DictReader((run / "scores-test.csv").open()))
    things = [(s.name, n, thing) for s in list_scenes(open_folder(scenes), "test") for n, thing in enumerate(s.things)]
    assert [(row["scene"], int(row["object"]), row["kind"]) for row in rows] == [(s, n, t.kind) for s, n, t in things]
    assert [int(row["label"]) for row in rows] == [t.label for _, _, t in things]
    assert all(0 <= float(row["score"]) <= 1 for row in rows)
    assert (run / f"{own.replace('evaluation', 'scores')}.csv").is_file()


def test_weights_of_another_network_are_told_by_what_differs(scenes, trained_run, tmp_path):
    other = recipe_of(model={"variant": "detr3d", "volume": FLOOR, "queries": 10})
    with pytest.raises(BadCheckpoint, match=r'of another model\.variant \(asked for "detr3d", there "paper"\); --init'):
        train(tmp_path, scenes, other, CPU, lambda event: None, init=trained_run)
    with pytest.raises(
        BadCheckpoint, match=r"of another model\.feature_dim \(asked for 16, there 8\); leave model"
    ) as error:
        load_network(trained_run, CPU.device, ["model.feature_dim=16"])
    assert "Missing key" not in str(error.value)
