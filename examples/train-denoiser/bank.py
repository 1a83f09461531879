"""Makes the bank of pairs (low dose, clean slice) that train.py draws from, for the splits train and val only.

    python3 bank.py --data DIR --out BANK.pt [--draws 3] [--strengths 2] [--device cuda]

A file of torch.save: {"train": pairs, "val": pairs}, pairs being
    clean   int16 [slices, 512, 512], HU
    phantom bool [slices]
    slice   int64 [pairs]: the clean slice of each
    low     int16 [pairs, 512, 512], HU: with noise, rounded and clipped as scanners do
    left    int16 [pairs, 512, 512], 1/8 HU: what non_local_means makes of low
    dose    float32 [pairs]: part of the slice's own dose; 0 where the noise is of any other strength
"""
import argparse
import multiprocessing
import time

import numpy as np
import torch
from scipy.ndimage import gaussian_filter, zoom

import low_dose
import model
import phantoms
import projections
import simulate
import volumes

LEFT_UNIT = 1 / 8  # HU per step of the stored `left`
PHANTOMS = 60
SIZE = 512
DOSES = (1 / 2, 1 / 4, 1 / 8)  # of val
DOSE = (0.09, 0.65)  # parts of the slice's own dose, drawn evenly in their logarithm
SCALE = (0.2, 2.0)  # noise whatever the slice's own, in units of TRAIN_SD; also evenly in the logarithm
DOSE_SHARE = 0.8  # of the samples take DOSE, the others SCALE
RAISED_SHARE = 0.6  # of the training slices get more noise of their own,
OWN = 45.0  # HU; up to this, evenly in the logarithm
VAL_OWN = (18.0, 30.0, 42.0)  # HU, by turns: every other slice of val gets so much noise of its own
NOISY = 20.0  # HU: a slice with more noise of its own always takes DOSE
PHOTONS = (4e4, 1e6)  # of an unattenuated ray, evenly in the logarithm: few give streaks; the noise is scaled afterwards
PHANTOM_SCALE = (0.01, 1.0)  # in units of TRAIN_SD; the lower half of the logarithm is hardly noise at all


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


def spread(rng, ends):
    """One number between the ends, evenly in its logarithm."""
    return float(np.exp(rng.uniform(*np.log(ends))))


def textures(count, rng):
    """float64 [count, 3]: pixel size (mm), cut-off and photons of the noise of each slice, see simulate.noise_of."""
    one = lambda: (rng.uniform(*low_dose.PIXEL_MM), spread(rng, low_dose.CUT_OFF), spread(rng, PHOTONS))  # noqa: E731
    return np.array([one() for _ in range(count)])


def slice_noises(task):
    """`count` noises of TRAIN_SD in the body, float32 [512, 512] HU each, of (clean int16 [512, 512], texture, count, seed): by ct.c.

    One projection does for all of them: what noise adds to a slice changes its line integrals by little.
    """
    clean, (pixel_mm, cut_off, photons), count, seed = task
    rng = np.random.default_rng(seed)
    hu = clean.astype(np.float32)
    integrals = simulate.line_integrals(hu, pixel_mm)
    body = low_dose.body_of(hu)
    noises = [simulate.noise_of(integrals, photons, SIZE, pixel_mm, cut_off, rng) for _ in range(count)]
    return [noise * np.float32(low_dose.TRAIN_SD / noise[body if body.any() else ...].std()) for noise in noises]


def noises_on_gpu(cleans, texture, count, device, batch=32):
    """slice_noises of every slice, `count` of each."""
    noises = []
    for start in range(0, len(cleans), batch):
        hu = torch.from_numpy(np.stack(cleans[start : start + batch])).to(device).float()
        pixel_mm, cut_off, photons = torch.from_numpy(texture[start : start + batch]).to(device).float().unbind(1)
        sinograms = projections.project(projections.attenuation(hu))
        body = (torch.nn.functional.avg_pool2d(hu[:, None], 15, 1, 7)[:, 0] > -300).float()
        drawn = [projections.noise_of(sinograms, photons, pixel_mm, cut_off, SIZE) for _ in range(count)]
        scaled = [one * (low_dose.TRAIN_SD / body_sd(one, body))[:, None, None] for one in drawn]
        noises.extend(torch.stack(scaled, 1).cpu().numpy())
    return noises


