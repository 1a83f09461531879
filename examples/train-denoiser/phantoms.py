"""Slices that nobody has: discs and rods in a body, without noise. A denoiser has to leave them as they are."""
import numpy as np

SIZE = 512


def _ellipse(rng, centre, spread, radii):
    y, x = np.mgrid[:SIZE, :SIZE].astype(np.float32)
    row, column = centre + rng.uniform(-spread, spread, 2)
    angle = rng.uniform(0, np.pi)
    along = (x - column) * np.cos(angle) + (y - row) * np.sin(angle)
    across = (y - row) * np.cos(angle) - (x - column) * np.sin(angle)
    a, b = rng.uniform(*radii, 2)
    return np.clip((1 - np.hypot(along / a, across / b)) * min(a, b) + 0.5, 0, 1)  # edge one pixel wide


def phantom(rng):
    """float32 [512, 512] HU: a body of soft tissue with lungs, bones, organs of little contrast, rods and discs."""
    hu = np.full((SIZE, SIZE), -1000, np.float32)

    def put(mask, value):
        hu[:] = hu + mask * (value - hu)

    middle = np.array([SIZE / 2, SIZE / 2])
    put(_ellipse(rng, middle, 10, (180, 230)), rng.uniform(-110, -80))
    put(_ellipse(rng, middle, 10, (150, 180)), rng.uniform(20, 60))
    kinds = [
        (rng.integers(0, 3), (25, 80), (-900, -700)),  # lung
        (rng.integers(2, 10), (10, 60), (-20, 120)),  # organs
        (rng.integers(2, 8), (4, 25), (200, 1200)),  # bone
        (rng.integers(3, 25), (1.5, 12), (-120, 250)),  # rods
        (rng.integers(0, 4), (3, 15), (-1000, -900)),  # gas
    ]
    for count, radii, values in kinds:
        for _ in range(count):
            put(_ellipse(rng, middle, 130, radii), rng.uniform(*values))
    return hu
