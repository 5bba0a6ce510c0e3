"""DINOv2 from a weights file in the published layout: small random weights against the network written out."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import save_file

from datagen.core.errors import MissingDependency
from datagen.core.shape import Mesh
from datagen.geometry.descriptor import VIEWS, directions, shaded
from datagen.kinds.oddoneout.descriptors import open_descriptor, weights_digest
from datagen.kinds.registry import make_plan
from datagen.models.dinov2 import MEAN, STD, image_features, load_dinov2
from datagen.recipe.scenes import SceneRecipe, SimilarRecipe
from datagen.shapes.collections import open_collection

DIM, DEPTH, GRID, PATCH = 128, 2, 3, 14


def weights(registers=0, seed=0):
    """Keys and shapes of torch hub's dinov2_vits14, smaller."""
    shapes = {
        "cls_token": (1, 1, DIM),
        "mask_token": (1, DIM),
        "pos_embed": (1, 1 + GRID**2, DIM),
        "patch_embed.proj.weight": (DIM, 3, PATCH, PATCH),
        "patch_embed.proj.bias": (DIM,),
        "norm.weight": (DIM,),
        "norm.bias": (DIM,),
    }
    if registers:
        shapes["register_tokens"] = (1, registers, DIM)
    for k in range(DEPTH):
        wide = {
            "attn.qkv": (3 * DIM, DIM),
            "attn.proj": (DIM, DIM),
            "mlp.fc1": (4 * DIM, DIM),
            "mlp.fc2": (DIM, 4 * DIM),
        }
        for name, shape in wide.items():
            shapes |= {f"blocks.{k}.{name}.weight": shape, f"blocks.{k}.{name}.bias": shape[:1]}
        for name in ("norm1", "norm2"):
            shapes |= {f"blocks.{k}.{name}.weight": (DIM,), f"blocks.{k}.{name}.bias": (DIM,)}
        shapes |= {f"blocks.{k}.{name}.gamma": (DIM,) for name in ("ls1", "ls2")}
    generator = torch.Generator().manual_seed(seed)
    return {name: 0.2 * torch.randn(shape, generator=generator) for name, shape in shapes.items()}


