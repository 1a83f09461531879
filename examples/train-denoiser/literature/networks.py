"""Networks of the literature, HU to HU, to show what import takes. Widths are parameters: tests use small ones.

DnCNN: Zhang et al., IEEE TIP 2017. FFDNet: Zhang et al., IEEE TIP 2018, here without its noise map. U-Net: Ronneberger
et al., MICCAI 2015. RED-CNN: Chen et al., IEEE TMI 2017. A filter bank is a linear layer of many kernels and one that
puts their answers together.
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


NETWORKS = {
    "dncnn": (DnCnn, dict(channels=16, depth=6)),
    "ffdnet": (FfdNet, dict(channels=16, depth=5)),
    "unet": (UNet, dict(channels=8, levels=2)),
    "redcnn": (RedCnn, dict(channels=8)),
    "filter-bank": (FilterBank, dict(filters=8, size=7)),
}
FULL = {
    "dncnn": dict(channels=64, depth=17),
    "ffdnet": dict(channels=64, depth=15),
    "unet": dict(channels=32, levels=3),
    "redcnn": dict(channels=96),
    "filter-bank": dict(filters=32, size=15),
}
