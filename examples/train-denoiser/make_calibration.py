"""Makes the slices that import measures the range of every value on: calibration/*.i16.gz.

    python3 make_calibration.py --data DIR

A few training slices of different bodies and scanners with simulated noise at the strong end of what the networks
are trained for, each 512 x 512 int16 HU, little endian, gzipped.
"""
import argparse
import gzip
import pathlib

import low_dose
import simulate
import volumes

DRAW = 2000  # seeds that no training pair has
NOISE_SD = 50.0  # HU in the body
# volume: (slice, cut-off of the reconstruction filter); soft and sharp
SLICES = {"acrin001_a": (12, 1.2), "crlm1004": (20, 0.9), "lidc0314": (12, 2.2), "rider0117": (12, 1.6)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="folder with index.json and the volumes")
    parser.add_argument("--out", default="calibration", type=pathlib.Path)
    arguments = parser.parse_args()
    arguments.out.mkdir(exist_ok=True)
    for entry in volumes.volumes(arguments.data, "train"):
        if volumes.name(entry) not in SLICES:
            continue
        number, cut_off = SLICES[volumes.name(entry)]
        clean = volumes.load(arguments.data, entry)[number].astype("float32")
        rng = low_dose.seeded(entry, number, DRAW)
        noise = low_dose.simulated_noise(clean, NOISE_SD, entry["pixel_spacing"][0], cut_off, rng)
        low = simulate.add_noise(clean, noise)
        path = arguments.out / f"{volumes.name(entry)}-{number}.i16.gz"
        # No time in the header: the same bytes every time.
        path.write_bytes(gzip.compress(low.astype("<i2").tobytes(), 9, mtime=0))
        print(path, path.stat().st_size, "bytes,", f"{low.min()}..{low.max()} HU")


if __name__ == "__main__":
    main()
