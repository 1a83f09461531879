"""Writes a model card: what the network is, what it was trained on, and its figures on val, test and samples.

    python3 write_card.py DIR/interactive.pt onnx/interactive.card.json --data DIR

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
}
LOSS = {
    "linear": "weighted least squares in closed form, then Adam on the weighted RMSE with the limit in the loop "
    "(fit_linear.py); -160 to 240 HU 1, the rest 0.05",
    "interactive": "mean over patches of the weighted RMSE (train.py), soft tissue 1, lung and bone 0.25, air 0.02; "
    "Adam, warm-up, cosine decay, averaged weights",
}
# What was looked at before a model was settled; a figure that had a part in a choice is not independent.
CHOSEN = {
    "linear": "The limit (24 HU) and the weights of pixels were chosen by leaving out volumes of the training split in "
    "turn, the noise range from published figures of clinical pairs. Nothing was chosen by val, test or samples.",
    "interactive": "The checkpoint was taken by its PSNR on val, with 15 to 40 HU of noise. The sample series' figures "
    "were looked at along the way and nothing was chosen by them.",
}
HOW_SIMULATED = (
    "float32, output rounded to whole HU, all slices of the split, simulated noise of "
    f"{make_pairs.VAL_SD[0]:.0f} to {make_pairs.VAL_SD[1]:.0f} HU in the body, kernel soft to sharp, seeded. "
    "PSNR in dB and SSIM on images clipped to -160..240 HU, data range 400, mean over slices."
)
LIMITS = [
    "Low dose was simulated (parallel beam, Poisson and electronic noise). No real low-dose scan was trained on.",
    "Works slice by slice on 512 x 512 axial CT in HU. Not for other modalities, cone-beam CT or reformats.",
    "Can blur fine low-contrast detail, and does not know whether a texture is noise. Always keep the original.",
    "On a slice that is hardly noisy it may do harm: it does not measure the noise first.",
    "Where the reference itself is sharp and noisy (c3l00189 in test) it removes what belongs there: SSIM falls, "
    "PSNR hardly gains or falls too. Meant for soft kernels.",
    "Few scanners and patients; no children; little metal. Not assessed by readers.",
]


def architecture(network):
    arrow = " -> ".join(map(str, network.widths))
    activation = "leaky ReLU 1/8 in between, " if len(network.convolutions) > 1 else ""
    limit = "" if network.limit is None else f"residual limited to +-{network.limit:.0f} HU; "
    return (
        f"pixel unshuffle x{model.FACTOR}; convolutions {arrow}, {network.kernel}x{network.kernel}, zero padding "
        f"{network.kernel // 2}; {activation}{limit}pixel shuffle; output = input - residual"
    )


def simulation(scale):
    return (
        f"parallel beam, 360 views, mu = {simulate.WATER_MU_PER_MM}/mm * (1 + HU/1000), Poisson counts, electronic "
        f"noise {simulate.ELECTRONIC_SIGMA:.0f} counts, difference of the line integrals back-projected with ramp "
        f"times Hann (zero at {make_pairs.CUT_OFF[0]} to {make_pairs.CUT_OFF[1]} times Nyquist), pixel "
        f"{make_pairs.PIXEL_MM[0]} to {make_pairs.PIXEL_MM[1]} mm; dose set for {make_pairs.TRAIN_SD:.0f} HU in the "
        f"body, then scaled by {scale[0]} to {scale[1]}"
    )


def card(checkpoint, data):
    network, saved = model.load(checkpoint)
    name = saved["name"]
    entries = {split: volumes.volumes(data, split) for split in ("train", "val", "test")}
    test = evaluate.evaluate(network, evaluate.simulated_slices(data, "test"))
    val = evaluate.evaluate(network, evaluate.simulated_slices(data, "val"))
    sample = evaluate.evaluate(network, evaluate.series_slices(HERE.parent / "sample-series"))
    return {
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
        "simulation": simulation(fit_linear.SCALE if name == "linear" else patches.SCALE),
        "training": {
            "iterations": saved["iterations"],
            "minutes": saved["minutes"],
            "loss": LOSS[name],
            "choice": CHOSEN[name],
        },
        "figures": {
            "val": val["all"] | {"how": HOW_SIMULATED},
            "test": test["all"]
            | {"how": HOW_SIMULATED, "volumes": {group: f for group, f in test.items() if group != "all"}},
            "sampleSeries": sample["all"] | {"how": "examples/sample-series, as test otherwise; slices of kits00072"},
        },
        "licence": "Apache-2.0 weights; see NOTICE for data attributions",
        "intendedUse": "research use, not for primary diagnosis",
        "limits": LIMITS,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint")
    parser.add_argument("card", type=pathlib.Path)
    parser.add_argument("--data", required=True, help="folder with index.json and the volumes")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    arguments.card.write_text(json.dumps(card(arguments.checkpoint, arguments.data), indent=2) + "\n")


if __name__ == "__main__":
    main()