def written_out(state, grey):
    """Class tokens of pictures (N, S, S) at the size of the position table, from the state dict alone."""

    def linear(x, name):
        return F.linear(x, state[f"{name}.weight"], state[f"{name}.bias"])

    def norm(x, name):
        return F.layer_norm(x, (DIM,), state[f"{name}.weight"], state[f"{name}.bias"], 1e-6)

    mean, std = (torch.tensor(v)[:, None, None] for v in (MEAN, STD))
    x = (torch.from_numpy(grey).float()[:, None] - mean) / std
    x = F.conv2d(x, state["patch_embed.proj.weight"], state["patch_embed.proj.bias"], stride=PATCH)
    x = torch.cat([state["cls_token"].expand(len(x), -1, -1), x.flatten(2).transpose(1, 2)], dim=1) + state["pos_embed"]
    if "register_tokens" in state:
        x = torch.cat([x[:, :1], state["register_tokens"].expand(len(x), -1, -1), x[:, 1:]], dim=1)
    for k in range(DEPTH):
        at = f"blocks.{k}"
        qkv = linear(norm(x, f"{at}.norm1"), f"{at}.attn.qkv").unflatten(-1, (3, DIM // 64, 64))
        q, key, v = qkv.permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(q, key, v).transpose(1, 2).flatten(2)
        x = x + state[f"{at}.ls1.gamma"] * linear(mixed, f"{at}.attn.proj")
        hidden = F.gelu(linear(norm(x, f"{at}.norm2"), f"{at}.mlp.fc1"))
        x = x + state[f"{at}.ls2.gamma"] * linear(hidden, f"{at}.mlp.fc2")
    return norm(x, "norm")[:, 0].numpy()


@pytest.mark.parametrize("registers", [0, 4])
@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_features_are_those_of_the_published_network(tmp_path, registers, suffix):
    state, path = weights(registers), tmp_path / f"dinov2{suffix}"
    torch.save(state, path) if suffix == ".pth" else save_file(state, path)
    model = load_dinov2(path)
    grey = np.random.default_rng(1).random((2, GRID * PATCH, GRID * PATCH))
    np.testing.assert_allclose(image_features(model, grey), written_out(state, grey), atol=1e-4)
    # At another size the position table is resampled: the features move a little and stay features of the picture.
    large = image_features(model, np.kron(grey, np.ones((1, 2, 2))))
    assert large.shape == (2, DIM) and 0 < np.abs(large - written_out(state, grey)).max() < 10


@pytest.mark.parametrize("damage", ["no file of tensors", "a missing key", "another layout", "a wrong shape"])
def test_a_wrong_file_is_named(tmp_path, damage):
    path, state = tmp_path / "wrong.pth", weights()
    if damage == "a missing key":
        del state["blocks.1.attn.qkv.weight"]
    if damage == "a wrong shape":
        state["norm.weight"] = torch.zeros(5)
    torch.save({"model": state} if damage == "another layout" else state, path)
    if damage == "no file of tensors":
        path.write_bytes(b"<html>404</html>")
    with pytest.raises(MissingDependency, match=rf"wrong\.pth.*{'dinov2_vits14_pretrain'}"):
        load_dinov2(path)


def test_the_descriptor_tells_shapes_apart_and_is_kept(tmp_path):
    torch.save(weights(), tmp_path / "w.pth")
    toys = open_collection("toys")
    descriptor = open_descriptor(SimilarRecipe(weights=str(tmp_path / "w.pth")), tmp_path / "features")
    meshes = {name: [p.mesh for p in toys.load(name).parts] for name in ("mug_001", "car_001")}
    found = {name: descriptor(name, lambda parts=parts: parts) for name, parts in meshes.items()}
    for vector in found.values():
        assert vector.shape == (VIEWS * DIM,) and np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)
    assert float(found["mug_001"] @ found["car_001"]) < 0.999
    kept = sorted((tmp_path / "features").rglob("*.npy"))
    assert len(kept) == 2
    np.save(kept[0], np.full(VIEWS * DIM, 7.0))
    again = [descriptor(name, lambda: pytest.fail("what is kept is not computed again")) for name in meshes]
    assert sorted(vector[0] == 7 for vector in again) == [False, True]


def test_pictures_show_the_shape_upright():
    corners = np.array([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0], [0, 0, 2.0]])
    pyramid = Mesh(corners, np.array([[0, 2, 1], [0, 3, 2], [0, 1, 4], [1, 2, 4], [2, 3, 4], [3, 0, 4]]))
    pictures = shaded([pyramid], 64)
    assert pictures.shape == (VIEWS, 64, 64) and pictures.min() >= 0 and (pictures[:, 0, 0] == 1).all()
    level = np.abs(directions()[:, 2]) < 0.4
    widths = (pictures[level] < 1).sum(axis=2)
    assert level.sum() == 4 and (widths[:, :32].sum(axis=1) < 0.6 * widths[:, 32:].sum(axis=1)).all()


def test_the_weights_enter_every_job_by_content(tmp_path):
    def plan(weights):
        return make_plan(SceneRecipe.model_validate({"anomaly": {"similar": {"weights": weights}}}), toys, 2)

    toys, path = open_collection("toys"), tmp_path / "w.pth"
    with pytest.raises(MissingDependency, match=r"w\.pth: No such file.*clear the key"):
        plan(str(path)).run_record()
    ids = set()
    for seed in (0, 1):
        torch.save(weights(seed=seed), path)
        weights_digest.cache_clear()
        ids |= {job.job_id for job in plan(str(path)).jobs()}
    assert len(ids) == 4 and plan(str(path)).run_record()["weights"] == weights_digest(str(path))
    assert "weights" not in plan("").run_record()


def test_without_torch_the_next_step_is_named(tmp_path, monkeypatch):
    (tmp_path / "w.pth").write_bytes(b"x")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingDependency, match=r"torch and kornia and safetensors are not here; pip install"):
        open_descriptor(SimilarRecipe(weights=str(tmp_path / "w.pth")), tmp_path)
