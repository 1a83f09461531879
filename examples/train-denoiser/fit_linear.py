"""Solves for the linear network: the weighted least-squares filter over the training patches, in closed form.

    python3 fit_linear.py --cache DIR --out DIR/linear.pt [--patches 4000]
"""
import argparse
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
EMPHASIS = 0.75  # on quiet patches: 1 weighs all noise levels alike, as the mean of PSNR does; 0 the squares as they are
RIDGE = 2.0  # HU: as if white noise of this size were in the input; bounds the weights at frequencies without data


def blocks(image, kernel=1):
    """[columns, positions]: the unshuffled channels of every 4x4 block and its kernel x kernel neighbourhood."""
    columns = F.unfold(F.pixel_unshuffle(image, model.FACTOR), kernel, padding=kernel // 2)
    return columns.transpose(0, 1).flatten(1).numpy()


def normal_equations(pairs, count, kernel, rng):
    """(inputs' second moments, their products with the noise, total weight), all per HU_SCALE^2."""
    unknowns = model.CHANNELS * kernel * kernel + 1
    moments, products, total = np.zeros((unknowns, unknowns)), np.zeros((unknowns, model.CHANNELS)), 0.0
    for _ in range(count // BATCH):
        low, clean, weight = patches.batch(pairs, BATCH, rng)
        power = (weight * (low - clean) ** 2).sum((1, 2, 3)) / weight.sum((1, 2, 3)).clamp(min=1)  # HU^2
        weight = F.avg_pool2d(weight, model.FACTOR) / ((power + FLOOR**2) ** EMPHASIS)[:, None, None, None]
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


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cache", default=".cache", type=pathlib.Path)
    parser.add_argument("--out", required=True, type=pathlib.Path, help="checkpoint to write")
    parser.add_argument("--patches", type=int, default=4000)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    began = time.monotonic()
    network = model.build("linear")
    convolution = network.convolutions[0]
    kernel = network.kernel
    equations = normal_equations(
        patches.Pairs(arguments.cache, "train"), arguments.patches, kernel, np.random.default_rng(0)
    )
    solution = torch.from_numpy(solve(*equations)).float()
    convolution.weight.data = solution[:-1].T.reshape(model.CHANNELS, model.CHANNELS, kernel, kernel).contiguous()
    convolution.bias.data = solution[-1].contiguous()
    score = train.validate(network, patches.Pairs(arguments.cache, "val"))
    minutes = round((time.monotonic() - began) / 60, 1)
    print(f"{arguments.patches} patches, {minutes} min, val {score:.3f} dB, "
          f"largest weight {convolution.weight.abs().max():.3f}")
    torch.save({"name": "linear", "weights": network.state_dict(), "iterations": 1, "patches": arguments.patches,
                "minutes": minutes, "valPsnr": score, "seed": 0}, arguments.out)


if __name__ == "__main__":
    main()
