"""PSNR, SSIM and RMSE by the project's convention: both images clipped to -160..240 HU, data range 400."""
import numpy as np
from scipy.ndimage import uniform_filter
from skimage.metrics import structural_similarity

WINDOW = (-160, 240)  # HU
RANGE = WINDOW[1] - WINDOW[0]
TISSUES = {"lung": (-950, -600), "fat": (-140, -60), "softTissue": (-20, 100), "bone": (250, 1500)}  # HU, see tissue
AROUND = 5  # pixels, side of the square whose median says of which tissue a pixel is


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


def tissue(reference, least, most):
    """Whether the median of the AROUND x AROUND pixels around each pixel is within least..most; beyond the edge its last pixels go on.

    By its own value a pixel would be chosen for its noise too: at the edge of a class, and bone has hardly anything else,
    more pixels get in by noise that is away from the edge than by noise towards it. An image without any noise would then
    seem to be biased against a reference that has some.
    """
    most_of = lambda inside: uniform_filter(inside.astype(np.float64), AROUND, mode="nearest") > 0.5  # noqa: E731
    return most_of(reference >= least) & most_of(reference <= most)


def tissues(reference):
    """`tissue` for each of TISSUES."""
    return [tissue(reference, *ends) for ends in TISSUES.values()]


def bias(image, reference, chosen):
    """(sum of image - reference in HU, pixels) of each of the `tissues` chosen, as `cipherdose evaluate --report` adds them up."""
    error = np.asarray(image, np.int64) - np.asarray(reference, np.int64)
    return [(error[pixels].sum(), pixels.sum()) for pixels in chosen]
