"""Networks of the literature, HU to HU, to show what import takes. Widths are parameters: tests use small ones.

DnCNN: Zhang et al., IEEE TIP 2017. FFDNet: Zhang et al., IEEE TIP 2018, here without its noise map. U-Net: Ronneberger
et al., MICCAI 2015. RED-CNN: Chen et al., IEEE TMI 2017. NAFNet: Chen et al., ECCV 2022. RCAN: Zhang et al., ECCV 2018,
here as a denoiser. A filter bank is a linear layer of many kernels and one that puts their answers together.
"""
import torch
from torch import nn
from torch.nn import functional as F

LOW, RANGE = -1024.0, 4096.0  # HU


class Normalised(nn.Module):
    """A network on 0..1 as one on HU."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, hu):
        return self.network((hu - LOW) / RANGE) * RANGE + LOW


class DnCnn(nn.Module):
    def __init__(self, channels=64, depth=17):
        super().__init__()
        layers = [nn.Conv2d(1, channels, 3, padding=1), nn.ReLU(True)]
        for _ in range(depth - 2):
            layers += [nn.Conv2d(channels, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels), nn.ReLU(True)]
        self.layers = nn.Sequential(*layers, nn.Conv2d(channels, 1, 3, padding=1))

    def forward(self, x):
        return x - self.layers(x)


class FfdNet(nn.Module):
    def __init__(self, channels=64, depth=15):
        super().__init__()
        layers = [nn.Conv2d(4, channels, 3, padding=1), nn.ReLU(True)]
        for _ in range(depth - 2):
            layers += [nn.Conv2d(channels, channels, 3, padding=1), nn.BatchNorm2d(channels), nn.ReLU(True)]
        self.layers = nn.Sequential(*layers, nn.Conv2d(channels, 4, 3, padding=1))

    def forward(self, x):
        return F.pixel_shuffle(self.layers(F.pixel_unshuffle(x, 2)), 2)


class Double(nn.Sequential):
    def __init__(self, before, after):
        super().__init__(
            nn.Conv2d(before, after, 3, padding=1), nn.BatchNorm2d(after), nn.ReLU(True),
            nn.Conv2d(after, after, 3, padding=1), nn.BatchNorm2d(after), nn.ReLU(True),
        )


class UNet(nn.Module):
    def __init__(self, channels=64, levels=4):
        super().__init__()
        widths = [channels * 2**level for level in range(levels + 1)]
        self.down = nn.ModuleList(Double(a, b) for a, b in zip([1] + widths, widths))
        self.up = nn.ModuleList(nn.ConvTranspose2d(b, a, 2, stride=2) for a, b in zip(widths, widths[1:]))
        self.after = nn.ModuleList(Double(2 * width, width) for width in widths[:-1])
        self.last = nn.Conv2d(channels, 1, 1)

    def forward(self, x):
        h, skips = self.down[0](x), []
        for double in self.down[1:]:
            skips.append(h)
            h = double(F.max_pool2d(h, 2))
        for up, after, skip in reversed(list(zip(self.up, self.after, skips))):
            h = after(torch.cat([skip, up(h)], 1))
        return x + self.last(h)


class RedCnn(nn.Module):
    def __init__(self, channels=96):
        super().__init__()
        self.conv = nn.ModuleList(nn.Conv2d(1 if i == 0 else channels, channels, 5) for i in range(5))
        self.deconv = nn.ModuleList(nn.ConvTranspose2d(channels, 1 if i == 4 else channels, 5) for i in range(5))

    def forward(self, x):
        h, skips = x, []
        for i, conv in enumerate(self.conv):
            if i in (0, 2, 4):
                skips.append(h)
            h = F.relu(conv(h))
        for i, deconv in enumerate(self.deconv):
            h = deconv(h)
            if i in (0, 2, 4):
                h = h + skips.pop()
            h = F.relu(h)
        return h


class FilterBank(nn.Module):
    def __init__(self, filters=16, size=9):
        super().__init__()
        self.analyse = nn.Conv2d(1, filters, size, padding=size // 2, bias=False)
        self.join = nn.Conv2d(filters, 1, size, padding=size // 2)

    def forward(self, x):
        return self.join(self.analyse(x))


class ChannelNorm(nn.Module):
    """Normalisation over the channels of each pixel."""

    def __init__(self, channels, epsilon=1e-6):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1, channels, 1, 1))
        self.bias = nn.Parameter(torch.zeros(1, channels, 1, 1))
        self.epsilon = epsilon

    def forward(self, x):
        mean = x.mean(1, keepdim=True)
        variance = (x - mean).pow(2).mean(1, keepdim=True)
        return self.weight * (x - mean) / (variance + self.epsilon).sqrt() + self.bias


def gate(x):
    a, b = x.chunk(2, dim=1)
    return a * b


class NafBlock(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.norms = nn.ModuleList(ChannelNorm(channels) for _ in range(2))
        self.widen = nn.ModuleList(nn.Conv2d(channels, 2 * channels, 1) for _ in range(2))
        self.depthwise = nn.Conv2d(2 * channels, 2 * channels, 3, padding=1, groups=2 * channels)
        self.attention = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(channels, channels, 1))
        self.join = nn.ModuleList(nn.Conv2d(channels, channels, 1) for _ in range(2))
        self.shares = nn.ParameterList(nn.Parameter(torch.full((1, channels, 1, 1), 0.3)) for _ in range(2))

    def forward(self, x):
        h = gate(self.depthwise(self.widen[0](self.norms[0](x))))
        x = x + self.shares[0] * self.join[0](h * self.attention(h))
        return x + self.shares[1] * self.join[1](gate(self.widen[1](self.norms[1](x))))


class NafNet(nn.Module):
    def __init__(self, channels=32, blocks=(1, 1, 1, 28)):
        super().__init__()
        widths = [channels * 2**level for level in range(len(blocks))]
        stage = lambda width, count: nn.Sequential(*(NafBlock(width) for _ in range(count)))  # noqa: E731
        self.first, self.last = nn.Conv2d(1, channels, 3, padding=1), nn.Conv2d(channels, 1, 3, padding=1)
        self.encoders = nn.ModuleList(stage(width, count) for width, count in zip(widths, blocks[:-1]))
        self.down = nn.ModuleList(nn.Conv2d(width, 2 * width, 2, stride=2) for width in widths[:-1])
        self.middle = stage(widths[-1], blocks[-1])
        self.up = nn.ModuleList(
            nn.Sequential(nn.Conv2d(2 * width, 4 * width, 1, bias=False), nn.PixelShuffle(2)) for width in widths[:-1]
        )
        self.decoders = nn.ModuleList(stage(width, 1) for width in widths[:-1])

    def forward(self, x):
        h, skips = self.first(x), []
        for encoder, down in zip(self.encoders, self.down):
            h = encoder(h)
            skips.append(h)
            h = down(h)
        h = self.middle(h)
        for up, decoder, skip in reversed(list(zip(self.up, self.decoders, skips))):
            h = decoder(up(h) + skip)
        return x + self.last(h)


class AttentionBlock(nn.Module):
    def __init__(self, channels, reduction):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1), nn.ReLU(True), nn.Conv2d(channels, channels, 3, padding=1)
        )
        self.attention = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Conv2d(channels, channels // reduction, 1), nn.ReLU(True),
            nn.Conv2d(channels // reduction, channels, 1), nn.Sigmoid(),
        )

    def forward(self, x):
        h = self.body(x)
        return x + h * self.attention(h)


class Rcan(nn.Module):
    def __init__(self, channels=64, groups=10, blocks=20, reduction=16):
        super().__init__()
        convolution = lambda before, after: nn.Conv2d(before, after, 3, padding=1)  # noqa: E731
        self.first, self.last = convolution(1, channels), convolution(channels, 1)
        self.groups = nn.ModuleList(
            nn.Sequential(*(AttentionBlock(channels, reduction) for _ in range(blocks)), convolution(channels, channels))
            for _ in range(groups)
        )
        self.join = convolution(channels, channels)

    def forward(self, x):
        first = h = self.first(x)
        for group in self.groups:
            h = h + group(h)
        return x + self.last(first + self.join(h))


NETWORKS = {
    "dncnn": (DnCnn, dict(channels=16, depth=6)),
    "ffdnet": (FfdNet, dict(channels=16, depth=5)),
    "unet": (UNet, dict(channels=8, levels=2)),
    "redcnn": (RedCnn, dict(channels=8)),
    "filter-bank": (FilterBank, dict(filters=8, size=7)),
    "nafnet": (NafNet, dict(channels=8, blocks=(1, 1))),
    "rcan": (Rcan, dict(channels=8, groups=1, blocks=2, reduction=2)),
}
FULL = {
    "dncnn": dict(channels=64, depth=17),
    "ffdnet": dict(channels=64, depth=15),
    "unet": dict(channels=32, levels=3),
    "redcnn": dict(channels=96),
    "filter-bank": dict(filters=32, size=15),
    "nafnet": dict(channels=32, blocks=(1, 1, 1, 28)),
    "rcan": dict(channels=64, groups=10, blocks=20, reduction=16),
}
