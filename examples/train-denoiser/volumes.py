"""The CT volumes: `index.json` and one gzip file per volume in the data folder."""
import gzip
import json
import pathlib

import numpy as np


def volumes(data, split):
    """The entries of data/index.json of one split: 'train', 'val' or 'test'."""
    index = json.loads((pathlib.Path(data) / "index.json").read_text())
    return [entry for entry in index["volumes"] if entry["split"] == split]


def name(entry):
    return entry["file"].split(".")[0]


def load(data, entry):
    """int16 HU, shape entry['shape'] = [slices, rows, columns].

    Format: gzip of two byte planes (low bytes, then high bytes) of the zigzag coded horizontal differences.
    """
    with gzip.open(pathlib.Path(data) / entry["file"]) as file:
        planes = np.frombuffer(file.read(), np.uint8)
    half = planes.size // 2
    zigzag = planes[:half].astype(np.uint16) | planes[half:].astype(np.uint16) << 8
    difference = (zigzag >> 1).astype(np.int32) ^ -(zigzag & 1).astype(np.int32)
    # Sums wrap modulo 2^16, as the coder's differences did.
    return np.cumsum(difference.reshape(entry["shape"]), axis=2).astype(np.int16)
