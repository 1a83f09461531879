"""What training minimises, and PSNR and SSIM of metrics.py in torch."""
import torch
from torch.nn import functional as F

import metrics

FLOOR = 1.0  # HU; an error below does not matter
OUTSIDE = 0.03  # weight of squared errors where the reference is outside the window, lung and bone; air has a tenth
STRUCTURE = 2.0  # of 1 - SSIM, against the logarithm of the RMSE
BIAS = 0.02  # of the squared mean error of a tissue, in units of BIAS_UNIT
BIAS_UNIT = 2.0  # HU
BIAS_PIXELS = 400  # pixels; a tissue with fewer hardly counts
SSIM_SIDE = 7


def clip(hu):
    return hu.clamp(*metrics.WINDOW)


def sums(maps, side):
    """Of each side x side pixels of [..., rows, columns]: [..., rows - side + 1, columns - side + 1].

    Shifted maps are added, rows and then columns: on a CPU many times as fast as F.avg_pool2d of one channel.
    """
    rows, columns = (length - side + 1 for length in maps.shape[-2:])
    down = maps[..., :rows, :].clone()
    for row in range(1, side):
        down += maps[..., row : row + rows, :]
    across = down[..., :columns].clone()
    for column in range(1, side):
        across += down[..., column : column + columns]
    return across


class Sums(torch.autograd.Function):
    """`sums` with a gradient, which is `sums` too: recorded step by step it would be a map as large as the image for each shift."""

    @staticmethod
    def forward(context, maps, side):
        context.side = side
        return sums(maps, side)

    @staticmethod
    def backward(context, gradient):
        return sums(F.pad(gradient, (context.side - 1,) * 4), context.side), None


def ssim_map(a, b):
    """SSIM [n, 1, rows - 6, columns - 6] of images [n, 1, rows, columns] that are clipped, as scikit-image has it."""
    n = SSIM_SIDE**2
    window = lambda image: Sums.apply(image, SSIM_SIDE) / n  # noqa: E731
    a, b = a / metrics.RANGE, b / metrics.RANGE
    ma, mb = window(a), window(b)
    sample = n / (n - 1)
    va, vb = sample * (window(a * a) - ma * ma), sample * (window(b * b) - mb * mb)
    covariance = sample * (window(a * b) - ma * mb)
    c1, c2 = 0.01**2, 0.03**2
    return (2 * ma * mb + c1) * (2 * covariance + c2) / ((ma * ma + mb * mb + c1) * (va + vb + c2))


def most_around(inside):
    """Whether most pixels around each one are inside, as metrics.tissue looks at it."""
    around = F.pad(inside.float(), (metrics.AROUND // 2,) * 4, mode="replicate")
    return sums(around, metrics.AROUND) > metrics.AROUND**2 / 2


def psnr(image, clean):
    """[n] dB"""
    return 10 * torch.log10(metrics.RANGE**2 / ((clip(image) - clip(clean)) ** 2).mean((1, 2, 3)))


def ssim(image, clean):
    return ssim_map(clip(image), clip(clean)).mean((1, 2, 3))


def loss_of(output, clean, weight, taught, structure_weight=STRUCTURE, bias_weight=BIAS):
    """Mean over samples of log RMSE + structure_weight (1 - SSIM) + bias_weight times the bias of tissues.

    The logarithm is what the mean of PSNR over slices looks at: a slice with little noise counts as much as a noisy
    one. output, clean: HU, weight: 0 or 1 for pixels that count, taught: HU, what better networks make of it, or clean,
    all [n, 1, rows, columns]. The RMSE is against the mean of taught and clean.
    """
    goal = (clean + taught) / 2
    pixels = weight.sum((1, 2, 3)).clamp(min=1)
    inside = (clip(output) - clip(goal)) ** 2
    window = (clean > metrics.WINDOW[0]) & (clean < metrics.WINDOW[1])
    outside = torch.where(window, 0.0, torch.where(clean < -950, OUTSIDE / 10, OUTSIDE))
    error = output - clean
    squares = (weight * (inside + outside * (output - goal) ** 2)).sum((1, 2, 3)) / pixels
    loss = (squares + FLOOR**2).log() / 2
    cut = SSIM_SIDE // 2
    inner = weight[..., cut:-cut, cut:-cut]
    similarity = (inner * ssim_map(clip(output), clip(clean))).sum((1, 2, 3)) / inner.sum((1, 2, 3)).clamp(min=1)
    loss = loss + structure_weight * (1 - similarity)
    for least, most in metrics.TISSUES.values():
        tissue = weight * (most_around(clean >= least) & most_around(clean <= most))
        bias = (tissue * error).sum((1, 2, 3)) / (tissue.sum((1, 2, 3)) + BIAS_PIXELS)
        loss = loss + bias_weight * F.huber_loss(bias / BIAS_UNIT, torch.zeros_like(bias), reduction="none", delta=4.0)
    return loss.mean()
