"""The two networks. Both map HU to HU: x - residual(x), with the image unshuffled by 4 into 16 channels."""
import torch
from torch import nn
from torch.nn import functional as F

FACTOR = 4  # pixel unshuffle: one channel per position in a 4x4 block
CHANNELS = FACTOR * FACTOR
HU_SCALE = 500.0  # HU per unit inside the network
LEAK = 1 / 8  # slope of the leaky ReLU below zero; a power of two is exact in integers


class Denoiser(nn.Module):
    """Convolutions of one odd kernel size between `widths`, with leaky ReLU in between.

    limit: no pixel is changed by more than this, HU; None for no limit.

    Zero padding, so beyond the image's edge everything is 0, that is water. forward: float HU
    [batch, 1, rows, columns], both multiples of 4, in -1024..3071; returns the same shape in HU.
    """

    def __init__(self, widths, kernel, limit=None):
        super().__init__()
        self.widths, self.kernel, self.limit = tuple(widths), kernel, limit
        self.convolutions = nn.ModuleList(
            nn.Conv2d(before, after, kernel, padding=kernel // 2) for before, after in zip(widths, widths[1:])
        )
        # Start almost as the identity. A large random residual is unlearned by killing the layers before it.
        nn.init.normal_(self.convolutions[-1].weight, std=1e-3)
        nn.init.zeros_(self.convolutions[-1].bias)

    def residual(self, hu):
        h = F.pixel_unshuffle(hu / HU_SCALE, FACTOR)
        for convolution in self.convolutions[:-1]:
            h = F.leaky_relu(convolution(h), LEAK)
        residual = F.pixel_shuffle(self.convolutions[-1](h), FACTOR) * HU_SCALE
        return residual if self.limit is None else residual.clamp(-self.limit, self.limit)

    def forward(self, hu):
        return hu - self.residual(hu)


ARCHITECTURES = {
    "linear": {"widths": (CHANNELS, CHANNELS), "kernel": 9, "limit": 24.0},
    "interactive": {"widths": (CHANNELS, 32, 32, CHANNELS), "kernel": 5},
}


def build(name):
    return Denoiser(**ARCHITECTURES[name])


def load(checkpoint):
    """The network of a checkpoint file of train.py or fit_linear.py, and the checkpoint itself."""
    saved = torch.load(checkpoint, map_location="cpu")
    network = build(saved["name"])
    network.load_state_dict(saved["weights"])
    return network.eval(), saved