def noises_of(cleans, texture, raised, seed, device, pool):
    """Noises of every slice, where there is room for it: two of the `raised`, or more, and one or more of the others."""
    if device != "cpu":
        with torch.no_grad():
            return noises_on_gpu(cleans, texture, 2 if raised.any() else 1, device)
    counts = 1 + raised.astype(int)
    tasks = [(clean, *rest, [*seed, number]) for number, (clean, *rest) in enumerate(zip(cleans, texture, counts))]
    return pool.map(slice_noises, tasks, chunksize=1)


def raised_to(slices, split, rng):
    """Noise of its own, HU, that each (clean, own noise) slice of a split is to get; nan where it keeps what it has."""
    if split == "val":
        turns = [VAL_OWN[number // 2 % len(VAL_OWN)] if number % 2 else 0 for number in range(len(slices))]
        return np.array([wanted if wanted > own else np.nan for wanted, (_, own) in zip(turns, slices)])
    raised = lambda own: 0 < own < OWN and rng.random() < RAISED_SHARE  # noqa: E731
    return np.array([spread(rng, (own, OWN)) if raised(own) else np.nan for _, own in slices])


def noisier(clean, own, noise, wanted):
    """The slice with noise of `wanted` HU of its own, of which it has `own`, as if taken so.

    A reference has noise too, and more of it in thin slices: where low dose is a part of that dose, the part of the
    noise that was there before has to stay. The texture is that of the noise of low dose, as in a scanner.
    """
    more = noise * (np.sqrt(wanted**2 - own**2) / low_dose.TRAIN_SD)
    return simulate.add_noise(clean.astype(np.float32), more)


def strengths_of(own, phantom, count, rng):
    """(scale of noise of TRAIN_SD, part of the dose or 0) for `count` training pairs of a slice with noise `own` HU."""
    for _ in range(count):
        if phantom:
            yield spread(rng, PHANTOM_SCALE), 0.0
        elif own > NOISY or rng.random() < DOSE_SHARE:
            dose = spread(rng, DOSE)
            yield low_dose.low_dose_sd(own, dose) / low_dose.TRAIN_SD, dose
        else:
            yield spread(rng, SCALE), 0.0


def pair(task):
    """(low int16, left int16) [512, 512] of (clean int16, noise float32 of TRAIN_SD, scale)."""
    clean, noise, scale = task
    torch.set_num_threads(1)
    low = simulate.add_noise(clean, noise * scale)
    with torch.no_grad():
        left = model.filtered(torch.from_numpy(low.astype(np.float32))[None, None])[0, 0]
    return low, (left / LEFT_UNIT).round().short().numpy()


def pairs_of(slices, real, split, arguments, pool):
    """The pairs of a split: of its (clean, own noise), of which `real` are no phantoms."""
    rng = np.random.default_rng([arguments.seed, split == "val"])
    cleans, phantom, tasks, numbers, doses = [], [], [], [], []
    for draw in range(arguments.draws if split == "train" else 1):
        seed = [arguments.seed, split == "val", draw]
        texture = textures(len(slices), rng)
        wanted = raised_to(slices, split, rng)
        noises = noises_of([clean for clean, _ in slices], texture, ~np.isnan(wanted), seed, arguments.device, pool)
        for number, ((clean, sd), (noise, *more)) in enumerate(zip(slices, noises)):
            if not np.isnan(wanted[number]):
                clean, sd = noisier(clean, sd, more[0], wanted[number]), wanted[number]
            if split == "val":
                strengths = [(low_dose.low_dose_sd(sd, dose) / low_dose.TRAIN_SD, dose) for dose in DOSES]
            else:
                strengths = strengths_of(sd, number >= real, arguments.strengths, rng)
            for scale, dose in strengths:
                tasks.append((clean, noise, scale))
                numbers.append(len(cleans))
                doses.append(dose)
            cleans.append(clean)
            phantom.append(number >= real)
    made = pool.map(pair, tasks, chunksize=8)
    return {
        "clean": torch.from_numpy(np.stack(cleans)),
        "phantom": torch.tensor(phantom),
        "slice": torch.tensor(numbers),
        "low": torch.from_numpy(np.stack([low for low, _ in made])),
        "left": torch.from_numpy(np.stack([left for _, left in made])),
        "dose": torch.tensor(doses, dtype=torch.float32),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="folder with index.json and the volumes")
    parser.add_argument("--out", required=True)
    parser.add_argument("--draws", type=int, default=3)
    parser.add_argument("--strengths", type=int, default=2, help="of each draw of noise in training")
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
            bank[split] = pairs_of(real + made_up, len(real), split, arguments, pool)
            print(f"{split}: {len(bank[split]['low'])} pairs after {time.monotonic() - began:.0f} s", flush=True)
    torch.save(bank, arguments.out)


if __name__ == "__main__":
    main()
