"""ResNet-18 (He et al. 2016) with the usual parameter names, trained from scratch."""

import torch
from torch import Tensor, nn


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


class ResNet18(nn.Module):
    """Images (B, 3, H, W) to stage outputs C2..C5 at strides 4, 8, 16, 32.

    Channels are `width` times 1, 2, 4, 8.
    """

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        self.channels = [width, 2 * width, 4 * width, 8 * width]
        self.conv1 = nn.Conv2d(3, width, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        previous = width
        for number, channels in enumerate(self.channels, start=1):
            stride = 1 if number == 1 else 2
            blocks = nn.Sequential(BasicBlock(previous, channels, stride), BasicBlock(channels, channels, 1))
            self.add_module(f"layer{number}", blocks)
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
