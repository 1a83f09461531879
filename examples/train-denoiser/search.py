"""Which network for how many ciphertexts: mean PSNR on val at quarter dose against the ciphertexts of a slice.

    python3 search.py CHECKPOINT.pt... --data DIR --out front

Writes front.json and front.png. Ciphertexts are those that import counts (both ways, 512 x 512), so the built
repository is needed. Networks that trained for different times are not alike: the table says how long each did.
"""
import argparse
import json
import pathlib
import subprocess
import tempfile

import matplotlib
import torch

import evaluate
import export_onnx
import model
import volumes

matplotlib.use("Agg")
from matplotlib import pyplot  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
THINNED = 3  # of val, every so many slices


def ciphertexts(network, folder):
    """Both ways, for one slice, by the report of import."""
    path = str(pathlib.Path(folder, "candidate.onnx"))
    export_onnx.export(network, path)
    command = ["node", HERE.parents[1] / "server/dist/main.js", "import", path, "--id", "candidate", "--version", "1.0.0"]
    command += ["--calibrate", HERE / "calibration", "--models", folder, "--overwrite", "--json"]
    cost = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)["cost"]
    return cost["ciphertextsUp"] + cost["ciphertextsDown"]


def val_slices(data):
    """Every few slices of val, so that each volume is there; only these are simulated."""
    for number, entry in enumerate(volumes.volumes(data, "val")):
        yield from evaluate.slices_of(data, entry, 0.25, range(number, entry["shape"][0], THINNED))


def plot(rows, path):
    figure, axes = pyplot.subplots(figsize=(7, 4.5), constrained_layout=True)
    for row in rows:
        axes.plot(row["ciphertexts"], row["psnr"], "o", color="C0" if row["front"] else "C7")
        axes.annotate(row["name"], (row["ciphertexts"], row["psnr"]), textcoords="offset points", xytext=(6, 4))
    front = [row for row in rows if row["front"]]
    axes.plot([row["ciphertexts"] for row in front], [row["psnr"] for row in front], color="C0", linewidth=1)
    axes.set_xscale("log", base=2)
    axes.set_xticks([row["ciphertexts"] for row in rows], labels=[str(row["ciphertexts"]) for row in rows])
    axes.margins(x=0.12)
    axes.set_xlabel("ciphertexts of a slice, both ways")
    axes.set_ylabel("PSNR on val, quarter dose, dB")
    axes.grid(alpha=0.3)
    figure.savefig(path, dpi=120)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoints", nargs="+")
    parser.add_argument("--data", required=True, help="folder with index.json and the volumes")
    parser.add_argument("--out", required=True, type=pathlib.Path, help="without ending")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    networks, saved = zip(*(model.load(checkpoint) for checkpoint in arguments.checkpoints))
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for network, facts in zip(networks, saved):
            rows.append({"name": facts["name"], "ciphertexts": ciphertexts(network, folder),
                         "parameters": sum(parameter.numel() for parameter in network.parameters()),
                         "iterations": facts["iterations"], "minutes": facts["minutes"]})
            print(rows[-1], flush=True)
    for row, figures in zip(rows, evaluate.evaluate(networks, val_slices(arguments.data))):
        row["psnrLowDose"], row["psnr"], row["leastGain"] = (figures["all"][key] for key in ("psnrIn", "psnrOut", "leastGain"))
    rows.sort(key=lambda row: row["ciphertexts"])
    for row in rows:
        row["front"] = all(other["psnr"] < row["psnr"] for other in rows if other["ciphertexts"] < row["ciphertexts"])
    arguments.out.with_suffix(".json").write_text(json.dumps(rows, indent=2) + "\n")
    plot(rows, arguments.out.with_suffix(".png"))


if __name__ == "__main__":
    main()
