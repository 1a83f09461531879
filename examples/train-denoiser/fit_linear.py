"""Fits the linear network: weighted least squares in closed form, then a few minutes of descent with its limit.

    python3 fit_linear.py --cache DIR --out DIR/linear.pt [--patches 4000] [--iterations 6000]

The limit (model.py) is what the client does with the result of the convolution: a residual beyond it is more likely
an edge than noise. Least squares know nothing of it; descent from their solution lets the filter smooth harder where
the limit protects the edges.
"""
import argparse
import copy
import math
import os
import pathlib
import time

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy: read when the library loads

import numpy as np  # noqa: E402
import torch  # noqa: E402
from torch.nn import functional as F  # noqa: E402

import model  # noqa: E402
import patches  # noqa: E402
import train  # noqa: E402

BATCH = 4
FLOOR = 5.0  # HU; added, squared, to the noise power of each patch before it is weighed
RIDGE = 2.0  # HU: as if white noise of this size were in the input; bounds the weights at frequencies without data
# A linear filter fits one noise level best. Clinical quarter-dose pairs of soft and sharp kernels stand at 28 to 23 dB,
# that is 16 to 29 HU (400 HU / 10^(dB / 20)) over a whole slice, and more in the body, since the air around it is
# clipped away. This is 12 to 30 HU in the body, relative to make_pairs.TRAIN_SD: on the cautious side.
SCALE = (0.5, 1.2)
RATE = 3e-4
WARM_UP = 200  # iterations
AVERAGING = 0.998  # of the weights that are kept


def blocks(image, kernel=1):
    """[columns, positions]: the unshuffled channels of every 4x4 block and its kernel x kernel neighbourhood."""
    columns = F.unfold(F.pixel_unshuffle(image, model.FACTOR), kernel, padding=kernel // 2)
    return columns.transpose(0, 1).flatten(1).numpy()


def draw(pairs, size, rng):
    return patches.batch(pairs, size, rng, lambda own, rng: patches.log_uniform(rng, *SCALE), patches.soft_tissue)


def normal_equations(pairs, count, kernel, rng):
    """(inputs' second moments, their products with the noise, total weight), all per HU_SCALE^2."""
    unknowns = model.CHANNELS * kernel * kernel + 1
    moments, products, total = np.zeros((unknowns, unknowns)), np.zeros((unknowns, model.CHANNELS)), 0.0
    for _ in range(count // BATCH):
        low, clean, weight = draw(pairs, BATCH, rng)
        power = (weight * (low - clean) ** 2).sum((1, 2, 3)) / weight.sum((1, 2, 3)).clamp(min=1)  # HU^2
        # All noise levels weigh alike, as in the mean of PSNR.
        weight = F.avg_pool2d(weight, model.FACTOR) / (power + FLOOR**2)[:, None, None, None]
        root = weight.sqrt().flatten().numpy()
        inputs = blocks(low / model.HU_SCALE, kernel)
        inputs = np.concatenate([inputs, np.ones((1, inputs.shape[1]), np.float32)]) * root
        noise = blocks((low - clean) / model.HU_SCALE) * root
        moments += inputs @ inputs.T
        products += inputs @ noise.T
        total += float((root.astype(np.float64) ** 2).sum())
    return moments, products, total


def solve(moments, products, total):
    ridge = np.full(len(moments), total * (RIDGE / model.HU_SCALE) ** 2)
    ridge[-1] = 0  # not on the bias
    return np.linalg.solve(moments + np.diag(ridge), products)


def descend(network, pairs, iterations, rng):
    """Adam on the loss of train.py, limit included; returns the averaged network."""
    averaged = copy.deepcopy(network)
    optimiser = torch.optim.Adam(network.parameters(), RATE)
    for iteration in range(iterations):
        cosine = 0.5 * (1 + math.cos(math.pi * iteration / iterations))
        optimiser.param_groups[0]["lr"] = RATE * min(1, (iteration + 1) / WARM_UP) * cosine
        train.step(network, averaged, optimiser, draw(pairs, 2 * BATCH, rng), AVERAGING)
    return averaged


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cache", default=".cache", type=pathlib.Path)
    parser.add_argument("--out", required=True, type=pathlib.Path, help="checkpoint to write")
    parser.add_argument("--patches", type=int, default=4000)
    parser.add_argument("--iterations", type=int, default=6000)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    began = time.monotonic()
    pairs, held_back = patches.Pairs(arguments.cache, "train"), patches.Pairs(arguments.cache, "val")
    network = model.build("linear")
    convolution, kernel = network.convolutions[0], network.kernel[0]
    equations = normal_equations(pairs, arguments.patches, kernel, np.random.default_rng(0))
    solution = torch.from_numpy(solve(*equations)).float()
    convolution.weight.data = solution[:-1].T.reshape(model.CHANNELS, model.CHANNELS, kernel, kernel).contiguous()
    convolution.bias.data = solution[-1].contiguous()
    print(f"least squares of {arguments.patches} patches: val {train.validate(network, held_back):+.3f} dB", flush=True)
    network = descend(network, pairs, arguments.iterations, np.random.default_rng(1))
    score = train.validate(network, held_back)
    minutes = round((time.monotonic() - began) / 60, 1)
    print(f"{arguments.iterations} iterations, {minutes} min, val {score:+.3f} dB, "
          f"largest weight {convolution.weight.abs().max():.3f}")
    torch.save({"name": "linear", "weights": network.state_dict(), "iterations": arguments.iterations,
                "patches": arguments.patches, "minutes": minutes, "valGain": score, "seed": 0}, arguments.out)


if __name__ == "__main__":
    main()
