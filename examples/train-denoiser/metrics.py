"""PSNR, SSIM and RMSE by the project's convention: both images clipped to -160..240 HU, data range 400."""
import numpy as np
from skimage.metrics import structural_similarity

WINDOW = (-160, 240)  # HU
RANGE = WINDOW[1] - WINDOW[0]


def _clip(hu):
    return np.clip(np.asarray(hu, np.float64), *WINDOW)


def rmse(image, reference):
    """HU."""
    return float(np.sqrt(np.mean((_clip(image) - _clip(reference)) ** 2)))


def psnr(image, reference):
    """dB; infinite for equal images."""
    error = rmse(image, reference)
    return float("inf") if error == 0 else 20 * np.log10(RANGE / error)


def ssim(image, reference):
    return float(structural_similarity(_clip(image), _clip(reference), data_range=RANGE))
