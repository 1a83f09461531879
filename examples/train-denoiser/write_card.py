"""Writes model cards: what the network is, what it was trained on, and its figures on val, test and samples.

    python3 write_card.py DIR/linear.pt DIR/interactive.pt --data DIR --out onnx

Runs evaluate.py's functions once on each; see there and metrics.py for how the figures come about.
"""
import argparse
import json
import pathlib

import torch

import evaluate
import fit_linear
import make_pairs
import model
import patches
import simulate
import volumes

HERE = pathlib.Path(__file__).resolve().parent

SUMMARY = {
    "linear": "One large convolution, in effect a learned linear filter, and a limit on what it may change: one round.",
    "interactive": "Three convolutions with two leaky ReLUs: removes more noise, needs the client between layers.",
    "balanced": "Three convolutions that are told how noisy the image is: gentle where there is little noise.",
}
LOSS = {
    "linear": "weighted least squares in closed form, then Adam with the limit in the loop (fit_linear.py); "
    "-160 to 240 HU 1, the rest 0.05",
    "interactive": "mean over patches of the weighted RMSE, soft tissue 1, lung and bone 0.25, air 0.02; "
    "Adam, warm-up, cosine decay, averaged weights",
    "balanced": "mean over patches of the logarithm of the weighted RMSE (train.py), soft tissue 1, lung and bone 0.25, "
    "air 0.02; Adam, warm-up, cosine decay, averaged weights",
}
NOISE = {
    "linear": "{0[0]} to {0[1]} times 25 HU in the body".format(fit_linear.SCALE),
    "interactive": "0.4 to 3 times 25 HU in the body; very noisy references smoothed (an earlier state of these scripts)",
    "balanced": "{0[0]} to {0[1]} of the slice's own dose, or {1[0]} to {1[1]} times 25 HU in the body".format(
        patches.DOSE, patches.SCALE
    ),
}
# What was looked at before a model was settled; a figure that had a part in a choice is not independent.
CHOSEN = {
    "linear": "The limit (24 HU) and the weights of pixels were chosen by leaving out volumes of the training split in "
    "turn, the noise range from published figures of clinical pairs. Nothing was chosen by val, test or samples.",
    "interactive": "The checkpoint was taken by its PSNR on val. The sample series' figures were looked at along the way "
    "and nothing was chosen by them.",
    "balanced": "Noise maps, loss and checkpoint were chosen by val. Nothing was chosen by test or samples.",
}
DOSES = {"half": 1 / 2, "quarter": 1 / 4, "eighth": 1 / 8}
HOW_SIMULATED = (
    "float32, output rounded to whole HU, all slices of the split; noise simulated for a part of the full dose, for "
    "which the slice's own noise is taken, kernel soft to sharp, seeded. PSNR in dB and SSIM on images clipped to "
    "-160..240 HU, data range 400, mean over slices; leastGain: of the slice that gains least."
)
LIMITS = [
    "Low dose was simulated (parallel beam, Poisson and electronic noise). No real low-dose scan was trained on.",
    "Works slice by slice on 512 x 512 axial CT in HU. Not for other modalities, cone-beam CT or reformats.",
    "Can blur fine low-contrast detail, and does not know whether a texture is noise. Always keep the original.",
    "On a slice that is hardly noisy it may do harm: see leastGain.",
    "Where the reference itself is sharp and noisy (c3l00189 in test) it removes what belongs there. Meant for soft "
    "kernels.",
    "Few scanners and patients; no children; little metal. Not assessed by readers.",
]


def architecture(network):
    arrow = " -> ".join(map(str, network.widths))
    activation = "leaky ReLU 1/8 in between, " if len(network.convolutions) > 1 else ""
    limit = "" if network.limit is None else f"residual limited to +-{network.limit:.0f} HU; "
    noise = f" and {model.NOISE_MAPS} noise maps" if network.noise else ""
    kernel = "x".join(map(str, network.kernel))
    return (
        f"pixel unshuffle x{model.FACTOR}{noise}; convolutions {arrow}, {kernel}, zero padding; "
        f"{activation}{limit}pixel shuffle; output = input - residual"
    )


def simulation(name):
    return (
        f"parallel beam, 360 views, mu = {simulate.WATER_MU_PER_MM}/mm * (1 + HU/1000), Poisson counts, electronic "
        f"noise {simulate.ELECTRONIC_SIGMA:.0f} counts, difference of the line integrals back-projected with ramp "
        f"times Hann (zero at {make_pairs.CUT_OFF[0]} to {make_pairs.CUT_OFF[1]} times Nyquist), pixel "
        f"{make_pairs.PIXEL_MM[0]} to {make_pairs.PIXEL_MM[1]} mm; noise of {NOISE[name]}"
    )


def cards(checkpoints, data):
    """The card of each checkpoint; every slice's noise is simulated once for all of them."""
    networks, saved = zip(*(model.load(checkpoint) for checkpoint in checkpoints))
    entries = {split: volumes.volumes(data, split) for split in ("train", "val", "test")}
    val = evaluate.evaluate(networks, evaluate.simulated_slices(data, "val"))
    test = {
        name: evaluate.evaluate(networks, evaluate.simulated_slices(data, "test", dose)) for name, dose in DOSES.items()
    }
    sample = evaluate.evaluate(networks, evaluate.series_slices(HERE.parent / "sample-series"))
    for i, (network, facts) in enumerate(zip(networks, saved)):
        name = facts["name"]
        yield {
            "id": name,
            "version": "1.0.0",
            "summary": SUMMARY[name],
            "architecture": architecture(network),
            "parameters": sum(parameter.numel() for parameter in network.parameters()),
            "trainingData": [
                {"volume": volumes.name(entry), "source": entry["source"], "licence": entry["licence"]}
                for entry in entries["train"]
            ],
            "split": {split: [volumes.name(entry) for entry in listed] for split, listed in entries.items()},
            "simulation": simulation(name),
            "training": {
                "iterations": facts["iterations"],
                "minutes": facts["minutes"],
                "loss": LOSS[name],
                "choice": CHOSEN[name],
            },
            "figures": {
                "how": HOW_SIMULATED,
                "valQuarterDose": val[i]["all"],
                "test": {dose: figures[i]["all"] for dose, figures in test.items()},
                "testQuarterDoseByVolume": {group: f for group, f in test["quarter"][i].items() if group != "all"},
                "sampleSeries": sample[i]["all"] | {"slicesOf": "kits00072"},
            },
            "licence": "Apache-2.0 weights; see NOTICE for data attributions",
            "intendedUse": "research use, not for primary diagnosis",
            "limits": LIMITS,
        }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoints", nargs="+")
    parser.add_argument("--data", required=True, help="folder with index.json and the volumes")
    parser.add_argument("--out", required=True, type=pathlib.Path, help="folder for ID.card.json")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    for card in cards(arguments.checkpoints, arguments.data):
        (arguments.out / f"{card['id']}.card.json").write_text(json.dumps(card, indent=2) + "\n")


if __name__ == "__main__":
    main()
