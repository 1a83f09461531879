"""Makes the pairs (clean slice, noise) that training reads, for the splits train and val only.

    python3 make_pairs.py --data DIR --cache DIR [--draws 3] [--processes 2]

Writes to the cache folder, per split:
    SPLIT-clean.npy  int16 [pairs, 512, 512], HU
    SPLIT-noise.npy  int16 [pairs, 512, 512], 1/16 HU, of TRAIN_SD in the body; to be scaled per sample
    SPLIT-own.npy    float32 [pairs], HU: the noise that the clean slice has itself
Every pair is seeded by its volume, slice and draw, so the result does not depend on the process count.
"""
import argparse
import multiprocessing
import pathlib
import zlib

import numpy as np
from scipy.ndimage import gaussian_filter

import simulate
import volumes

NOISE_UNIT = 1 / 16  # HU per step of the stored noise
TRAIN_SD = 25.0  # HU, noise in the body at scale 1
PIXEL_MM = (0.6, 0.85)
CUT_OFF = (0.8, 2.5)  # soft to sharp, see simulate.filtered_back_projection
PROBE_PHOTONS = 2e5
PHOTONS = (1e4, 2e7)  # least and most that a pair may take


def simulated_noise(clean, wanted_sd, pixel_mm, cut_off, rng):
    """Noise in HU for clean (HU), at the dose that gives it a standard deviation of wanted_sd HU in the body."""
    body = gaussian_filter(clean, 4) > -300
    probe = simulate.low_dose_noise(clean, PROBE_PHOTONS, pixel_mm, cut_off, rng)
    probe_sd = probe[body].std() if body.any() else wanted_sd
    photons = np.clip(PROBE_PHOTONS * (probe_sd / wanted_sd) ** 2, *PHOTONS)
    return simulate.low_dose_noise(clean, photons, pixel_mm, cut_off, rng)


def finest_detail(hu):
    """Robust size of the finest detail in soft tissue, HU: noise for the most part."""
    smooth = gaussian_filter(hu, 4)
    inside = ((smooth > -150) & (smooth < 250))[1:-1, 1:-1]
    laplacian = 4 * hu[1:-1, 1:-1] - hu[:-2, 1:-1] - hu[2:, 1:-1] - hu[1:-1, :-2] - hu[1:-1, 2:]
    return float(np.median(np.abs(laplacian[inside] if inside.any() else laplacian))) + 1e-3


def low_dose_sd(own, dose):
    """Standard deviation, HU, of the noise that takes a slice with noise `own` (HU) to a part `dose` of its dose."""
    return own * np.sqrt(1 / dose - 1)


def seeded(entry, number, draw):
    return np.random.default_rng([zlib.crc32(entry["file"].encode()), number, draw])


def pair(task):
    """(clean in HU, noise in 1/16 HU, own noise in HU) of (slice in HU, volume entry, slice number, draw)."""
    hu, entry, number, draw = task
    rng = seeded(entry, number, draw)
    pixel_mm = rng.uniform(*PIXEL_MM)
    cut_off = np.exp(rng.uniform(*np.log(CUT_OFF)))
    # Later draws also vary the sharpness of the reference.
    smoothing = rng.uniform(0, 1) if draw > 0 else 0.0
    clean = np.clip(hu, simulate.HU_MIN, simulate.HU_MAX).astype(np.float32)
    own = float(entry["noise_hf_HU"])
    if smoothing > 0:
        sharp, clean = clean, np.rint(gaussian_filter(clean, smoothing))
        own *= finest_detail(clean) / finest_detail(sharp)
    noise = simulated_noise(clean, TRAIN_SD, pixel_mm, cut_off, rng)
    stored = np.clip(np.rint(noise / NOISE_UNIT), -32767, 32767)
    return clean.astype(np.int16), stored.astype(np.int16), np.float32(own)


def tasks(data, split, draws):
    for entry in volumes.volumes(data, split):
        volume = volumes.load(data, entry)
        for number, hu in enumerate(volume):
            for draw in range(draws):
                yield hu, entry, number, draw


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="folder with index.json and the volumes")
    parser.add_argument("--cache", default=".cache", type=pathlib.Path)
    parser.add_argument("--draws", type=int, default=3, help="pairs per training slice")
    parser.add_argument("--processes", type=int, default=2)
    arguments = parser.parse_args()
    arguments.cache.mkdir(parents=True, exist_ok=True)
    simulate.project(np.zeros((8, 8), np.float32), 1, 1)  # compiles once, before the processes start
    with multiprocessing.Pool(arguments.processes) as pool:
        for split, draws in (("val", 1), ("train", arguments.draws)):
            made = list(pool.imap(pair, tasks(arguments.data, split, draws), chunksize=4))
            for part, arrays in zip(("clean", "noise", "own"), zip(*made)):
                np.save(arguments.cache / f"{split}-{part}.npy", np.stack(arrays))
            print(split, len(made), "pairs", flush=True)


if __name__ == "__main__":
    main()
