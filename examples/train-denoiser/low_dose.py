"""Noise of a wanted strength for a slice, and the noise that a slice has itself.

A scan at a part d of the dose has the noise of the full dose and, by the same kernel, as much more as takes its variance
to 1/d. So that a pair is what a scanner would give, noise of low dose is made as fine as the slice's own, and as strong
as that says: twice the variance at half the dose.
"""
import math
import zlib

import numpy as np
from scipy.ndimage import gaussian_filter

import simulate

PIXEL_MM = (0.6, 0.85)
CUT_OFF = (0.8, 2.5)  # soft to sharp, see simulate.filtered_back_projection
PROBE_PHOTONS = 2e5
PHOTONS = (1e4, 2e7)  # least and most that a pair may take
FINE, MEDIUM = 1.0, 2.0  # pixels, deviations of the Gaussians between which the bands lie
SOFT_TISSUE = (-150, 250)  # HU, of the smooth image
FLATTEST = 0.1  # of the soft tissue; elsewhere anatomy passes for noise
LEAST_PIXELS = 2000  # of soft tissue; with less of it all of the body is taken


def body_of(hu):
    """bool, the shape of hu: where the patient or the table is."""
    return gaussian_filter(hu, 4) > -300


def flattest(hu):
    """bool, the shape of hu: where soft tissue is flat, so that what varies is noise."""
    smooth = gaussian_filter(hu, 4)
    inside = (smooth > SOFT_TISSUE[0]) & (smooth < SOFT_TISSUE[1]) & (np.abs(hu - smooth) < 300)
    if inside.sum() < LEAST_PIXELS:
        body = body_of(hu)
        inside = body if body.any() else np.ones_like(inside)
    slope = np.hypot(*np.gradient(gaussian_filter(hu, 3)))
    return inside & (slope <= np.quantile(slope[inside], FLATTEST))


def band_deviations(image, where):
    """Robust standard deviations (fine, medium), HU, of the two finest bands of an image at the pixels `where`."""
    fine, medium = gaussian_filter(image, FINE), gaussian_filter(image, MEDIUM)
    bands = (image - fine)[where], (fine - medium)[where]
    return tuple(float(np.median(np.abs(band - np.median(band))) / 0.6745) + 1e-3 for band in bands)


def own_noise(hu):
    """(fine, medium) of the noise that a slice has itself; `fine` is what is called its noise here."""
    return band_deviations(hu, flattest(hu))


def noise_power(frequency, cut_off):
    """Power, to a factor, of noise with this cut-off at frequencies in cycles per pixel: of filtered back-projection.

    In the plane that is frequency times the squared window, and the interpolation between bins smooths a little.
    """
    window = np.where(frequency < 0.5 * min(cut_off, 1), 0.5 + 0.5 * np.cos(np.pi * frequency / (0.5 * cut_off)), 0)
    return frequency * window**2 * (2 + np.cos(2 * np.pi * np.minimum(frequency, 0.5))) / 3


def _fine_to_medium(cut_off):
    """Ratio of the bands of noise with this cut-off."""
    frequency = np.linspace(0, 0.5, 2001)[1:]
    power = noise_power(frequency, cut_off)
    fine, medium = (np.exp(-2 * (math.pi * sigma * frequency) ** 2) for sigma in (FINE, MEDIUM))
    within = lambda band: float(np.sum(power * band**2 * frequency))  # noqa: E731
    return math.sqrt(within(1 - fine) / within(fine - medium))


_CUT_OFFS = np.geomspace(*CUT_OFF, 50)
_RATIOS = np.array([_fine_to_medium(cut_off) for cut_off in _CUT_OFFS])


def cut_off_of(own):
    """Cut-off, see simulate.filtered_back_projection, that gives noise as fine as `own` (fine, medium)."""
    return float(np.interp(own[0] / own[1], _RATIOS, _CUT_OFFS))


def more_noise(dose):
    """Standard deviation of the noise that takes a slice to a part of its dose, in units of its own noise."""
    return math.sqrt(1 / dose - 1)


def _noise(hu, wanted_sd, measured, pixel_mm, cut_off, rng):
    """Noise in HU for a slice (HU), of as many photons as bring its standard deviation, as `measured`, to wanted_sd HU."""
    integrals = simulate.line_integrals(hu, pixel_mm)
    noise_at = lambda photons: simulate.noise_of(integrals, photons, len(hu), pixel_mm, cut_off, rng)  # noqa: E731
    return noise_at(np.clip(PROBE_PHOTONS * (measured(noise_at(PROBE_PHOTONS)) / wanted_sd) ** 2, *PHOTONS))


def simulated_noise(hu, wanted_sd, pixel_mm, cut_off, rng):
    """Noise in HU for a slice (HU), at the dose that gives it a standard deviation of wanted_sd HU in the body."""
    body = body_of(hu)
    measured = lambda noise: noise[body].std() if body.any() else wanted_sd  # noqa: E731
    return _noise(hu, wanted_sd, measured, pixel_mm, cut_off, rng)


def low_dose_noise(hu, dose, pixel_mm, rng):
    """Noise in HU, as fine as the slice's own, that takes a slice (HU) to a part `dose` of its dose."""
    where = flattest(hu)
    own = band_deviations(hu, where)
    wanted = own[0] * more_noise(dose)
    measured = lambda noise: band_deviations(noise, where)[0]  # noqa: E731
    noise = _noise(hu, wanted, measured, pixel_mm, cut_off_of(own), rng)
    return noise * np.float32(wanted / measured(noise))


def seeded(entry, number, draw):
    return np.random.default_rng([zlib.crc32(entry["file"].encode()), number, draw])
