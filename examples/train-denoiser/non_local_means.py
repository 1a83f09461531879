"""Non-local means: each pixel becomes a mean of those around it whose surroundings look like its own.

Buades, Coll, Morel, "Non-Local Means Denoising", Image Processing On Line 1 (2011): the weight of a pixel whose patch
differs by the mean square d^2 is exp(-max(d^2 - 2 sigma^2, 0) / (h sigma)^2). sigma may differ from pixel to pixel.
"""
import ctypes

import numpy as np

import compiled

SEARCH = 11  # pixels, side of the square around a pixel whose pixels count
PATCH = 5  # pixels, side of the surroundings that are compared; beyond the image's edge its last pixel goes on
STRENGTH = 2.0  # h
LEAST_DEVIATION = 1 / 32  # HU


def non_local_means(image, deviation):
    """float32 HU [size, size] of the same. deviation: sigma of each pixel, HU."""
    image = np.ascontiguousarray(image, np.float32)
    deviation = np.maximum(np.ascontiguousarray(deviation, np.float32), LEAST_DEVIATION)
    assert image.shape == deviation.shape == (len(image), len(image))
    result = np.empty_like(image)
    pointers = [compiled.pointer(array) for array in (image, deviation)]
    strength = ctypes.c_float(STRENGTH)
    run = compiled.library("nlm").non_local_means
    if run(*pointers, len(image), SEARCH, PATCH, strength, compiled.pointer(result)) != 0:
        raise MemoryError("non-local means")
    return result
