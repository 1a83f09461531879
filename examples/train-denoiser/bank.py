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
PHANTOMS = 40
SIZE = 512
DOSES = (1 / 2, 1 / 4, 1 / 8)  # of val
DOSE = (0.09, 0.65)  # parts of the slice's own dose, drawn evenly in their logarithm
BODY_SD = 25.0  # HU, of noise in the body at scale 1
SCALE = (0.2, 2.0)  # noise whatever the slice's own; also evenly in the logarithm
DOSE_SHARE = 0.8  # of the samples take DOSE, the others SCALE
RAISED_SHARE = 0.5  # of the training slices get more noise of their own,
OWN = 45.0  # HU (low_dose.own_noise); up to this, evenly in the logarithm
VAL_OWN = (12.0, 20.0, 28.0)  # HU, by turns: every other slice of val gets so much noise of its own
NOISY = 14.0  # HU: a slice with more noise of its own always takes DOSE
PHOTONS = (4e4, 1e6)  # of an unattenuated ray, evenly in the logarithm: few give streaks; the noise is scaled afterwards
PHANTOM_SCALE = (0.01, 1.0)  # the lower half of the logarithm is hardly noise at all


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
    """[clean int16 [512, 512]] of (slice HU, volume entry, slice number, every variant?)."""
    slice_hu, entry, number, every = task
    hu = np.clip(slice_hu, simulate.HU_MIN, simulate.HU_MAX).astype(np.float32)
    rng = low_dose.seeded(entry, number, 0)
    return [np.rint(clean).astype(np.int16) for clean in (variants(hu, rng) if every else [hu])]


def phantom_slice(seed):
    return np.rint(phantoms.phantom(np.random.default_rng(seed))).astype(np.int16)


def cleans(data, split, pool, hold_out):
    """Clean slices, int16 [512, 512], of a split, and of phantoms; hold_out is of train, but counts as val."""
    entries = volumes.volumes(data, "train") + volumes.volumes(data, "val")
    tasks = [
        (hu, entry, number, split == "train")
        for entry in entries
        if ("val" if volumes.name(entry) == hold_out else entry["split"]) == split
        for number, hu in enumerate(volumes.load(data, entry))
    ]
    made = sum(pool.map(slice_variants, tasks, chunksize=4), [])
    return made, pool.map(phantom_slice, range(PHANTOMS)) if split == "train" else []


def spread(rng, ends):
    """One number between the ends, evenly in its logarithm."""
    return float(np.exp(rng.uniform(*np.log(ends))))


def textures(count, rng):
    """float64 [count, 3]: pixel size (mm), cut-off and photons of the noise of each slice, see simulate.noise_of."""
    one = lambda: (rng.uniform(*low_dose.PIXEL_MM), spread(rng, low_dose.CUT_OFF), spread(rng, PHOTONS))  # noqa: E731
    return np.array([one() for _ in range(count)])


def slice_noise(task):
    """Noise, float32 [512, 512] HU, of (clean int16 [512, 512], texture, seed): by ct.c."""
    clean, (pixel_mm, cut_off, photons), seed = task
    integrals = simulate.line_integrals(clean.astype(np.float32), pixel_mm)
    return simulate.noise_of(integrals, photons, SIZE, pixel_mm, cut_off, np.random.default_rng(seed))


def noises_on_gpu(cleans, texture, device, batch=32):
    """slice_noise of every slice."""
    noises = []
    for start in range(0, len(cleans), batch):
        hu = torch.from_numpy(np.stack(cleans[start : start + batch])).to(device).float()
        pixel_mm, cut_off, photons = torch.from_numpy(texture[start : start + batch]).to(device).float().unbind(1)
        sinograms = projections.project(projections.attenuation(hu))
        noises.extend(projections.noise_of(sinograms, photons, pixel_mm, cut_off, SIZE).cpu().numpy())
    return noises


def noises_of(cleans, texture, seed, device, pool):
    """One noise for every slice, of any strength; on the GPU if there is one."""
    if device != "cpu":
        with torch.no_grad():
            return noises_on_gpu(cleans, texture, device)
    tasks = [(clean, *rest, [*seed, number]) for number, (clean, *rest) in enumerate(zip(cleans, texture))]
    return pool.map(slice_noise, tasks, chunksize=1)


def own_noise(clean):
    return low_dose.own_noise(clean.astype(np.float32))


def fine_deviation(clean, noise):
    """What own_noise would say of a noise that is added to the slice."""
    return low_dose.band_deviations(noise, low_dose.flattest(clean.astype(np.float32)))[0]


def body_deviation(clean, noise):
    body = low_dose.body_of(clean.astype(np.float32))
    return noise[body if body.any() else ...].std()


def deviation(task):
    """Standard deviation of a noise, HU, of (clean, noise, as own_noise or in the body?)."""
    clean, noise, as_own = task
    return (fine_deviation if as_own else body_deviation)(clean, noise)


