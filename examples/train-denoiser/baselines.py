"""Filters that need no training, beside the figures of evaluate.py: total variation, non-local means, bilateral.

    python3 baselines.py --data DIR --out baselines.json

All of scikit-image, on slices in units of the window of metrics.py; each is told the noise, by what
`estimate_sigma` finds in the slice. The one strength of each is chosen by mean PSNR on val, of THINNED slices, and
taken once to the test split, both at quarter dose.
"""
import argparse
import json
import pathlib

import numpy as np
from skimage.restoration import denoise_bilateral, denoise_nl_means, denoise_tv_chambolle, estimate_sigma

import evaluate
import metrics
import simulate

THINNED = 6  # of val, every so many slices
LOW, HIGH = -300.0, 400.0  # HU; what lies beyond is left alone: these filters work with one scale of contrast


def total_variation(image, sigma, strength):
    return denoise_tv_chambolle(image, weight=strength * sigma)


def non_local_means(image, sigma, strength):
    return denoise_nl_means(image, patch_size=5, patch_distance=6, h=strength * sigma, sigma=sigma, fast_mode=True)


def bilateral(image, sigma, strength):
    return denoise_bilateral(image, win_size=9, sigma_color=strength * sigma, sigma_spatial=2.0, bins=1000)


# Of sigma, the noise's standard deviation as estimate_sigma finds it: low for noise whose pixels go together.
STRENGTHS = {
    total_variation: (0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 4.5),
    non_local_means: (0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 4.5),
    bilateral: (1.0, 1.5, 2.0, 3.0, 4.5, 7.0, 10.0),
}


def denoise(method, low, strength):
    """int16 HU [rows, columns] of the same."""
    clipped = np.clip(low, LOW, HIGH)
    image = (clipped - LOW) / (HIGH - LOW)
    filtered = method(image, max(estimate_sigma(image), 1e-4), strength)
    return simulate.add_noise(low + (filtered * (HIGH - LOW) + LOW - clipped), 0)


def score(images, slices):
    """Mean (PSNR in dB, SSIM)."""
    rows = [(metrics.psnr(a, clean), metrics.ssim(a, clean)) for a, (_, _, clean) in zip(images, slices)]
    return np.mean(rows, axis=0)


def rounded(figures):
    return {"psnr": round(float(figures[0]), 2), "ssim": round(float(figures[1]), 4)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="folder with index.json and the volumes")
    parser.add_argument("--out", required=True, type=pathlib.Path)
    arguments = parser.parse_args()
    val = list(evaluate.simulated_slices(arguments.data, "val"))[::THINNED]
    test = list(evaluate.simulated_slices(arguments.data, "test"))
    result = {"lowDose": rounded(score([low for _, low, _ in test], test))}
    for method, strengths in STRENGTHS.items():
        trials = {
            strength: score([denoise(method, low, strength) for _, low, _ in val], val)[0] for strength in strengths
        }
        best = max(trials, key=trials.get)
        figures = score([denoise(method, low, best) for _, low, _ in test], test)
        result[method.__name__] = rounded(figures) | {
            "strength": best, "val": {str(strength): round(float(psnr), 2) for strength, psnr in trials.items()}
        }
        print(method.__name__, result[method.__name__], flush=True)
    arguments.out.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
