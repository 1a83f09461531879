"""Noise of a wanted strength for a slice, and the noise that a slice has itself."""
import zlib

import numpy as np
from scipy.ndimage import gaussian_filter

import simulate

TRAIN_SD = 25.0  # HU, noise in the body at scale 1
PIXEL_MM = (0.6, 0.85)
CUT_OFF = (0.8, 2.5)  # soft to sharp, see simulate.filtered_back_projection
PROBE_PHOTONS = 2e5
PHOTONS = (1e4, 2e7)  # least and most that a pair may take


def body_of(hu):
    """bool, the shape of hu: where the patient or the table is."""
    return gaussian_filter(hu, 4) > -300


def simulated_noise(clean, wanted_sd, pixel_mm, cut_off, rng):
    """Noise in HU for clean (HU), at the dose that gives it a standard deviation of wanted_sd HU in the body."""
    integrals = simulate.line_integrals(clean, pixel_mm)
    noise_at = lambda photons: simulate.noise_of(integrals, photons, len(clean), pixel_mm, cut_off, rng)  # noqa: E731
    body, probe = body_of(clean), noise_at(PROBE_PHOTONS)
    probe_sd = probe[body].std() if body.any() else wanted_sd
    photons = np.clip(PROBE_PHOTONS * (probe_sd / wanted_sd) ** 2, *PHOTONS)
    return noise_at(photons)


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