def raised_to(own, split, rng):
    """Noise of its own, HU, that each slice, of noise `own`, is to get; nan where it keeps what it has."""
    if split == "val":
        turns = [VAL_OWN[number // 2 % len(VAL_OWN)] if number % 2 else 0 for number in range(len(own))]
        return np.array([wanted if wanted > fine else np.nan for wanted, (fine, _) in zip(turns, own)])
    raised = lambda fine: fine < OWN and rng.random() < RAISED_SHARE  # noqa: E731
    return np.array([spread(rng, (fine, OWN)) if raised(fine) else np.nan for fine, _ in own])


def noisier(task):
    """(slice with noise of its own of `wanted` HU, as if taken so; that noise) of (clean, its own noise, noise, wanted).

    A reference has noise too, and more of it in thin slices: low dose is a part of that dose, and the part of the noise
    that was there before has to stay.
    """
    clean, (fine, _), noise, wanted = task
    noisy = simulate.add_noise(clean, noise * (np.sqrt(wanted**2 - fine**2) / fine_deviation(clean, noise)))
    return noisy, own_noise(noisy)


def with_own_noise(slices, split, seed, rng, arguments, pool):
    """(slice, its own noise) of all, some of them made noisier."""
    own = pool.map(own_noise, slices, chunksize=4)
    wanted = raised_to(own, split, rng)
    chosen = np.nonzero(~np.isnan(wanted))[0]
    before = [slices[number] for number in chosen]
    noises = noises_of(before, textures(len(chosen), rng), [*seed, 0], arguments.device, pool)
    tasks = [(clean, own[number], noise, wanted[number]) for number, clean, noise in zip(chosen, before, noises)]
    slices = list(slices)
    for number, (noisy, fine_and_medium) in zip(chosen, pool.map(noisier, tasks, chunksize=4)):
        slices[number], own[number] = noisy, fine_and_medium
    return list(zip(slices, own))


def pair(task):
    """(low int16, left int16) [512, 512] of (clean int16, noise, factor of the noise)."""
    clean, noise, factor = task
    torch.set_num_threads(1)
    low = simulate.add_noise(clean, noise * factor)
    with torch.no_grad():
        left = model.filtered(torch.from_numpy(low.astype(np.float32))[None, None])[0, 0]
    return low, (left / LEFT_UNIT).round().short().numpy()


def pairs_of_draw(real, made_up, split, draw, rng, arguments, pool):
    """(clean slices, tasks of `pair`, and of each its slice and part of the dose or 0) for one draw of noise."""
    seed = [arguments.seed, split == "val", draw]
    real = with_own_noise(real, split, seed, rng, arguments, pool)
    slices = [clean for clean, _ in real] + made_up
    texture = textures(len(slices), rng)
    matched = np.zeros(len(slices), bool)
    for number, (_, own) in enumerate(real):
        matched[number] = split == "val" or own[0] > NOISY or rng.random() < DOSE_SHARE
        if matched[number]:
            texture[number, 1] = low_dose.cut_off_of(own)
    noises = noises_of(slices, texture, [*seed, 1], arguments.device, pool)
    deviations = pool.map(deviation, list(zip(slices, noises, matched)), chunksize=4)
    tasks, numbers, doses = [], [], []
    for number, (clean, noise, has) in enumerate(zip(slices, noises, deviations)):
        for nth in range(len(DOSES) if split == "val" else arguments.strengths):
            dose = 0.0
            if matched[number]:
                dose = DOSES[nth] if split == "val" else spread(rng, DOSE)
                wanted = real[number][1][0] * low_dose.more_noise(dose)
            else:
                wanted = BODY_SD * spread(rng, SCALE if number < len(real) else PHANTOM_SCALE)
            tasks.append((clean, noise, np.float32(wanted) / has))
            numbers.append(number)
            doses.append(dose)
    return slices, tasks, numbers, doses


def pairs_of(real, made_up, split, arguments, pool):
    """The pairs of a split: of its slices and of phantoms."""
    rng = np.random.default_rng([arguments.seed, split == "val"])
    cleans, phantom, lows, lefts, numbers, doses = [], [], [], [], [], []
    for draw in range(arguments.draws if split == "train" else 1):
        slices, tasks, of, parts = pairs_of_draw(real, made_up, split, draw, rng, arguments, pool)
        for low, left in pool.map(pair, tasks, chunksize=8):
            lows.append(low)
            lefts.append(left)
        numbers.extend(len(cleans) + number for number in of)
        doses.extend(parts)
        cleans.extend(slices)
        phantom.extend([False] * len(real) + [True] * len(made_up))
    return {
        "clean": torch.from_numpy(np.stack(cleans)),
        "phantom": torch.tensor(phantom),
        "slice": torch.tensor(numbers),
        "low": torch.from_numpy(np.stack(lows)),
        "left": torch.from_numpy(np.stack(lefts)),
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
            bank[split] = pairs_of(real, made_up, split, arguments, pool)
            print(f"{split}: {len(bank[split]['low'])} pairs after {time.monotonic() - began:.0f} s", flush=True)
    torch.save(bank, arguments.out)


if __name__ == "__main__":
    main()
