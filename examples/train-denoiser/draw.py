"""Training patches and whole val slices from a bank (bank.py), on the device that holds it."""
import torch

from bank import LEFT_UNIT, SIZE

PATCH = 256  # pixels
MARGIN = 32  # pixels next to a patch side that do not count, unless the side is the image's own edge
PHANTOM_SHARE = 0.06
AIR = -700  # HU; a patch with a lower mean is hardly ever drawn


def turned(parts):
    """Maps [n, channels, side, side], all mirrored or turned alike: one of the eight ways, at random."""
    choice = int(torch.randint(8, (1,)))
    if choice & 1:
        parts = [part.transpose(-1, -2) for part in parts]
    sides = [side for bit, side in ((2, -1), (4, -2)) if choice & bit]
    return [(part.flip(sides) if sides else part).contiguous() for part in parts]


class Bank:
    """The pairs of one split on a device."""

    def __init__(self, pairs, device):
        self.device = device
        self.clean, self.low, self.left, self.slice, self.dose = (
            pairs[name].to(device) for name in ("clean", "low", "left", "slice", "dose")
        )
        phantom = pairs["phantom"][pairs["slice"]]
        self.real = torch.nonzero(~phantom)[:, 0].to(device)
        self.phantom = torch.nonzero(phantom)[:, 0].to(device)

    def __len__(self):
        return len(self.low)

    def whole(self, index):
        """(low dose, what the filter left, clean) float32 [1, 1, 512, 512] HU."""
        images = self.low[index].float(), LEFT_UNIT * self.left[index], self.clean[self.slice[index]].float()
        return tuple(image[None, None] for image in images)

    def patches(self, count):
        """(low dose HU, what the filter left HU, clean HU, counts?) float32 [count, 1, PATCH, PATCH]."""
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
        at = pair[:, None, None], rows[:, :, None], columns[:, None, :]
        low, left = self.low[at].float(), LEFT_UNIT * self.left[at]
        row_counts = self._counts(rows, within)
        column_counts = self._counts(columns, within)
        weight = (row_counts[:, :, None] & column_counts[:, None, :]).float()
        return turned([part[:, None] for part in (low, left, clean, weight)])

    @staticmethod
    def _counts(positions, within):
        """[count, PATCH]: whether a row or column is far enough from the sides of its patch."""
        first, last = positions[:, :1] == 0, positions[:, -1:] == SIZE - 1
        return (first | (within >= MARGIN)) & (last | (within < PATCH - MARGIN))
