"""Non-local means: each pixel becomes a mean of those around it whose surroundings look like its own.

Buades, Coll, Morel, "Non-Local Means Denoising", Image Processing On Line 1 (2011): the weight of a pixel whose patch
differs by the mean square d^2 is exp(-max(d^2 - 2 sigma^2, 0) / (h sigma)^2). sigma may differ from pixel to pixel.
"""
import ctypes
from typing import NamedTuple

import numpy as np

import compiled

LEAST_DEVIATION = 1 / 32  # HU


class Settings(NamedTuple):
    search: int  # pixels, side of the square around a pixel whose pixels count
    patch: int  # pixels, side of the surroundings that are compared; beyond the image's edge its last pixel goes on
    strength: float  # h


def non_local_means(image, deviation, settings, guide):
    """float32 HU [size, size] of the same. deviation: sigma of each pixel, HU. guide: has the patches that are compared."""
    given = image, np.maximum(deviation, LEAST_DEVIATION), guide
    images = [np.ascontiguousarray(array, np.float32) for array in given]
    assert all(array.shape == (len(image), len(image)) for array in images)
    result = np.empty_like(images[0])
    pointers = [compiled.pointer(array) for array in images]
    search, patch, strength = settings
    run = compiled.library("nlm").non_local_means
    if run(*pointers, len(image), search, patch, ctypes.c_float(strength), compiled.pointer(result)) != 0:
        raise MemoryError("non-local means")
    return result
