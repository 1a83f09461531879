"""CT projections of many slices at once, in torch: simulate.py on a GPU, and about as fast as its C on a CPU.

Same geometry and the same noise: parallel beam, views evenly over half a turn, bins one pixel wide.
"""
import math

import torch
from torch.nn import functional as F

import simulate

VIEWS = 360


def bins_of(size):
    return math.ceil(size * math.sqrt(2)) + 2  # the image's corners are seen too


def project(images, views=VIEWS):
    """Sums along the rays [n, views, bins], in steps of one pixel, of images [n, size, size]."""
    size, bins = images.shape[-1], bins_of(images.shape[-1])
    at = torch.arange(bins, device=images.device) - (bins - 1) / 2
    across, along = at[None, :], at[:, None]
    out = images.new_empty(len(images), views, bins)
    for view in range(views):
        angle = math.pi * view / views
        x = across * math.cos(angle) - along * math.sin(angle)
        y = across * math.sin(angle) + along * math.cos(angle)
        grid = torch.stack([x, y], -1)[None] * (2 / (size - 1))
        out[:, view] = F.grid_sample(images[None], grid, align_corners=True)[0].sum(1)
    return out


def back_project(sinograms, size, cut_off):
    """Images [n, size, size] of sinograms [n, views, bins], per pixel; ramp times Hann window of cut_off [n].

    See simulate.filtered_back_projection for cut_off.
    """
    count, views, bins = sinograms.shape
    padded = 1 << (2 * bins - 1).bit_length()
    frequency = torch.fft.rfftfreq(padded, device=sinograms.device)
    reach = 0.5 * cut_off[:, None, None]
    window = torch.where(frequency < reach, 0.5 + 0.5 * torch.cos(math.pi * frequency / reach), 0.0)
    spectrum = torch.fft.rfft(sinograms, padded, dim=2) * (frequency * window)
    filtered = torch.fft.irfft(spectrum, padded, dim=2)[..., :bins]
    centre = torch.arange(size, device=sinograms.device) - (size - 1) / 2
    images = sinograms.new_zeros(count, size, size)
    for view in range(views):
        angle = math.pi * view / views
        u = centre[None, :] * math.cos(angle) + centre[:, None] * math.sin(angle) + (bins - 1) / 2
        left = u.floor().long()
        row = filtered[:, view]
        images += torch.lerp(row[:, left], row[:, left + 1], (u - left).to(row.dtype))
    return images * (math.pi / views)


def noise_of(sinograms, photons, pixel_mm, cut_off, size):
    """Noise in HU [n, size, size] for line integrals per mm of pixel [n, views, bins]; the others are [n].

    photons: mean count of an unattenuated ray; pixel_mm: size of a pixel; see simulate.low_dose_noise.
    """
    clean = sinograms * pixel_mm[:, None, None]
    full = photons[:, None, None]
    counts = torch.poisson(full * torch.exp(-clean))
    counts = counts + simulate.ELECTRONIC_SIGMA * torch.randn_like(counts)
    error = -torch.log(counts.clamp(min=1) / full) - clean
    return back_project(error, size, cut_off) / pixel_mm[:, None, None] * (1000 / simulate.WATER_MU_PER_MM)


def attenuation(hu):
    """mu in 1/mm of HU."""
    return simulate.WATER_MU_PER_MM * (1 + hu.clamp(-1000, simulate.HU_MAX) / 1000)
