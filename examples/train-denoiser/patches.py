"""Random training patches and the weight of each of their pixels."""
import pathlib

import numpy as np
import torch

import simulate
from make_pairs import NOISE_UNIT

PATCH = 128  # pixels
MARGIN = 12  # pixels next to a patch side that do not count, unless the side is the image's own edge
SCALE = (0.4, 3.0)  # noise scale per sample, drawn evenly in its logarithm; 1 is make_pairs.TRAIN_SD


class Pairs:
    """The memory-mapped pairs of one split."""

    def __init__(self, cache, split):
        self.clean = np.load(pathlib.Path(cache) / f"{split}-clean.npy", mmap_mode="r")
        self.noise = np.load(pathlib.Path(cache) / f"{split}-noise.npy", mmap_mode="r")

    def __len__(self):
        return len(self.clean)

    def whole(self, index):
        """(low dose, clean) slices, int16 HU, with the noise as it was stored."""
        clean = self.clean[index]
        return simulate.add_noise(clean, self.noise[index] * np.float32(NOISE_UNIT)), clean


def importance(clean):
    """Weight per pixel of clean [rows, columns] in HU: soft tissue counts most, air hardly."""
    return np.select([clean < -950, (clean < -250) | (clean > 350)], [0.02, 0.25], 1.0).astype(np.float32)


def soft_tissue(clean):
    """As importance, with hardly any weight outside the window that PSNR is taken in."""
    return np.where((clean < -160) | (clean > 240), np.float32(0.05), np.float32(1))


def _start(rng, size):
    """A patch's first row or column; both edges of the image are drawn often enough to be learned."""
    return int(np.clip(rng.integers(-MARGIN, size - PATCH + MARGIN + 1), 0, size - PATCH))


def patch(pairs, rng, scale=SCALE, weigh=importance):
    """(low dose HU, clean HU, weight), each float32 [PATCH, PATCH], randomly turned and mirrored."""
    for _ in range(6):  # prefer patches with some body in them
        index, row, column = rng.integers(len(pairs)), _start(rng, 512), _start(rng, 512)
        window = np.s_[index, row : row + PATCH, column : column + PATCH]
        clean = pairs.clean[window]
        if clean.mean() > -700:
            break
    noise = pairs.noise[window] * np.float32(NOISE_UNIT * np.exp(rng.uniform(*np.log(scale))))
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


def batch(pairs, size, rng, scale=SCALE, weigh=importance):
    """(low dose HU, clean HU, weight), each a float32 tensor [size, 1, PATCH, PATCH]."""
    stacks = torch.from_numpy(np.stack([patch(pairs, rng, scale, weigh) for _ in range(size)]))
    return stacks[:, 0:1], stacks[:, 1:2], stacks[:, 2:3]
