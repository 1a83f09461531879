"""Which network for how many ciphertexts: mean gain on val at half to an eighth of the dose against the ciphertexts of a slice.

    python3 search.py CHECKPOINT.pt... --bank BANK.pt --out front

Writes front.json and front.png. Ciphertexts are those that import counts (both ways, 512 x 512), so the built
repository is needed. Networks that trained for different times are not alike: the table says for how long each did, the
plot joins only those with the fewest steps.
"""
import argparse
import json
import pathlib
import subprocess
import tempfile

import matplotlib
import torch

import draw
import export_onnx
import model
import train

matplotlib.use("Agg")
from matplotlib import pyplot  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
THINNED = 3  # of the pairs of val, every so many; odd, since every other slice has more noise of its own
ANY_SLICE = HERE / "calibration" / "rider0117-12.i16.gz"  # to import with; what a slice costs does not depend on it


def ciphertexts(network, folder):
    """Both ways, for one slice, by the report of import."""
    path = str(pathlib.Path(folder, "candidate.onnx"))
    export_onnx.export(network, path)
    command = ["node", HERE.parents[1] / "server/dist/main.js", "import", path, "--id", "candidate", "--version", "1.0.0"]
    command += ["--calibrate", ANY_SLICE, "--models", folder, "--overwrite", "--json"]
    cost = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)["cost"]
    return cost["ciphertextsUp"] + cost["ciphertextsDown"]


def trained_alike(rows):
    """Those with the fewest steps."""
    shortest = min(row["iterations"] for row in rows)
    return [row for row in rows if row["iterations"] == shortest]


def apart(heights, least):
    """Heights of labels, ascending: each moved up to be at least so far above the one below."""
    placed = []
    for height in heights:
        placed.append(max(height, placed[-1] + least) if placed else height)
    return placed


def label(axes, rows, names, side, span):
    """Names beside their points, to the left or the right, none over another of the same column."""
    for ciphertexts in {round(row["ciphertexts"], -2) for row in rows}:
        column = sorted((row for row in rows if round(row["ciphertexts"], -2) == ciphertexts), key=lambda row: row["gain"])
        for row, height in zip(column, apart([row["gain"] for row in column], 0.035 * span)):
            offset = 7 if side == "left" else -7
            axes.annotate(names(row), (row["ciphertexts"], height), textcoords="offset points", xytext=(offset, 0),
                          ha=side, va="center", fontsize=8)


def plot(rows, path):
    figure, axes = pyplot.subplots(figsize=(8, 5), constrained_layout=True)
    alike = trained_alike(rows)
    shipped = [row for row in rows if row not in alike]
    span = max(row["gain"] for row in rows) - min(row["gain"] for row in rows)
    for some, marker, colour in ((alike, "o", "C0"), (shipped, "s", "C1")):
        axes.plot([row["ciphertexts"] for row in some], [row["gain"] for row in some], marker, color=colour)
    label(axes, alike, lambda row: row["name"], "left", span)
    label(axes, shipped, lambda row: f"{row['name']}, as shipped", "right", span)
    front = [row for row in rows if row["front"]]
    axes.plot([row["ciphertexts"] for row in front], [row["gain"] for row in front], color="C0", linewidth=1)
    axes.set_xscale("log", base=2)
    ticks = []
    for ciphertexts in sorted(row["ciphertexts"] for row in rows):
        if not ticks or ciphertexts > 1.1 * ticks[-1]:
            ticks.append(ciphertexts)
    axes.set_xticks(ticks, labels=map(str, ticks))
    axes.minorticks_off()
    axes.margins(x=0.25)
    axes.set_xlabel("ciphertexts of a slice, both ways")
    axes.set_ylabel("mean gain on val, half to an eighth of the dose, dB")
    axes.grid(alpha=0.3)
    figure.savefig(path, dpi=120)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoints", nargs="+")
    parser.add_argument("--bank", required=True, help="whose val pairs are taken")
    parser.add_argument("--out", required=True, type=pathlib.Path, help="without ending")
    arguments = parser.parse_args()
    bank = draw.Bank(torch.load(arguments.bank)["val"], "cpu")
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for checkpoint in arguments.checkpoints:
            network, facts = model.load(checkpoint)
            tables = train.gains(network, bank, THINNED)
            doses = {f"1/{1 / dose:.0f}": table for dose, table in tables.items()}
            rows.append({"name": facts["name"], "ciphertexts": ciphertexts(network, folder),
                         "parameters": sum(parameter.numel() for parameter in network.parameters()),
                         "iterations": facts["iterations"], "minutes": facts["minutes"],
                         "gain": round(train.mean_gain(tables), 3),
                         "gains": {dose: round(table[:, 0].mean().item(), 3) for dose, table in doses.items()},
                         "ssimGains": {dose: round(table[:, 1].mean().item(), 4) for dose, table in doses.items()},
                         "leastGain": {dose: round(table[:, 0].min().item(), 2) for dose, table in doses.items()}})
            print(rows[-1], flush=True)
    rows.sort(key=lambda row: row["ciphertexts"])
    alike = trained_alike(rows)
    for row in rows:
        row["front"] = row in alike and all(
            other["gain"] < row["gain"] for other in alike if other is not row and other["ciphertexts"] <= row["ciphertexts"]
        )
    arguments.out.with_suffix(".json").write_text(json.dumps(rows, indent=2) + "\n")
    plot(rows, arguments.out.with_suffix(".png"))


if __name__ == "__main__":
    main()
