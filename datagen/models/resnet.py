"""ResNet-18 and -50 (He et al. 2016) with the usual parameter names, trained from scratch or from a file's weights."""

import torch
from torch import Tensor, nn

WIDER = 4
"""How much wider a bottleneck ends than it is inside."""


class BasicBlock(nn.Module):
    """Two 3 x 3 convolutions with batch norm, and a shortcut."""

    def __init__(self, channels_in: int, channels: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.downsample: nn.Module = nn.Identity()
        if stride != 1 or channels_in != channels:
            shortcut = nn.Conv2d(channels_in, channels, 1, stride, bias=False)
            self.downsample = nn.Sequential(shortcut, nn.BatchNorm2d(channels))

    def forward(self, x_BCHW: Tensor) -> Tensor:
        y = torch.relu(self.bn1(self.conv1(x_BCHW)))
        return torch.relu(self.bn2(self.conv2(y)) + self.downsample(x_BCHW))


class Bottleneck(nn.Module):
    """1 x 1, 3 x 3 and 1 x 1 convolutions with batch norm, and a shortcut; four times as wide at its end."""

    def __init__(self, channels_in: int, channels: int, stride: int) -> None:
        super().__init__()
        wide = WIDER * channels
        self.conv1 = nn.Conv2d(channels_in, channels, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.conv3 = nn.Conv2d(channels, wide, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(wide)
        self.downsample: nn.Module = nn.Identity()
        if stride != 1 or channels_in != wide:
            shortcut = nn.Conv2d(channels_in, wide, 1, stride, bias=False)
            self.downsample = nn.Sequential(shortcut, nn.BatchNorm2d(wide))

    def forward(self, x_BCHW: Tensor) -> Tensor:
        y = torch.relu(self.bn1(self.conv1(x_BCHW)))
        y = torch.relu(self.bn2(self.conv2(y)))
        return torch.relu(self.bn3(self.conv3(y)) + self.downsample(x_BCHW))


DEPTHS: dict[int, tuple[type[BasicBlock] | type[Bottleneck], tuple[int, ...]]] = {
    18: (BasicBlock, (2, 2, 2, 2)),
    50: (Bottleneck, (3, 4, 6, 3)),
}
"""Kind and number of the blocks of each stage."""


class ResNet(nn.Module):
    """Images (B, 3, H, W) to stage outputs C2..C5 at strides 4, 8, 16, 32.

    Channels are `width` times 1, 2, 4, 8; of depth 50 four times as many.
    """

    def __init__(self, width: int = 64, depth: int = 18) -> None:
        super().__init__()
        block, repeats = DEPTHS[depth]
        self.channels = [width * 2**level * (WIDER if block is Bottleneck else 1) for level in range(4)]
        self.conv1 = nn.Conv2d(3, width, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        previous = width
        for number, (channels, count) in enumerate(zip(self.channels, repeats, strict=True), start=1):
            inner, stride = width * 2 ** (number - 1), 1 if number == 1 else 2
            blocks = [block(previous, inner, stride), *(block(channels, inner, 1) for _ in range(count - 1))]
            self.add_module(f"layer{number}", nn.Sequential(*blocks))
            previous = channels
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x_BCHW: Tensor) -> list[Tensor]:
        x = self.maxpool(torch.relu(self.bn1(self.conv1(x_BCHW))))
        stages = []
        for number in range(1, 5):
            x = self.get_submodule(f"layer{number}")(x)
            stages.append(x)
        return stages
