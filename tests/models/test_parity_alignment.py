"""The published alignment loss: cases V, Vmix, Vtrain of the parity fixture; its slip (Vshuf) is not ours."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from datagen.models.published_alignment import (  # noqa: E402
    Pairs,
    alignment_logits,
    branch,
    make_pairs,
    pseudo_pixels,
    published_alignment_loss,
)
from tests.models import parity  # noqa: E402
from tests.models.parity import expected, images, inputs, model, scalars  # noqa: E402

pytestmark = pytest.mark.skipif(
    not parity.FOLDER.is_dir(), reason="shared/samples/cmt_parity is not beside the checkout"
)


def arrays():
    data = inputs()
    pictures = [images(data[f"V_{name}_u8"]) for name in ("v1", "v2", "c")]
    return *pictures, *(torch.from_numpy(data[f"V_pxy_{view}"].astype(np.float32)) for view in ("v1", "v2"))


def close(found, name, tolerance):
    difference = np.abs(found.detach().numpy() - expected()[name]).max()
    assert difference <= tolerance, f"{name}: {difference}"


def permuted(pairs: Pairs, order) -> Pairs:
    return Pairs(pairs.query_image[order], pairs.key_image[order], pairs.query_px[order], pairs.key_px[order])


@pytest.fixture(scope="module")
def evaluated():
    network = model()
    return network, make_pairs(network, *arrays())


def test_pseudo_pixels(evaluated):
    v1, _, again, px1, _ = arrays()
    close(pseudo_pixels(evaluated[0], v1[:2], again[:2], px1[:2]), "V_pseudo_px", 0)


def test_case_V(evaluated):
    network, pairs = evaluated
    close(alignment_logits(network, pairs), "V_logits", 1e-4)
    with torch.no_grad():
        q = branch(network.encoder, network.projector, pairs.query_image, pairs.query_px)
        k = branch(network.encoder_ema, network.projector_ema, pairs.key_image, pairs.key_px)
    close(q[::4], "V_q_s4", 1e-5)
    close(k[::4], "V_k_s4", 1e-5)


def test_case_Vmix(evaluated):
    network, pairs = evaluated
    mixed = permuted(pairs, torch.tensor([2, 0, 3, 1]))
    with torch.no_grad():
        logits = alignment_logits(network, mixed)
        loss = published_alignment_loss(network, mixed)
    close(logits, "Vmix_logits", 1e-4)
    assert abs(float(loss) - scalars()["Vmix"]["closs"]) <= 1e-5


@pytest.mark.parametrize("name", ["V", "Vtrain"])
def test_loss_gradient_and_key_update(name):
    network = model().train(name == "Vtrain")
    pairs = make_pairs(network, *arrays())
    loss = published_alignment_loss(network, pairs)
    assert abs(float(loss.detach()) - scalars()[name]["closs"]) <= 1e-5
    loss.backward()
    wanted = expected()[f"{name}_grad_conv1"]
    # The fixture lies 3.5e-5 (training mode 6e-3) of the largest entry from the same sum in float64.
    share = 2e-4 if name == "V" else 0.03
    close(network.encoder.backbone.conv1.weight.grad, f"{name}_grad_conv1", share * np.abs(wanted).max())
    network.update_keys(0.999)
    close(network.encoder_ema.backbone.conv1.weight, f"{name}_ema_conv1_after", 1e-6)
    if name == "Vtrain":
        close(network.encoder.backbone.bn1.running_mean, "Vtrain_bn1_running_mean", 1e-5)
        close(network.encoder_ema.backbone.bn1.running_mean, "Vtrain_ema_bn1_running_mean", 1e-5)
        counts = [int(e.backbone.bn1.num_batches_tracked) for e in (network.encoder, network.encoder_ema)]
        assert counts == scalars()["Vtrain_nbt"]


def test_the_masks_are_of_the_right_item(evaluated):
    """The published loss takes key masks from a shuffled batch: with that shuffle it differs, ours does not."""
    network, pairs = evaluated
    with torch.no_grad():
        ours = float(published_alignment_loss(network, pairs))
    assert abs(ours - scalars()["V"]["closs"]) <= 1e-5
    assert abs(ours - scalars()["Vshuf"]["closs"]) > 1
