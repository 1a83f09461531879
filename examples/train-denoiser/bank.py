"""Makes the bank of pairs (clean slice, noise) that train.py draws from, for the splits train and val only.

    python3 bank.py --data DIR --out BANK.pt [--draws 3] [--device cuda]

A file of torch.save: {"train": pairs, "val": pairs}, pairs being
    clean   int16 [slices, 512, 512], HU
    own     float32 [slices], HU: the noise that the slice has itself; 0 for phantoms
    phantom bool [slices]
    noise   int16 [pairs, 512, 512], 1/16 HU, of TRAIN_SD in the body; to be scaled per sample
    slice   int64 [pairs]: the clean slice of each
"""
import argparse
import multiprocessing
import time

import numpy as np
import torch
from scipy.ndimage import gaussian_filter, zoom

import low_dose
import phantoms
import projections
import simulate
import volumes

NOISE_UNIT = 1 / 16  # HU per step of the stored noise
PHANTOMS = 60
SIZE = 512


def resized(hu, factor):
    """The slice magnified about its centre: as if taken with other pixels. Beyond its edge there is air."""
    if factor < 1:  # what falls between the samples would alias
        hu = gaussian_filter(hu, 0.4 / factor)
    scaled = zoom(hu, factor, order=1 if factor < 1 else 3, mode="nearest", grid_mode=True)
    have = len(scaled)
    if have >= SIZE:
        start = (have - SIZE) // 2
        return scaled[start : start + SIZE, start : start + SIZE]
    out = np.full((SIZE, SIZE), -1000, np.float32)
    start = (SIZE - have) // 2
    out[start : start + have, start : start + have] = scaled
    return out


def variants(hu, rng):
    """The slice itself, smoother, with larger and with smaller pixels."""
    yield hu
    yield gaussian_filter(hu, rng.uniform(0.3, 1))
    yield gaussian_filter(resized(hu, rng.uniform(0.55, 0.95)), rng.uniform(0, 0.6))
    yield resized(hu, rng.uniform(1.05, 1.35))


def slice_variants(task):
    """[(clean int16 [512, 512], own noise HU)] of (slice HU, volume entry, slice number, every variant?)."""
    slice_hu, entry, number, every = task
    hu = np.clip(slice_hu, simulate.HU_MIN, simulate.HU_MAX).astype(np.float32)
    rng = low_dose.seeded(entry, number, 0)
    detail = low_dose.finest_detail(hu)
    return [
        (np.rint(clean).astype(np.int16), entry["noise_hf_HU"] * low_dose.finest_detail(clean) / detail)
        for clean in (variants(hu, rng) if every else [hu])
    ]


def phantom_slice(seed):
    return np.rint(phantoms.phantom(np.random.default_rng(seed))).astype(np.int16), 0.0


def cleans(data, split, pool, hold_out):
    """(clean int16 [512, 512], own noise HU) of every slice of a split, and of phantoms; hold_out is of train, but counts as val."""
    entries = volumes.volumes(data, "train") + volumes.volumes(data, "val")
    tasks = [
        (hu, entry, number, split == "train")
        for entry in entries
        if ("val" if volumes.name(entry) == hold_out else entry["split"]) == split
        for number, hu in enumerate(volumes.load(data, entry))
    ]
    made = sum(pool.map(slice_variants, tasks, chunksize=4), [])
    return made, pool.map(phantom_slice, range(PHANTOMS)) if split == "train" else []


def body_sd(noise, body):
    """Standard deviation [n] of noise [n, size, size] where body is."""
    pixels = body.sum((1, 2)).clamp(min=1)
    mean = (noise * body).sum((1, 2)) / pixels
    return (((noise - mean[:, None, None]) ** 2 * body).sum((1, 2)) / pixels).sqrt()


def noise_of(clean, draws, device, batch=32):
    """int16 noise [draws * slices, 512, 512], draw by draw of each batch, and the slice of each."""
    noises, slices = [], []
    for start in range(0, len(clean), batch):
        hu = clean[start : start + batch].to(device).float()
        sinograms = projections.project(projections.attenuation(hu))
        body = (torch.nn.functional.avg_pool2d(hu[:, None], 15, 1, 7)[:, 0] > -300).float()
        for _ in range(draws):
            count = len(hu)
            pixel_mm = torch.empty(count, device=device).uniform_(*low_dose.PIXEL_MM)
            low, high = np.log(low_dose.CUT_OFF)
            cut_off = torch.empty(count, device=device).uniform_(low, high).exp()
            photons = torch.full((count,), low_dose.PROBE_PHOTONS, device=device)
            probe = projections.noise_of(sinograms, photons, pixel_mm, cut_off, SIZE)
            photons = (photons * (body_sd(probe, body) / low_dose.TRAIN_SD) ** 2).clamp(*low_dose.PHOTONS)
            noise = projections.noise_of(sinograms, photons, pixel_mm, cut_off, SIZE)
            noises.append((noise / NOISE_UNIT).round().clamp(-32767, 32767).short().cpu())
            slices.append(torch.arange(start, start + count))
    return torch.cat(noises), torch.cat(slices)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="folder with index.json and the volumes")
    parser.add_argument("--out", required=True)
    parser.add_argument("--draws", type=int, default=3)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--seed", type=int, default=0, help="of the noise")
    parser.add_argument("--fewest", type=int, default=None, help="only so many slices, for a trial")
    parser.add_argument("--hold-out", default=None, help="a training volume to validate on instead")
    arguments = parser.parse_args()
    torch.manual_seed(arguments.seed)
    bank, began = {}, time.monotonic()
    with multiprocessing.get_context("fork").Pool() as pool:
        made = {split: cleans(arguments.data, split, pool, arguments.hold_out) for split in ("val", "train")}
    print(f"clean slices after {time.monotonic() - began:.0f} s", flush=True)
    for split, (real, made_up) in made.items():
        if arguments.fewest:
            real, made_up = real[:: max(1, len(real) // arguments.fewest)], made_up[:2]
        slices = real + made_up
        clean = torch.from_numpy(np.stack([hu for hu, _ in slices]))
        with torch.no_grad():
            noise, index = noise_of(clean, arguments.draws if split == "train" else 1, arguments.device)
        bank[split] = {
            "clean": clean,
            "own": torch.tensor([own for _, own in slices], dtype=torch.float32),
            "phantom": torch.arange(len(slices)) >= len(real),
            "noise": noise,
            "slice": index,
        }
        print(f"{split}: {len(noise)} pairs after {time.monotonic() - began:.0f} s", flush=True)
    torch.save(bank, arguments.out)


if __name__ == "__main__":
    main()
