"""Trains noise_level.py on the pairs of a bank whose noise is known in full: what was added, and that of the slice itself.

    python3 train_noise_level.py --bank BANK.pt --minutes 20 [--out noise_level.npz]

A slice at a part d of the dose has 1 / (1 - d) times the variance of what was added, if that was made as fine and as
strong as its own noise says (low_dose.py); phantoms have no noise of their own.
"""
import argparse
import math
import multiprocessing
import pathlib
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

import draw
import model
import noise_level
from train import rate

BATCH = 4
RATE = 3e-3
WARM_UP = 100  # iterations
STRIDE = 4  # blocks; the level is so smooth that every so many is enough
OVER = 2.0  # what a level too high costs against one too low: noise that stays does less harm than detail that goes
OUTSIDE = 0.02  # weight of blocks outside the body
BODY = -300  # HU
FAR = 0.1  # of what is wanted; below it the logarithm of the level is no measure
WITHOUT_NOISE = 0.3  # of the phantoms
UNIT = 5.0  # HU, of the level that is seen there


def wanted(low, clean, dose):
    """The level at each block, HU: mean absolute detail of all the noise, in both bands together, around it."""
    maps = model.noise_maps(model.detail(low - clean, model.HU_SCALE)).sum(1, keepdim=True)
    return maps / math.sqrt(1 - dose)


def body(clean):
    blocks = F.avg_pool2d(clean, noise_level.BLOCK)
    return (F.avg_pool2d(blocks, 9, 1, 4, count_include_pad=False) > BODY).float()


def every(maps):
    return maps[..., ::STRIDE, ::STRIDE]


def prepared(task):
    """(bands of low, bands of clean, what is wanted, body) of one pair, float16."""
    low, clean, dose = (part.float() if torch.is_tensor(part) else part for part in task)
    torch.set_num_threads(1)
    low, clean = low[None, None], clean[None, None]
    level = wanted(low, clean, dose).clamp(min=noise_level.LEAST)
    return [part[0].half().numpy() for part in (noise_level.bands(low), noise_level.bands(clean), level, body(clean))]


def pairs_of(bank, pool):
    """prepared of all pairs of which all noise is known, and which of them are phantoms."""
    phantom = bank["phantom"][bank["slice"]]
    chosen = torch.nonzero((bank["dose"] > 0) | phantom)[:, 0].tolist()
    tasks = ((bank["low"][i], bank["clean"][bank["slice"][i]], bank["dose"][i].item()) for i in chosen)
    parts = [np.stack(column) for column in zip(*pool.imap(prepared, tasks, chunksize=8))]
    return [torch.from_numpy(part) for part in parts], phantom[chosen]


def log_ratio(level, right):
    """Logarithm of level / right; from FAR of it downwards constant."""
    return torch.log(torch.maximum(level, FAR * right) / right)


def loss_of(level, right, inside):
    """Mean over blocks, those in the body first of all. A level too high costs OVER times one too low."""
    ratio = log_ratio(level, right)
    error = torch.where(ratio > 0, OVER * ratio, -ratio) + F.relu(FAR * right - level) / right
    weight = OUTSIDE + (1 - OUTSIDE) * inside
    return (weight * error).sum() / weight.sum()


def validate(network, pairs):
    """Mean and mean absolute logarithm of the ratio to what is wanted, over the body of each pair."""
    (bands, _, right, inside), _ = pairs
    rows = []
    with torch.no_grad():
        for i in range(len(bands)):
            level = network.of_bands(bands[i : i + 1].float(), STRIDE)
            ratio = log_ratio(level, every(right[i : i + 1].float()))
            if (seen := ratio[every(inside[i : i + 1]) > 0]).numel():
                rows.append((seen.mean().item(), seen.abs().mean().item()))
    return tuple(np.mean(rows, 0))


def learn(network, pairs, held_back, minutes):
    (bands, clean_bands, right, inside), phantom = pairs
    optimiser = torch.optim.Adam(network.parameters(), RATE)
    began = looked = time.monotonic()
    iteration, losses = 0, []
    while (progress := (time.monotonic() - began) / (60 * minutes)) < 1:
        optimiser.param_groups[0]["lr"] = RATE * rate(iteration, progress, WARM_UP)
        batch = torch.randint(len(bands), (BATCH,))
        seen, level, where = draw.turned([part[batch].float() for part in (bands, right, inside)])
        loss = loss_of(network.of_bands(seen, STRIDE), every(level), every(where))
        none = batch[phantom[batch] & (torch.rand(BATCH) < WITHOUT_NOISE)]
        if len(none):
            loss = loss + network.of_bands(clean_bands[none].float(), STRIDE).mean() / UNIT * len(none) / BATCH
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 2.0)
        optimiser.step()
        iteration += 1
        losses.append(loss.item())
        if time.monotonic() - looked > 60:
            mean, absolute = validate(network, held_back)
            print(f"{iteration} loss {np.mean(losses[-200:]):.3f} val {mean:+.3f} {absolute:.3f}", flush=True)
            looked = time.monotonic()
    return iteration


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bank", required=True)
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--out", type=pathlib.Path, default=noise_level.WEIGHTS)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.manual_seed(arguments.seed)
    bank = torch.load(arguments.bank)
    with multiprocessing.get_context("fork").Pool() as pool:
        pairs, held_back = pairs_of(bank["train"], pool), pairs_of(bank["val"], pool)
    del bank
    torch.set_num_threads(1)
    network = noise_level.NoiseLevel()
    iterations = learn(network, pairs, held_back, arguments.minutes)
    mean, absolute = validate(network, held_back)
    print(f"{iterations} iterations; val: logarithm of the ratio {mean:+.3f}, absolute {absolute:.3f}", flush=True)
    np.savez(arguments.out, **{name: weight.numpy() for name, weight in network.state_dict().items()})


if __name__ == "__main__":
    main()
