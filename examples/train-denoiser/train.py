"""Trains a network on the pairs of make_pairs.py and keeps the checkpoint that is best on val.

    python3 train.py --cache DIR --name interactive --minutes 70 --out DIR/interactive.pt

--iterations fixes the schedule by steps instead (repeatable); --minutes by the clock (on a busy machine).
"""
import argparse
import copy
import math
import pathlib
import time

import numpy as np
import torch

import metrics
import model
import patches

BATCH = 8
RATE = 1e-3
WARM_UP = 500  # iterations
AVERAGING = 0.999  # of the weights that are validated and kept
FLOOR = 1.0  # HU; an error below does not matter


def loss_of(output, clean, weight):
    """Mean over the samples of the logarithm of the weighted RMSE: what the mean of PSNR over slices looks at.

    So a slice with little noise counts as much as a noisy one. With the RMSE itself networks harmed such slices.
    """
    squares = (weight * (output - clean) ** 2).sum((1, 2, 3)) / weight.sum((1, 2, 3)).clamp(min=1)
    return (squares + FLOOR**2).log().mean() / 2


def step(network, averaged, optimiser, sample, keep, longest_gradient=math.inf):
    """One step of descent on a batch of patches.batch, and of the averaged network after it; returns the loss."""
    low, clean, weight = sample
    loss = loss_of(network(low), clean, weight)
    optimiser.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(network.parameters(), longest_gradient)
    optimiser.step()
    with torch.no_grad():
        for mean, now in zip(averaged.parameters(), network.parameters()):
            mean.lerp_(now, 1 - keep)
    return loss.item()


def validate(network, pairs):
    """Mean gain of PSNR in dB over every third val slice, at a half, a quarter and an eighth of its dose by turns."""
    with torch.no_grad():
        scores = []
        for number, index in enumerate(range(0, len(pairs), 3)):
            low, clean = pairs.whole(index, (1 / 2, 1 / 4, 1 / 8)[number % 3])
            image = network(torch.from_numpy(low.astype(np.float32))[None, None])[0, 0].numpy()
            scores.append(metrics.psnr(image, clean) - metrics.psnr(low, clean))
    return sum(scores) / len(scores)


def rate(iteration, progress):
    """Learning rate: linear warm-up, then half a cosine down to nothing; progress is 0..1."""
    return RATE * min(1, (iteration + 1) / WARM_UP) * 0.5 * (1 + math.cos(math.pi * min(1, progress)))


def train(name, cache, out, minutes, iterations, seed):
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    pairs, held_back = patches.Pairs(cache, "train"), patches.Pairs(cache, "val")
    network = model.build(name).to(memory_format=torch.channels_last)
    averaged = copy.deepcopy(network)
    optimiser = torch.optim.Adam(network.parameters(), RATE)
    began = checked = time.monotonic()
    best, iteration, progress, recent = -math.inf, 0, 0.0, []
    while progress < 1:
        optimiser.param_groups[0]["lr"] = rate(iteration, progress)
        iteration += 1
        keep = min(AVERAGING, iteration / (iteration + 10))
        sample = patches.batch(pairs, BATCH, rng)
        recent.append(step(network, averaged, optimiser, sample, keep, longest_gradient=1.0))

        now = time.monotonic()
        progress = iteration / iterations if iterations else (now - began) / (60 * minutes)
        if now - checked > 120 or progress >= 1 or iteration == WARM_UP:
            checked = now
            score = validate(averaged, held_back)
            spent = (now - began) / 60
            print(f"{iteration} {spent:.1f} min loss {np.mean(recent):.4f} val {score:+.3f} dB", flush=True)
            recent = []
            if score > best:
                best = score
                saved = {"name": name, "weights": averaged.state_dict(), "iterations": iteration,
                         "minutes": round(spent, 1), "valGain": score, "seed": seed}
                torch.save(saved, out.with_suffix(".tmp"))
                out.with_suffix(".tmp").replace(out)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cache", default=".cache", type=pathlib.Path)
    parser.add_argument("--name", choices=model.ARCHITECTURES, default="interactive")
    parser.add_argument("--out", required=True, type=pathlib.Path, help="checkpoint to write")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    length = parser.add_mutually_exclusive_group(required=True)
    length.add_argument("--minutes", type=float)
    length.add_argument("--iterations", type=int)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    train(arguments.name, arguments.cache, arguments.out, arguments.minutes, arguments.iterations, arguments.seed)


if __name__ == "__main__":
    main()
