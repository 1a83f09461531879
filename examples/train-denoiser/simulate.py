"""Low-dose CT noise for one slice, simulated in the projection domain.

The slice is forward projected (parallel beam), photon counts are drawn (Poisson, plus Gaussian electronic
noise), and only the *difference* between the noisy and the noise-free line integrals is reconstructed and
added. So the slice itself is never re-reconstructed and keeps its own resolution and its own noise.
"""
import math

import numpy as np

import compiled

WATER_MU_PER_MM = 0.0195  # linear attenuation of water at about 70 keV, 1/mm
ELECTRONIC_SIGMA = 5.0  # counts
HU_MIN, HU_MAX = -1024, 3071


def project(mu, views, pixel_mm):
    """Line integrals (no unit), shape [views, bins], of mu [size, size] in 1/mm; bins one pixel wide."""
    size = mu.shape[0]
    bins = math.ceil(size * math.sqrt(2)) + 2  # the image's corners are seen too
    mu = np.ascontiguousarray(mu, np.float32)
    sinogram = np.empty((views, bins), np.float32)
    run = compiled.library("ct").project
    if run(compiled.pointer(mu), size, views, bins, compiled.pointer(sinogram)) != 0:
        raise MemoryError("project")
    return sinogram * np.float32(pixel_mm)


def filtered_back_projection(sinogram, size, pixel_mm, cut_off):
    """mu [size, size] in 1/mm of line integrals [views, bins]; ramp filter times a Hann window.

    cut_off: where the Hann window reaches zero, in units of the Nyquist frequency. 1 is a soft kernel,
    0.8 softer; above 1 the window is cut at Nyquist, 2.5 is sharp (0.65 left at Nyquist).
    """
    views, bins = sinogram.shape
    padded = 1 << (2 * bins - 1).bit_length()
    frequency = np.fft.rfftfreq(padded)  # cycles per bin, up to 0.5
    window = np.where(frequency < 0.5 * cut_off, 0.5 + 0.5 * np.cos(math.pi * frequency / (0.5 * cut_off)), 0)
    spectrum = np.fft.rfft(sinogram, padded, axis=1) * (frequency * window)
    filtered = np.fft.irfft(spectrum, padded, axis=1)[:, :bins].astype(np.float32) / np.float32(pixel_mm)
    image = np.empty((size, size), np.float32)
    filtered = np.ascontiguousarray(filtered)
    compiled.library("ct").back_project(compiled.pointer(filtered), views, bins, size, compiled.pointer(image))
    return image


def line_integrals(hu, pixel_mm, views=360):
    """Line integrals [views, bins] of the slice hu [size, size] in HU, with pixels of pixel_mm."""
    return project(WATER_MU_PER_MM * (1 + np.clip(hu, -1000, HU_MAX) / 1000), views, pixel_mm)


def noise_of(clean, photons, size, pixel_mm, cut_off, rng):
    """Noise in HU, shape [size, size] float32, of a slice with the line integrals `clean`.

    photons: mean count of an unattenuated ray, per view and detector bin; noise goes with 1/sqrt(photons).
    cut_off: see filtered_back_projection. rng: numpy Generator.
    """
    counts = rng.poisson(photons * np.exp(-clean.astype(np.float64)))
    counts = counts + ELECTRONIC_SIGMA * rng.standard_normal(counts.shape)
    noisy = -np.log(np.maximum(counts, 1) / photons)  # photon starvation: a count below 1 is taken as 1
    error = (noisy - clean).astype(np.float32)
    return filtered_back_projection(error, size, pixel_mm, cut_off) / WATER_MU_PER_MM * 1000


def low_dose_noise(hu, photons, pixel_mm, cut_off, rng, views=360):
    """Noise in HU, shape [size, size] float32, to add to the slice hu [size, size] in HU; see noise_of."""
    return noise_of(line_integrals(hu, pixel_mm, views), photons, hu.shape[0], pixel_mm, cut_off, rng)


def add_noise(hu, noise):
    """The low-dose slice: hu + noise, both in HU, rounded and clipped to -1024..3071 HU as int16."""
    return np.clip(np.rint(hu + noise), HU_MIN, HU_MAX).astype(np.int16)
