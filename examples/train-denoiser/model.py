"""The networks. All map HU to HU: x - residual(x), with the image unshuffled by 4 into 16 channels."""
import torch
from torch import nn
from torch.nn import functional as F

import noise_level
from non_local_means import Settings, non_local_means

FACTOR = 4  # pixel unshuffle: one channel per position in a 4x4 block
CHANNELS = FACTOR * FACTOR
HU_SCALE = 500.0  # HU per unit inside the network
LEAK = 1 / 8  # slope of the leaky ReLU below zero; a power of two is exact in integers
NOISE_MAPS = 2
NOISE_CLIP = 0.2  # of HU_SCALE: detail beyond it is an edge
NOISE_WINDOW = 15  # blocks of FACTOR x FACTOR pixels
FLOOR_WINDOW = 7  # blocks
FILTER = Settings(search=11, patch=5, strength=2.0)
DEVIATION = 0.85  # of FILTER, for the level of the noise
AGAIN = Settings(search=21, patch=3, strength=1.25)  # of looked_again
AGAIN_DEVIATION = 0.6  # of AGAIN, for the level of the noise: patches of what is denoised differ by less
AGAIN_SHARE = 0.45
AGAIN_TAKEN = 0.8  # of what it removes, unless a network says otherwise; the rest was there at full dose too, as far as one can know
HU = (-1024, 3071)
LEAST_DEVIATION = 1.5  # HU; the filter in integers does not tell less from it
NOISE_GAIN = 4  # brings the maps to the size of the image's channels
SQUEEZE = (-250, 350)  # HU; see squeezed
CONTEXT = 2  # pixels; the network sees what the filter left in means of so many by so many
REMOVED = 250  # HU; of what the filter took away, the network sees this much
LOUD = 25.0  # HU of noise_floor; beyond it more than half of what the filter removed goes, see taken
LOUDNESS = 1.0  # so many times what lies beyond
VERY_LOUD = 24.0  # HU of noise_floor; beyond it a part of the residual is spared, see spared
SPARED = 3 / 16  # of it, unless a network says otherwise
SPARED_WITHIN = 2.0  # times what lies beyond


def detail(image, unit=1.0):
    """Mean absolute detail of each block, in a fine and a coarse band, clipped at edges: [batch, 2, rows / 4, columns / 4].

    In the unit of the image. unit: of the image [batch, 1, rows, columns], per HU_SCALE.
    """
    fine = F.avg_pool2d(image, 3, 1, 1)
    coarse = F.avg_pool2d(image, 7, 1, 3)
    bands = torch.cat([image - fine, fine - coarse], 1)
    return F.avg_pool2d(bands.abs().clamp(max=NOISE_CLIP * unit), FACTOR, FACTOR)


