"""How strong the noise is around each block of a slice: a small network, which the client runs as its weights are public.

A mean of absolute detail takes edges, vessels and lung for noise, most of all where there is little of it. So three bands
of detail, and what is left of them without narrow structures, go through two convolutions, a mean over the surroundings
and a function of each block. There is no bias anywhere: twice the contrast and twice the noise are twice the level.
"""
import functools
import pathlib

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

WEIGHTS = pathlib.Path(__file__).resolve().parent / "noise_level.npz"
BLOCK = 4  # pixels, side
WINDOW = 15  # blocks, of the mean over the surroundings
OPENING = 5  # blocks
CLIP = 100.0  # HU; detail beyond it is an edge
SOFT_TISSUE = (-300.0, 400.0)  # HU; what lies outside is cut off, so that lung, bone and air are flat
BANDS = 3
SEEN = 2 * BANDS
WIDTHS = (16, 12)  # of the convolutions over blocks
HIDDEN = 16  # of the function of each block
LEAST = 0.5  # HU; a level below does not matter


def mean(image, rows, columns, stride=1):
    """Of the pixels around each, or around every so many; beyond the edge of the image its last ones go on."""
    margins = (columns // 2, columns // 2, rows // 2, rows // 2)
    return F.avg_pool2d(F.pad(image, margins, mode="replicate"), (rows, columns), stride)


def bands(hu):
    """Mean absolute detail of each block, HU: [batch, BANDS, rows / 4, columns / 4], of images [batch, 1, rows, columns].

    What a mean over 3x3 pixels takes away, what one over 7x7 takes away beyond that, and the finest in both directions at
    once (Immerkaer, "Fast Noise Variance Estimation", 1996), in which straight edges vanish.
    """
    low, high = SOFT_TISSUE
    image = hu.clamp(low, high)
    fine, coarse = mean(image, 3, 3), mean(image, 7, 7)
    across = image - mean(image, 1, 3)
    both = across - mean(across, 3, 1)
    return F.avg_pool2d(torch.cat([image - fine, fine - coarse, both], 1).abs().clamp(max=CLIP), BLOCK)


def least_near(maps, window):
    """The least of window x window blocks around each."""
    return -F.max_pool2d(-maps, window, 1, window // 2)


def opened(maps):
    """The least within OPENING x OPENING blocks, and of that the most: without edges, vessels and lung.

    What is narrower than the window goes, and noise, which is everywhere, stays but for a factor.
    """
    return F.max_pool2d(least_near(maps, OPENING), OPENING, 1, OPENING // 2)


def around(maps, stride=1):
    """Mean of the surroundings of each block, or of every so many."""
    return mean(maps, WINDOW, WINDOW, stride)


class PublicConvolution(nn.Conv2d):
    """A convolution without bias, zero padding, whose weights are no secret; the export marks it so."""

    def __init__(self, inputs, outputs, side):
        super().__init__(inputs, outputs, side, padding=side // 2, bias=False)
        nn.init.kaiming_normal_(self.weight)


class NoiseLevel(nn.Module):
    """Level of the noise of images [batch, 1, rows, columns], HU: [batch, 1, rows / 4, columns / 4].

    The mean absolute detail of noise in the two bands of model.detail together; train_noise_level.py, `wanted`.
    """

    def __init__(self):
        super().__init__()
        first, second = WIDTHS
        self.convolutions = nn.ModuleList([PublicConvolution(SEEN, first, 3), PublicConvolution(first, second, 3)])
        self.function = nn.ModuleList(
            [PublicConvolution(second + SEEN, HIDDEN, 1), PublicConvolution(HIDDEN, HIDDEN, 1), PublicConvolution(HIDDEN, 1, 1)]
        )
        nn.init.uniform_(self.function[-1].weight, 0, 0.2)

    def of_bands(self, maps, stride=1):
        """The level from `bands`, of every block or every so many."""
        seen = torch.cat([maps, opened(maps)], 1)
        h = seen
        for convolution in self.convolutions:
            h = F.relu(convolution(h))
        h = around(torch.cat([h, seen], 1), stride)
        for convolution in self.function:
            h = F.relu(convolution(h))
        return h

    def forward(self, hu):
        return self.of_bands(bands(hu))


@functools.cache
def trained():
    """The network with the weights of WEIGHTS."""
    network = NoiseLevel()
    with np.load(WEIGHTS) as weights:
        network.load_state_dict({name: torch.from_numpy(weights[name]) for name in weights.files})
    return network.eval().requires_grad_(False)
