"""Held networks: sizes told by the file, order of tensors, what is refused, and that none of them is trained."""

import pytest

torch = pytest.importorskip("torch")

from datagen.core.errors import MissingDependency  # noqa: E402
from datagen.models.backbones import InvertedResiduals, _random_shapes, load_backbone  # noqa: E402
from datagen.models.detector.config import EncoderConfig  # noqa: E402
from datagen.models.detector.encoders import PyramidEncoder, frozen_backbone, make_encoder  # noqa: E402
from datagen.models.resnet import ResNet  # noqa: E402


@pytest.fixture(scope="module")
def whole():
    """A MobileNetV2 with statistics of its own, and its tensors under the names of its usual file."""
    torch.manual_seed(3)
    network = InvertedResiduals(_random_shapes(), 32, same=False).eval()
    for name, value in network.state_dict().items():
        if name.endswith(("running_mean", "bias")):
            value.normal_(0, 0.2)
        elif name.endswith("running_var"):
            value.uniform_(0.5, 2)
    values = [v for k, v in network.state_dict().items() if "num_batches" not in k]
    state = {f"features.0.{n}": value for n, value in enumerate(values)}
    state["features.18.0.weight"] = torch.zeros(1280, 320, 1, 1)
    state["classifier.1.weight"] = torch.zeros(1000, 1280)
    return network, state


def test_a_file_gives_the_network_it_was_saved_from(whole, tmp_path):
    network, state = whole
    path = tmp_path / "weights.pth"
    torch.save(state, path)
    x = torch.rand(2, 3, 64, 64) * 2 - 1
    with pytest.raises(MissingDependency, match="keeps no order"):
        load_backbone("efficientnet_lite", "weights.safetensors")
    found = load_backbone("mobilenetv2", str(path), 32)
    mean, std = (torch.tensor(v)[:, None, None] for v in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    with torch.no_grad():
        torch.testing.assert_close(found(x), network(((x + 1) / 2 - mean) / std))
    assert found.channels == 320 and not list(found.parameters()) and not found.state_dict()


@pytest.mark.parametrize(("stride", "channels"), [(4, 24), (8, 32), (16, 96)])
def test_features_end_at_the_stride_asked_for(stride, channels):
    for name in ("mobilenetv2", "efficientnet_lite"):
        found = load_backbone(name, "random", stride)
        assert found(torch.zeros(1, 3, 96, 96)).shape == (1, channels, 96 // stride, 96 // stride)
    assert torch.equal(*(load_backbone("mobilenetv2", "random", 8)(torch.ones(1, 3, 64, 64)) for _ in range(2)))


def test_dinov2_has_a_feature_a_patch():
    found = load_backbone("dinov2", "random")
    assert found(torch.rand(1, 3, 96, 96)).shape == (1, 64, 6, 6)


@pytest.mark.parametrize("what", ["nothing", "text", "other", "list"])
def test_a_file_of_something_else_is_named(whole, tmp_path, what):
    path = tmp_path / "weights.pth"
    if what == "text":
        path.write_text("no weights")
    elif what == "other":
        torch.save({"a.weight": torch.zeros(8, 3, 3, 3), "b.weight": torch.zeros(4, 5, 5, 5)}, path)
    elif what == "list":
        torch.save([1, 2], path)
    with pytest.raises(MissingDependency, match=r"weights\.pth"):
        load_backbone("mobilenetv2", str(path))


def test_a_resnet_begins_with_a_file_s_weights(tmp_path):
    torch.manual_seed(1)
    source = ResNet(8, 50)
    torch.save(source.state_dict() | {"fc.weight": torch.zeros(10, 256)}, tmp_path / "r50.pth")
    config = EncoderConfig(name="resnet50", width=8, weights=str(tmp_path / "r50.pth"))
    made = PyramidEncoder(config, 16)
    assert torch.equal(made.backbone.layer3[5].conv2.weight, source.layer3[5].conv2.weight)
    assert made(torch.zeros(1, 3, 64, 64)).shape == (1, 16, 16, 16)
    with pytest.raises(MissingDependency, match="ResNet"):
        PyramidEncoder(EncoderConfig(name="resnet18", width=8, weights=str(tmp_path / "r50.pth")), 16)


def test_encoders_by_name():
    assert frozen_backbone(EncoderConfig(name="resnet18")) is None
    for name, stride, side in (("resnet18", 8, 8), ("mobilenetv2", 8, 8), ("colour", 4, 16), ("dinov2", 4, 4)):
        weights = "random" if name in ("mobilenetv2", "dinov2") else ""
        encoder = make_encoder(EncoderConfig(name=name, width=8, stride=stride, weights=weights), 12)
        f = encoder(torch.rand(1, 3, 64, 64))
        assert f.shape == (1, 12, side, side)
        f.sum().backward()
        assert all(p.grad is not None for p in encoder.parameters() if p.requires_grad)
    with pytest.raises(ValueError, match="give the file"):
        EncoderConfig(name="mobilenetv2")
