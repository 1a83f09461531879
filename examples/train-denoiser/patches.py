"""Random training patches and the weight of each of their pixels."""
import pathlib

import numpy as np
import torch

import simulate
from make_pairs import NOISE_UNIT, TRAIN_SD, low_dose_sd

PATCH = 128  # pixels
MARGIN = 12  # pixels next to a patch side that do not count, unless the side is the image's own edge
DOSE = (0.09, 0.6)  # parts of the slice's own dose, drawn evenly in their logarithm
SCALE = (0.3, 2.0)  # noise whatever the slice's own, in units of TRAIN_SD; also evenly in the logarithm
DOSE_SHARE = 0.6  # of the samples take DOSE, the others SCALE
NOISY = 20.0  # HU: a slice with more noise of its own always takes DOSE


class Pairs:
    """The memory-mapped pairs of one split."""

    def __init__(self, cache, split):
        self.clean = np.load(pathlib.Path(cache) / f"{split}-clean.npy", mmap_mode="r")
        self.noise = np.load(pathlib.Path(cache) / f"{split}-noise.npy", mmap_mode="r")
        self.own = np.load(pathlib.Path(cache) / f"{split}-own.npy")

    def __len__(self):
        return len(self.clean)

    def whole(self, index, dose=0.25):
        """(low dose, clean) slices, int16 HU, at a part of the slice's own dose."""
        scale = low_dose_sd(self.own[index], dose) / TRAIN_SD
        clean = self.clean[index]
        return simulate.add_noise(clean, self.noise[index] * np.float32(NOISE_UNIT * scale)), clean


def importance(clean):
    """Weight per pixel of clean [rows, columns] in HU: soft tissue counts most, air hardly."""
    return np.select([clean < -950, (clean < -250) | (clean > 350)], [0.02, 0.25], 1.0).astype(np.float32)


def soft_tissue(clean):
    """As importance, with hardly any weight outside the window that PSNR is taken in."""
    return np.where((clean < -160) | (clean > 240), np.float32(0.05), np.float32(1))


def _start(rng, size):
    """A patch's first row or column; both edges of the image are drawn often enough to be learned."""
    return int(np.clip(rng.integers(-MARGIN, size - PATCH + MARGIN + 1), 0, size - PATCH))


def log_uniform(rng, low, high):
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def noise_scale(own, rng):
    """Noise of a sample in units of TRAIN_SD, for a slice with noise `own` (HU) of its own."""
    if own > NOISY or rng.random() < DOSE_SHARE:
        return low_dose_sd(own, log_uniform(rng, *DOSE)) / TRAIN_SD
    return log_uniform(rng, *SCALE)


def patch(pairs, rng, scale=noise_scale, weigh=importance):
    """(low dose HU, clean HU, weight), each float32 [PATCH, PATCH], randomly turned and mirrored."""
    for _ in range(6):  # prefer patches with some body in them
        index, row, column = rng.integers(len(pairs)), _start(rng, 512), _start(rng, 512)
        window = np.s_[index, row : row + PATCH, column : column + PATCH]
        clean = pairs.clean[window]
        if clean.mean() > -700:
            break
    noise = pairs.noise[window] * np.float32(NOISE_UNIT * scale(pairs.own[index], rng))
    low = simulate.add_noise(clean, noise)
    weight = weigh(clean)
    weight[: MARGIN if row > 0 else 0] = 0
    weight[PATCH - (MARGIN if row < 512 - PATCH else 0) :] = 0
    weight[:, : MARGIN if column > 0 else 0] = 0
    weight[:, PATCH - (MARGIN if column < 512 - PATCH else 0) :] = 0
    stack = np.stack([low, clean, weight]).astype(np.float32)
    if rng.random() < 0.5:
        stack = stack.transpose(0, 2, 1)
    if rng.random() < 0.5:
        stack = stack[:, ::-1]
    if rng.random() < 0.5:
        stack = stack[:, :, ::-1]
    return stack


def batch(pairs, size, rng, scale=noise_scale, weigh=importance):
    """(low dose HU, clean HU, weight), each a float32 tensor [size, 1, PATCH, PATCH]."""
    stacks = torch.from_numpy(np.stack([patch(pairs, rng, scale, weigh) for _ in range(size)]))
    return stacks[:, 0:1], stacks[:, 1:2], stacks[:, 2:3]
