"""PSNR, SSIM and RMSE by the project's convention: both images clipped to -160..240 HU, data range 400."""
import numpy as np
from skimage.metrics import structural_similarity

WINDOW = (-160, 240)  # HU
RANGE = WINDOW[1] - WINDOW[0]
TISSUES = {"lung": (-950, -600), "fat": (-140, -60), "softTissue": (-20, 100), "bone": (250, 1500)}  # HU of the reference


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


def bias(image, reference):
    """(sum of image - reference in HU, pixels) of each of TISSUES, as `cipherdose evaluate --report` adds them up."""
    error = np.asarray(image, np.int64) - np.asarray(reference, np.int64)
    of = lambda low, high: (reference >= low) & (reference <= high)  # noqa: E731
    return [(error[of(*ends)].sum(), of(*ends).sum()) for ends in TISSUES.values()]