def noise_maps(bands):
    """How noisy the surroundings of each block are: the mean of `detail` around it.

    Whoever owns the image computes them before the first layer, so they cost two channels and no round. FFDNet (Zhang
    et al., 2018) takes such a map from the user.
    """
    return F.avg_pool2d(bands, NOISE_WINDOW, 1, NOISE_WINDOW // 2)


def noise_floor(bands):
    """The least sum of `detail` near each block, [batch, 1, rows / 4, columns / 4].

    Noise is everywhere and edges are not: next to an edge without noise this is 0, where the mean would be large.
    """
    return noise_level.least_near(bands[:, :1] + bands[:, 1:], FLOOR_WINDOW)


def squeezed(image, unit=1.0):
    """The image with a quarter of its contrast outside SQUEEZE: lung, bone and air stay, their edges are softer.

    Less for a layer to carry, so fewer bits for its accumulators. unit: as in detail.
    """
    low, high = (end / HU_SCALE * unit for end in SQUEEZE)
    return 0.75 * image.clamp(low, high) + 0.25 * image


def deviation(level, share=DEVIATION):
    """Standard deviation of the noise at each pixel, as far as `non_local_means` needs to know it, from noise_level.py's."""
    return F.interpolate((share * level).clamp(min=LEAST_DEVIATION), scale_factor=FACTOR)


def alike_means(hu, sigma, settings, guide):
    """Images [batch, 1, size, size], HU, after non_local_means."""
    arrays = ([image[0].cpu().numpy() for image in images] for images in (hu, sigma, guide))
    means = [non_local_means(image, noise, settings, like) for image, noise, like in zip(*arrays)]
    return torch.stack([torch.from_numpy(image) for image in means])[:, None].to(hu)


def filtered(hu):
    """What the networks begin with: images [batch, 1, size, size], HU, after non_local_means."""
    return alike_means(hu, deviation(noise_level.trained()(hu)), FILTER, hu)


def looked_again(hu, residual, limit, taken, means):
    """The residual after a second look: a part of it is what the mean of pixels alike in the *denoised* image says.

    Their noise is no longer in the way of the comparison; what is averaged are pixels of the image itself, so what the
    network took for noise can come back. taken: part of what it removes; means: function of (image, guide), HU. As the
    second step of BM3D (Dabov et al., 2007) does it with its first estimate.
    """
    again = taken * (hu - means(hu, (hu - residual).clamp(*HU)))
    return held((1 - AGAIN_SHARE) * residual + AGAIN_SHARE * again, limit)


def held(residual, limit):
    """residual within +-limit, which is not negative; as a client can do it, with ReLUs of one value.

    In this form, where a ReLU's range in integers is too short, what lies far beyond the limit is still cut off.
    """
    below = F.relu(limit - residual)  # limit - min(residual, limit)
    return F.relu(2 * limit - below) - limit


def limited(residual, limit):
    """held, but the gradient passes as if there were no limit.

    With its own gradient, what lies beyond the limit would never be learned to come back.
    """
    with torch.no_grad():
        inside = held(residual, limit)
    return residual + (inside - residual.detach())


def limit_of(bands, reach, most, unit=1.0):
    """Most that a pixel of each block may change: `reach` times its noise_floor, and not more than `most` HU, if given."""
    limit = reach * noise_floor(bands)
    return limit if most is None else limit.clamp(max=most / HU_SCALE * unit)


def taken(removed, bands, unit=1.0):
    """What goes in any case of `removed` by the filter: half, and of the other half so much as the noise is strong.

    In strong noise the filter alone is better than a mean of both, in little noise it is worse; a network of few
    convolutions does not multiply, so it is not left to it. unit: as in detail.
    """
    half = 0.5 * removed
    more = F.relu(LOUDNESS * (noise_floor(bands) - LOUD / HU_SCALE * unit))
    return half + held(half, F.interpolate(more, scale_factor=FACTOR))


def spared(residual, bands, share, unit=1.0):
    """What goes of the residual in the end: less of it where the noise is very strong.

    So strong, a part of the noise was there at full dose too, and it is as much like the other part as can be. Who takes all
    of it makes the picture smoother than that of full dose is. share: the part of it that stays. unit: as in detail.
    """
    beyond = F.relu(SPARED_WITHIN * (noise_floor(bands) - VERY_LOUD / HU_SCALE * unit))
    return residual - share * held(residual, F.interpolate(beyond, scale_factor=FACTOR))


def onto(maps, factor):
    """Maps of blocks of FACTOR x FACTOR pixels as maps of blocks of factor x factor."""
    if factor == FACTOR:
        return maps
    return F.interpolate(maps, scale_factor=FACTOR // factor) if factor < FACTOR else F.avg_pool2d(maps, factor // FACTOR)


def activated(h, leak, square):
    """(Leaky) ReLU, or the square h^2 / 4 + h / 2."""
    if square:
        return h * h * 0.25 + h * 0.5
    return F.leaky_relu(h, leak) if leak else F.relu(h)


def same(before, after, kernel, bias=True):
    """A convolution with odd kernel (rows, columns) and zero padding that keeps the size."""
    return nn.Conv2d(before, after, tuple(kernel), padding=tuple(side // 2 for side in kernel), bias=bias)


def fitted(weight, sides):
    """Kernels [outputs, inputs, rows, columns], all odd, in so many rows and columns: zeros around them, or without their ends."""
    down, right = ((side - have) // 2 for side, have in zip(sides, weight.shape[2:]))
    return F.pad(weight, (right, right, down, down))


class Denoiser(nn.Module):
    """Convolutions of one odd kernel (rows, columns) between `widths`, with (leaky) ReLU in between.

    leak: slope below zero; square: h^2 / 4 + h / 2 instead. factor: of the pixel unshuffle. noise: the first convolution
    also takes the noise maps, so that the network knows how much there is to remove. squeeze: it takes the squeezed image.
    base: it takes, instead of the image, what non_local_means removes from it, and small means of what is left; then
    the output has half of the filter or more in it (`taken`), and the network finds the rest. Whoever owns the image
    filters it.
    shortcut: kernel (rows, columns) of one more convolution of what the first takes, straight to the output; with as many
    rows as `kernel` it costs the ciphertexts of its channels down, and none up. What needs no nonlinearity it learns as well
    as `linear` does, and with less to overfit.
    again: looked_again, by whoever owns the image, with again_taken; neither that nor `spared` in training, which ends with
    the convolutions.
    spared: share of the residual that stays where the noise is very strong.
    reach: no pixel is changed by more than this many times its noise_floor: what goes beyond is an edge, not noise.
    most: HU, nor by more than this, if given.

    Zero padding, so beyond the image's edge everything is 0, that is water. forward: float HU
    [batch, 1, rows, columns], both multiples of 4, in -1024..3071; returns the same shape in HU.
    """

    def __init__(self, widths, kernel, leak=LEAK, noise=True, squeeze=False, base=True, reach=6.0, most=400.0,
                 factor=FACTOR, square=False, shortcut=None, again=False, again_taken=AGAIN_TAKEN, spared=SPARED):
        super().__init__()
        self.widths, self.kernel, self.leak = tuple(widths), tuple(kernel), leak
        self.noise, self.squeeze, self.base, self.reach, self.most = noise, squeeze, base, reach, most
        self.factor, self.square, self.again, self.again_taken, self.spared = factor, square, again, again_taken, spared
        context = (factor // CONTEXT) ** 2 if base else 0
        inputs = (widths[0] + context + (NOISE_MAPS if noise else 0), *widths[1:-1])
        self.convolutions = nn.ModuleList(same(before, after, kernel) for before, after in zip(inputs, widths[1:]))
        self.shortcut = None if shortcut is None else same(inputs[0], widths[-1], shortcut, bias=False)
        # Start almost as the identity. A large random residual is unlearned by killing the layers before it.
        nn.init.normal_(self.convolutions[-1].weight, std=1e-3)
        nn.init.zeros_(self.convolutions[-1].bias)

    def residual(self, hu, left=None):
        """What the convolutions say is noise, and the most it may be, HU."""
        image = hu / HU_SCALE
        bands = detail(image)
        seen = [] if self.noise is False else [NOISE_GAIN * onto(noise_maps(bands), self.factor)]
        if self.base:
            base = (filtered(hu) if left is None else left) / HU_SCALE
            removed = image - base
            means = F.avg_pool2d(squeezed(base) if self.squeeze else base, CONTEXT)
            seen.insert(0, F.pixel_unshuffle(means, self.factor // CONTEXT))
            image = removed.clamp(-REMOVED / HU_SCALE, REMOVED / HU_SCALE)
        elif self.squeeze:
            image = squeezed(image)
        seen = h = torch.cat([F.pixel_unshuffle(image, self.factor), *seen], 1)
        for convolution in self.convolutions[:-1]:
            h = activated(convolution(h), self.leak, self.square)
        h = self.convolutions[-1](h)
        if self.shortcut is not None:
            h = h + self.shortcut(seen)
        h = F.pixel_shuffle(h, self.factor)
        if self.base:
            h = h + taken(removed, bands)
        limit = F.interpolate(limit_of(bands, self.reach, self.most), scale_factor=FACTOR)
        return limited(h, limit) * HU_SCALE, limit * HU_SCALE

    def forward(self, hu, left=None):
        """left: what the filter makes of hu, if it is known already."""
        residual, limit = self.residual(hu, left)
        if self.training:
            return hu - residual
        if self.again:
            sigma = deviation(noise_level.trained()(hu), AGAIN_DEVIATION)
            means = lambda image, guide: alike_means(image, sigma, AGAIN, guide)  # noqa: E731
            residual = looked_again(hu, residual, limit, self.again_taken, means)
        return hu - spared(residual, detail(hu, HU_SCALE), self.spared, HU_SCALE)


# On 512 x 512 a polynomial of degree 4096 holds 31 of 128 rows for kernels up to 17 columns: five rows of kernel leave
# 27 of output, so five tiles a channel. `balanced` then sends 330 ciphertexts and gets 320, `fast` 200 and 190.
ARCHITECTURES = {
    "linear": {"widths": (CHANNELS, CHANNELS), "kernel": (9, 9), "noise": False},
    "fast": {"widths": (CHANNELS, 9, 9, CHANNELS), "kernel": (5, 9)},
    "balanced": {"widths": (CHANNELS, 22, 22, CHANNELS), "kernel": (5, 9), "spared": 1 / 4},
    "best": {"widths": (CHANNELS, 62, 62, 62, CHANNELS), "kernel": (5, 9), "shortcut": (5, 17), "again": True, "again_taken": 0.85},
    "private": {"widths": (CHANNELS, 16, CHANNELS), "kernel": (5, 17), "leak": 0.0, "squeeze": True, "again": True},
}
# What to compare them with, by search.py: they differ in one thing each, at no more ciphertexts or hardly more.
CANDIDATES = {
    "balanced-17": {"widths": (CHANNELS, 22, 22, CHANNELS), "kernel": (5, 17)},  # columns of kernel
    "balanced-1": {"widths": (CHANNELS, 44, CHANNELS), "kernel": (5, 9)},  # depth
    "balanced-4": {"widths": (CHANNELS, 15, 15, 15, CHANNELS), "kernel": (5, 9)},
    "balanced-square": {"widths": (CHANNELS, 22, 22, CHANNELS), "kernel": (5, 9), "square": True},  # activation
    "balanced-x2": {"widths": (4, 5, 5, 4), "kernel": (5, 9), "factor": 2},  # unshuffle
    "balanced-x8": {"widths": (64, 40, 40, 64), "kernel": (3, 5), "factor": 8},
    "fast-1": {"widths": (CHANNELS, 18, CHANNELS), "kernel": (5, 9)},
    "fast-square": {"widths": (CHANNELS, 9, 9, CHANNELS), "kernel": (5, 9), "square": True},
}


def load(checkpoint):
    """The network of a checkpoint file of train.py, and the checkpoint itself."""
    saved = torch.load(checkpoint, map_location="cpu")
    network = Denoiser(**saved["architecture"])
    network.load_state_dict(saved["weights"])
    return network.eval(), saved
