"""`variant: published` computes what the published implementation computes (shared/samples/cmt_parity)."""

import json
from functools import lru_cache

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from datagen.models.encoder import flat_patches  # noqa: E402
from datagen.models.losses import detection_losses  # noqa: E402
from datagen.models.position import fourier_code  # noqa: E402
from datagen.models.published import foreground, load_published  # noqa: E402
from tests.models import parity  # noqa: E402
from tests.models.parity import case, expected, model, scalars, selection  # noqa: E402

pytestmark = pytest.mark.skipif(
    not parity.FOLDER.is_dir(), reason="shared/samples/cmt_parity is not beside the checkout"
)


F32 = 6e-5
"""Largest difference of what fifty layers in float32 give: kernels of one CPU and another differ by 1.2e-5."""


def close(found, name, tolerance):
    difference = np.abs(found.detach().numpy().reshape(expected()[name].shape) - expected()[name]).max()
    assert difference <= tolerance, f"{name}: {difference}"


def answers(output, name, tolerance=1e-4):
    close(output.logit_B, f"{name}_logit", tolerance)
    close(output.box_B4, f"{name}_box", tolerance)


@pytest.fixture(scope="module")
def network():
    return model()


@pytest.fixture(scope="module")
def encoding(network):
    """Features of query and views of a case, computed once."""

    @lru_cache
    def of(name):
        with torch.no_grad():
            return network.encode(*case(name)[:2])

    return of


@pytest.fixture(scope="module")
def encoded(encoding):
    return encoding("A")


def test_the_weights_are_the_fixtures():
    checks = json.loads((parity.FOLDER / "fill_check.json").read_text())
    for part, state in parity.checkpoint().items():
        for name, tensor in state.items():
            first, total, norm = checks[f"{part}.{name}"]
            values = tensor.double().flatten()
            assert np.allclose(values[:3], first, rtol=1e-6, atol=1e-9), (part, name)
            assert np.isclose(float(values.sum()), total, rtol=1e-6, atol=1e-6), (part, name)
            assert np.isclose(float(values.norm()), norm, rtol=1e-6), (part, name)


def test_a_network_of_ours_has_every_live_entry(network):
    for part, state in parity.checkpoint().items():
        live = {name for name in state if not parity.dead(part, name)}
        assert live == set(network.get_submodule(part).state_dict()), part


def test_encoder_and_masks(network, encoded):
    query, views, _ = case("A")
    f_query, f_views = encoded
    f = torch.cat([f_views.flatten(0, 1), f_query])
    close(f[:, :, ::4, ::4], "A_f_s4", F32)
    close(f_query[0], "A_f_query0", F32)
    images = torch.cat([views.flatten(0, 1), query])
    close(foreground(images), "A_softmask", 0)
    with torch.no_grad():
        close(network.projector(f)[:, :, ::4, ::4], "A_proj_s4", F32)


def test_affinity_and_position_tokens(network, encoded):
    query, views, xyz = case("A")
    f_query, f_views = encoded
    z_query = network.projected(f_query, query)
    z_views = network.projected(f_views.flatten(0, 1), views.flatten(0, 1)).unflatten(0, (2, 3)).flatten(1, 2)
    rows = torch.from_numpy(expected()["A_rows"].astype(np.int64))
    affinity = torch.stack([z_query[b, rows[b]] @ z_views[b].T for b in range(2)])
    close(affinity, "A_aff_rows", F32)
    with torch.no_grad():
        tokens = network.attention_decoder.map_to_pos_enc(fourier_code(xyz.flatten(1, 2), 10))
    close(tokens[:, ::16], "A_pos_s16", F32)


def states_of(network, encoded, chosen):
    """Decoder states after proj_in and after each block, (B, 1025, 512)."""
    kept = []
    transformer = network.attention_decoder.crossatten
    modules = [transformer.proj_in, *transformer.transformer_blocks, transformer.proj_out]
    hooks = [module.register_forward_hook(lambda _m, _i, o: kept.append(o)) for module in modules]
    f_query, f_views = encoded
    context = f_views.flatten(3).transpose(2, 3).flatten(1, 2)
    try:
        with torch.no_grad():
            output = network.attention_decoder(flat_patches(f_query), context, case("A")[2].flatten(1, 2), chosen)
    finally:
        for hook in hooks:
            hook.remove()
    return kept, output


