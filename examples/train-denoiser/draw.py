"""Training patches and whole val slices from a bank (bank.py), on the device that holds it."""
import numpy as np
import torch

import low_dose
import simulate
from bank import NOISE_UNIT, SIZE

PATCH = 256  # pixels
MARGIN = 32  # pixels next to a patch side that do not count, unless the side is the image's own edge
DOSE = (0.09, 0.65)  # parts of the slice's own dose, drawn evenly in their logarithm
SCALE = (0.2, 2.0)  # noise whatever the slice's own, in units of TRAIN_SD; also evenly in the logarithm
DOSE_SHARE = 0.6  # of the samples take DOSE, the others SCALE
NOISY = 20.0  # HU: a slice with more noise of its own always takes DOSE
PHANTOM_SHARE = 0.06
PHANTOM_SCALE = (0.01, 1.0)  # in units of TRAIN_SD; the lower half of the logarithm is hardly noise at all
AIR = -700  # HU; a patch with a lower mean is hardly ever drawn


class Bank:
    """The pairs of one split on a device."""

    def __init__(self, pairs, device):
        self.device = device
        self.clean, self.noise, self.own, self.slice = (
            pairs[name].to(device) for name in ("clean", "noise", "own", "slice")
        )
        phantom = pairs["phantom"][pairs["slice"]]
        self.real = torch.nonzero(~phantom)[:, 0].to(device)
        self.phantom = torch.nonzero(phantom)[:, 0].to(device)

    def __len__(self):
        return len(self.noise)

    def noisy(self, clean, noise, scale):
        """float32 HU of a low-dose image: rounded and clipped as scanners do."""
        return (clean + noise * (NOISE_UNIT * scale)).round().clamp(simulate.HU_MIN, simulate.HU_MAX)

    def whole(self, index, dose):
        """(low dose, clean) float32 [1, 1, 512, 512] HU at a part of the slice's own dose."""
        number = self.slice[index]
        clean = self.clean[number].float()
        scale = self.own[number] * np.sqrt(1 / dose - 1) / low_dose.TRAIN_SD
        return self.noisy(clean, self.noise[index].float(), scale)[None, None], clean[None, None]

    def _uniform(self, count, ends):
        low, high = np.log(ends)
        return torch.empty(count, device=self.device).uniform_(low, high).exp()

    def _scales(self, pair, phantoms):
        own = self.own[self.slice[pair]]
        by_dose = own * (1 / self._uniform(len(pair), DOSE) - 1).sqrt() / low_dose.TRAIN_SD
        free = self._uniform(len(pair), SCALE)
        scale = torch.where((own > NOISY) | (torch.rand_like(own) < DOSE_SHARE), by_dose, free)
        scale[:phantoms] = self._uniform(phantoms, PHANTOM_SCALE) if phantoms else scale[:0]
        return scale

    def patches(self, count):
        """(low dose HU, clean HU, counts?) float32 [count, 1, PATCH, PATCH]."""
        wanted = 2 * count
        phantoms = int((torch.rand(count) < PHANTOM_SHARE).sum()) if len(self.phantom) else 0
        pair = self.real[torch.randint(len(self.real), (wanted,), device=self.device)]
        if phantoms:
            pair[:phantoms] = self.phantom[torch.randint(len(self.phantom), (phantoms,), device=self.device)]
        start = torch.randint(-MARGIN, SIZE - PATCH + MARGIN + 1, (2, wanted), device=self.device)
        start = start.clamp(0, SIZE - PATCH)
        within = torch.arange(PATCH, device=self.device)
        rows, columns = start[0, :, None] + within, start[1, :, None] + within
        number = self.slice[pair]
        clean = self.clean[number[:, None, None], rows[:, :, None], columns[:, None, :]].float()
        empty = clean[:, ::8, ::8].mean((1, 2)) < AIR
        empty[:phantoms] = False
        chosen = torch.argsort(empty.int(), stable=True)[:count]  # those with some body first, phantoms before all
        pair, rows, columns, clean = pair[chosen], rows[chosen], columns[chosen], clean[chosen]
        noise = self.noise[pair[:, None, None], rows[:, :, None], columns[:, None, :]].float()
        low = self.noisy(clean, noise, self._scales(pair, phantoms)[:, None, None])
        row_counts = self._counts(rows, within)
        column_counts = self._counts(columns, within)
        weight = (row_counts[:, :, None] & column_counts[:, None, :]).float()
        return self._turned(torch.stack([low, clean, weight])[:, :, None])

    @staticmethod
    def _counts(positions, within):
        """[count, PATCH]: whether a row or column is far enough from the sides of its patch."""
        first, last = positions[:, :1] == 0, positions[:, -1:] == SIZE - 1
        return (first | (within >= MARGIN)) & (last | (within < PATCH - MARGIN))

    @staticmethod
    def _turned(stack):
        """One of the eight turns and mirrors for the whole batch."""
        choice = int(torch.randint(8, (1,)))
        if choice & 1:
            stack = stack.transpose(-1, -2)
        sides = [side for bit, side in ((2, -1), (4, -2)) if choice & bit]
        return (stack.flip(sides) if sides else stack).contiguous()
