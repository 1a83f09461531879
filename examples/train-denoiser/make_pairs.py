"""Makes the pairs (clean slice, noise) that training reads, for the splits train and val only.

    python3 make_pairs.py --data DIR --cache DIR [--draws 2] [--processes 2]

Writes to the cache folder, per split:
    SPLIT-clean.npy  int16 [pairs, 512, 512], HU
    SPLIT-noise.npy  int16 [pairs, 512, 512], 1/16 HU; train: to be scaled per sample, val: as it is
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
VAL_SD = (20.0, 50.0)  # HU, drawn evenly
PIXEL_MM = (0.6, 0.85)
CUT_OFF = (0.8, 2.5)  # soft to sharp, see simulate.filtered_back_projection
PROBE_PHOTONS = 2e5
PHOTONS = (1e4, 2e7)  # least and most that a pair may take
NOISY_REFERENCE = 25.0  # HU: the index's noise_hf_HU above which a reference is smoothed


def simulated_noise(clean, wanted_sd, pixel_mm, cut_off, rng):
    """Noise in HU for clean (HU), at the dose that gives it a standard deviation of wanted_sd HU in the body."""
    body = gaussian_filter(clean, 4) > -300
    probe = simulate.low_dose_noise(clean, PROBE_PHOTONS, pixel_mm, cut_off, rng)
    probe_sd = probe[body].std() if body.any() else wanted_sd
    photons = np.clip(PROBE_PHOTONS * (probe_sd / wanted_sd) ** 2, *PHOTONS)
    return simulate.low_dose_noise(clean, photons, pixel_mm, cut_off, rng)


def seeded(entry, number, draw):
    return np.random.default_rng([zlib.crc32(entry["file"].encode()), number, draw])


def pair(task):
    """(clean in HU, noise in 1/16 HU), both int16, of (slice in HU, volume entry, slice number, draw, split)."""
    hu, entry, number, draw, split = task
    rng = seeded(entry, number, draw)
    pixel_mm = rng.uniform(*PIXEL_MM)
    cut_off = np.exp(rng.uniform(*np.log(CUT_OFF)))
    wanted_sd = TRAIN_SD if split == "train" else rng.uniform(*VAL_SD)
    # Later draws also vary the sharpness of the reference. A very noisy reference is always smoothed:
    # no network can tell its own noise, which it should keep, from the noise that was added.
    smoothing = rng.uniform(0, 0.8) if draw > 0 else 0.0
    if entry["noise_hf_HU"] > NOISY_REFERENCE:
        smoothing = 1.0
    clean = np.clip(hu, simulate.HU_MIN, simulate.HU_MAX).astype(np.float32)
    if smoothing > 0:
        clean = np.rint(gaussian_filter(clean, smoothing))
    noise = simulated_noise(clean, wanted_sd, pixel_mm, cut_off, rng)
    stored = np.clip(np.rint(noise / NOISE_UNIT), -32767, 32767)
    return clean.astype(np.int16), stored.astype(np.int16)


def tasks(data, split, draws):
    for entry in volumes.volumes(data, split):
        volume = volumes.load(data, entry)
        for number, hu in enumerate(volume):
            for draw in range(draws):
                yield hu, entry, number, draw, split


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="folder with index.json and the volumes")
    parser.add_argument("--cache", default=".cache", type=pathlib.Path)
    parser.add_argument("--draws", type=int, default=2, help="pairs per training slice")
    parser.add_argument("--processes", type=int, default=2)
    arguments = parser.parse_args()
    arguments.cache.mkdir(parents=True, exist_ok=True)
    simulate.project(np.zeros((8, 8), np.float32), 1, 1)  # compiles once, before the processes start
    with multiprocessing.Pool(arguments.processes) as pool:
        for split, draws in (("val", 1), ("train", arguments.draws)):
            made = list(pool.imap(pair, tasks(arguments.data, split, draws), chunksize=4))
            for part, arrays in zip(("clean", "noise"), zip(*made)):
                np.save(arguments.cache / f"{split}-{part}.npy", np.stack(arrays))
            print(split, len(made), "pairs", flush=True)


if __name__ == "__main__":
    main()
