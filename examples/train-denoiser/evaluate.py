"""PSNR and SSIM of a checkpoint, before and after, on a split with simulated noise or on a folder of DICOM pairs.

    python3 evaluate.py DIR/balanced.pt --data DIR --split test [--dose 0.25] [--strength 100]
    python3 evaluate.py DIR/balanced.pt --series ../sample-series

In float, output rounded to whole HU. Convention: metrics.py. The test split is for one final figure; nothing
should be chosen by it.
"""
import argparse
import json
import pathlib

import numpy as np
import torch
from pydicom import dcmread

import low_dose
import metrics
import model
import simulate
import volumes

TEST_DRAW = 1000  # seeds that no training pair has


def denoise(network, low, left=None):
    """int16 HU [rows, columns] of the same. left: what the filter makes of it, if it is known already."""
    with torch.no_grad():
        image = network(torch.from_numpy(low.astype(np.float32))[None, None], left)[0, 0].numpy()
    return simulate.add_noise(image, 0)


def blend(low, denoised, strength):
    """low moved `strength` percent of the way to denoised, int16 HU, as the client does it."""
    return (low + (strength * (denoised.astype(np.int32) - low) + 50) // 100).astype(np.int16)


def slices_of(data, entry, dose, numbers):
    """(volume, low dose, reference), int16 HU, for some slices of a volume at a part of its dose, see low_dose.py."""
    volume = volumes.load(data, entry)
    for number in numbers:
        reference = volume[number]
        rng = low_dose.seeded(entry, number, TEST_DRAW)
        # mm; nysbu_mixed has one per slice
        spacing = entry["per_slice"][number]["spacing"] if "per_slice" in entry else entry.get("pixel_spacing", [0.75])
        clean = reference.astype(np.float32)
        noise = low_dose.low_dose_noise(clean, dose, float(spacing[0]), rng)
        yield volumes.name(entry), simulate.add_noise(clean, noise), reference


def simulated_slices(data, split, dose=0.25):
    """The same for every slice of a split."""
    for entry in volumes.volumes(data, split):
        yield from slices_of(data, entry, dose, range(entry["shape"][0]))


def series_slices(folder):
    """(folder name, low dose, reference), int16 HU, from low-dose/*.dcm and normal-dose/*.dcm of one folder."""

    def hu(path):
        data = dcmread(path)
        return np.rint(data.pixel_array * data.RescaleSlope + data.RescaleIntercept).astype(np.int16)

    for low in sorted((folder / "low-dose").glob("*.dcm")):
        yield folder.resolve().name, hu(low), hu(folder / "normal-dose" / low.name)


def summary(scores):
    """Of (PSNR before, after, SSIM before, after, bias of each tissue) of some slices."""
    means = np.mean([score[:4] for score in scores], axis=0)
    figures = dict(zip(("psnrIn", "psnrOut"), (round(float(value), 2) for value in means[:2])))
    figures |= dict(zip(("ssimIn", "ssimOut"), (round(float(value), 4) for value in means[2:])))
    least = min(out - before for before, out, *_ in scores)
    bias = np.sum([score[4] for score in scores], axis=0)
    hu = {name: round(float(total / max(pixels, 1)), 2) for name, (total, pixels) in zip(metrics.TISSUES, bias)}
    return figures | {"leastGain": round(float(least), 2), "slices": len(scores), "biasHu": hu}


def evaluate(networks, slices, strengths=(100,)):
    """For each network and each of the strengths, percent, its figures per group and over all slices."""
    groups = [{strength: {} for strength in strengths} for _ in networks]
    for group, low, reference in slices:
        before = metrics.psnr(low, reference), metrics.ssim(low, reference)
        chosen = metrics.tissues(reference)
        left = model.filtered(torch.from_numpy(low.astype(np.float32))[None, None])
        for network, scores in zip(networks, groups):
            denoised = denoise(network, low, left)
            for strength in strengths:
                image = blend(low, denoised, strength)
                score = before[0], metrics.psnr(image, reference), before[1], metrics.ssim(image, reference)
                scores[strength].setdefault(group, []).append((*score, metrics.bias(image, reference, chosen)))
    figures = lambda one: {group: summary(rows) for group, rows in one.items()} | {"all": summary(sum(one.values(), []))}  # noqa: E731
    return [{strength: figures(one) for strength, one in scores.items()} for scores in groups]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint")
    parser.add_argument("--data", help="folder with index.json and the volumes")
    parser.add_argument("--split", choices=("val", "test"), default="val")
    parser.add_argument("--dose", type=float, default=0.25, help="part of the full dose that is left")
    parser.add_argument("--strength", type=int, default=100, help="percent of the result, mixed with the input")
    parser.add_argument("--series", type=pathlib.Path, help="folder with low-dose/ and normal-dose/")
    arguments = parser.parse_args()
    if not (arguments.series or arguments.data):
        parser.error("one of --data and --series is needed")
    torch.set_num_threads(1)
    network, _ = model.load(arguments.checkpoint)
    slices = (
        series_slices(arguments.series)
        if arguments.series
        else simulated_slices(arguments.data, arguments.split, arguments.dose)
    )
    strength = arguments.strength
    print(json.dumps(evaluate([network], slices, (strength,))[0][strength], indent=2))


if __name__ == "__main__":
    main()