def test_case_A_with_the_injected_selection(network, encoded):
    kept, output = states_of(network, encoded, selection("A"))
    rows = torch.from_numpy(expected()["A_state_rows"].astype(np.int64))
    for name, state in zip(("proj_in", "blk0", "blk1", "blk2"), kept[:-1], strict=True):
        close(torch.stack([state[b, rows[b]] for b in range(2)]), f"A_{name}", F32)
    close(kept[-1][:, 0], "A_out_token", F32)
    answers(output, "A")


def test_case_B_dense(network, encoded):
    kept, output = states_of(network, encoded, None)
    for number in range(3):
        close(kept[1 + number][:, 0], f"B_blk{number}_token", F32)
    answers(output, "B")


@pytest.mark.parametrize("name", ["L", "D", "C"])
def test_end_to_end(network, encoding, monkeypatch, name):
    query, views, xyz = case(name)
    found = encoding("A" if name == "L" else name)
    monkeypatch.setattr(network, "encode", lambda *images: found)
    with torch.no_grad():
        answers(network(query, views, xyz), name)


@pytest.mark.parametrize("name", ["L", "D", "C"])
def test_the_selection_is_the_published_one_where_it_is_clear(network, encoding, name):
    query, views, _ = case(name)
    with torch.no_grad():
        chosen = network.choose(*encoding("A" if name == "L" else name), query, views)
    gap = expected()["A_gap" if name == "L" else f"{name}_gap"]
    clear = np.ones_like(gap, dtype=bool) if name == "L" else gap > 1e-5
    same = (chosen == selection(name)).all(dim=-1).numpy()
    # Case L: every row, ties included, but for rows that rounding may flip.
    assert same[clear & (gap > 1e-5)].all()
    assert same[clear].mean() > 0.98


LABEL, BOX = torch.tensor([0.0, 1.0]), torch.tensor([[0.0, 0, 0, 0], [0.6, 0.7, 0.2, 0.3]])


def losses_of(network, chosen):
    losses = detection_losses(network(*case("A"), chosen_BQk=chosen), LABEL, BOX)
    return losses, losses["bce"] + 5 * losses["box_l1"] + 2 * losses["box_giou"]


@pytest.mark.parametrize("name", ["G", "T"])
def test_losses_and_gradients(name):
    network = model().train(name == "T")
    chosen = selection("A" if name == "G" else "T")
    losses, total = losses_of(network, chosen)
    wanted = scalars()[name]
    keys = {"bce": "bceloss", "box_l1": "loss_bbox", "box_giou": "loss_giou"}
    for ours, theirs in keys.items():
        assert abs(float(losses[ours].detach()) - wanted[theirs]) <= 1e-5, ours
    assert abs(float(total.detach()) - wanted["loss"]) <= 1e-5
    total.backward()
    gradient = network.encoder.backbone.conv1.weight.grad
    largest = np.abs(expected()[f"{name}_grad_conv1"]).max()
    # Float32 alone: the fixture lies 2e-6 (training mode 4e-4) of the largest entry from the same sum in float64, and
    # one CPU's kernels 2e-5 (2e-3) from another's.
    close(gradient, f"{name}_grad_conv1", largest * (1e-4 if name == "G" else 6e-3))
    close(network.attention_decoder.token.weight.grad, f"{name}_grad_token", 1e-4)
    assert all(p.grad is None for p in network.projector.parameters())
    if name == "T":
        bn1 = network.encoder.backbone.bn1
        close(bn1.running_mean, "T_bn1_running_mean", 1e-5)
        close(bn1.running_var, "T_bn1_running_var", 1e-5)
        assert int(bn1.num_batches_tracked) == scalars()["T_nbt"]


def test_checkpoints_of_ddp_and_old_torchvision_load():
    old = {
        part: {
            "module."
            + (name.replace(".0.weight", ".weight").replace(".0.bias", ".bias") if "fpn." in name else name): t
            for name, t in state.items()
        }
        for part, state in parity.checkpoint().items()
    }
    assert "module.fpn.inner_blocks.0.weight" in old["encoder"]
    ours = load_published(old).state_dict()
    for name, tensor in model().state_dict().items():
        assert torch.equal(tensor, ours[name]), name


def test_an_incomplete_checkpoint_is_refused():
    state = {part: dict(entries) for part, entries in parity.checkpoint().items()}
    del state["encoder"]["backbone.conv1.weight"]
    with pytest.raises(RuntimeError, match=r"backbone\.conv1\.weight"):
        load_published(state)
