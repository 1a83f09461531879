"""Writes model cards: what the network is, what it was trained on, and its figures on val, test and samples.

    python3 write_card.py DIR/fast.pt DIR/balanced.pt --data DIR --out onnx

Runs evaluate.py's functions once on each; see there and metrics.py for how the figures come about.
"""
import argparse
import json
import multiprocessing
import pathlib

import torch

import bank
import draw
import evaluate
import low_dose
import model
import objective
import simulate
import volumes

HERE = pathlib.Path(__file__).resolve().parent

SUMMARY = {
    "linear": "The client's filter and one large convolution: one round.",
    "fast": "Three narrow convolutions: few ciphertexts, for slow lines.",
    "balanced": "Three convolutions, what most will want.",
    "best": "Four wide convolutions and a second look: removes most noise, for three times the ciphertexts.",
    "private": "Two convolutions with a ReLU for private mode, in which the client sees no value in between.",
}
LOSS = (
    "mean over patches of log RMSE + structure (1 - SSIM) + bias of tissues (objective.py); Adam, warm-up, cosine decay, "
    "averaged weights"
)
# A figure that had a part in a choice is not independent.
CHOICE = (
    "Architectures, loss and noise were chosen by val and by volumes of the training split. Nothing was chosen "
    "by test or samples."
)
AGAIN_CHOICE = (
    " Except that a first form of the second look was given up after its figures on test were seen, and another one changed; "
    "what ships was chosen by val and train."
)
DOSES = {"half": 1 / 2, "quarter": 1 / 4, "eighth": 1 / 8}
# Percent, for half the dose: the most, in tens, at which no slice of val came out worse than it went in.
STRENGTH_AT_HALF = 60
HOW_SIMULATED = (
    "float32, output rounded to whole HU, all slices of the split; noise simulated for a part of the full dose, as fine as "
    "the slice's own and so strong that it multiplies its variance as that dose would (low_dose.py), seeded. PSNR in dB "
    "and SSIM on images clipped to -160..240 HU, data range 400, mean over slices; leastGain: of the slice that gains "
    "least; biasHu: mean of output - reference over the pixels of a tissue, by the median of 5x5 pixels of the reference. At "
    "full strength unless the name says otherwise. The noise of the sample series: see there."
)
LIMITS = [
    "Low dose was simulated (parallel beam, Poisson and electronic noise). No real low-dose scan was trained on.",
    "Works slice by slice on 512 x 512 axial CT in HU. Not for other modalities, cone-beam CT or reformats.",
    "Can blur fine low-contrast detail, and does not know whether a texture is noise. Always keep the original.",
    "On a slice that is hardly noisy, or has much noise of its own, it may do harm at full strength: see leastGain. Nothing "
    "tells a slice's own noise from that of low dose, so say it by the strength.",
    "Where the reference itself is sharp and noisy (c3l00189 in test) it removes what belongs there. Meant for soft "
    "kernels.",
    "Few scanners and patients; no children; little metal. Not assessed by readers.",
]


def means_in_words(settings, share):
    search, patch, strength = settings
    return (
        f"window {search}, patch {patch}, h {strength:g} times the deviation, which is {share:g} of the noise as noise_level.py finds it, "
        "with public weights"
    )


def architecture(network):
    arrow = " -> ".join(map(str, network.widths))
    kernel = "x".join(map(str, network.kernel))
    activation = "leaky ReLU 1/{:.0f}".format(1 / network.leak) if network.leak else "ReLU"
    between = f"{activation} in between, " if len(network.convolutions) > 1 else ""
    if network.shortcut is not None:
        between += "one more of {}x{} straight to the output, ".format(*network.shortcut.kernel_size)
    noise = f" and {model.NOISE_MAPS} noise maps" if network.noise else ""
    squeezed = f" with a quarter of the contrast outside {model.SQUEEZE[0]}..{model.SQUEEZE[1]} HU" if network.squeeze else ""
    taken, half = f"the image{squeezed}", ""
    if network.base:
        taken = (
            f"what non-local means ({means_in_words(model.FILTER, model.DEVIATION)}) removes, to +-{model.REMOVED} HU, and "
            f"means of {model.CONTEXT}x{model.CONTEXT} pixels of what it leaves{squeezed}"
        )
        half = (
            f" plus half of what the filter removed, and of the other half up to {model.LOUDNESS:g} times the least detail "
            f"nearby less {model.LOUD:g} HU"
        )
    most = f" and to +-{network.most:g} HU" if network.most else ""
    again = (
        f"; of that {model.AGAIN_SHARE:.0%} is replaced by {network.again_taken:g} of what such a mean of pixels of the image removes whose "
        f"patches in the denoised image are alike ({means_in_words(model.AGAIN, model.AGAIN_DEVIATION)}), within the same limits"
    )
    spared = (
        f"; in the end {network.spared:.0%} of the residual stay, as far as it is within {model.SPARED_WITHIN:g} times the least detail "
        f"nearby less {model.VERY_LOUD:g} HU"
    )
    return (
        f"pixel unshuffle x{model.FACTOR} of {taken}{noise}; convolutions {arrow}, {kernel}, zero padding; {between}"
        f"pixel shuffle{half}: the residual, limited to +-{network.reach:g} times the least detail nearby{most}; output = "
        f"input - residual{again if network.again else ''}{spared}"
    )


SIMULATION = (
    f"parallel beam, 360 views, mu = {simulate.WATER_MU_PER_MM}/mm * (1 + HU/1000), Poisson counts, electronic "
    f"noise {simulate.ELECTRONIC_SIGMA:.0f} counts, difference of the line integrals back-projected with ramp "
    f"times Hann (zero at {low_dose.CUT_OFF[0]} to {low_dose.CUT_OFF[1]} times Nyquist), pixel "
    f"{low_dose.PIXEL_MM[0]} to {low_dose.PIXEL_MM[1]} mm; for {bank.DOSE_SHARE:.0%} noise of {bank.DOSE[0]} to "
    f"{bank.DOSE[1]} of the slice's own dose, as fine as its own, for the others {bank.SCALE[0]} to {bank.SCALE[1]} times "
    f"{bank.BODY_SD:.0f} HU in the body; every slice also smoother, magnified and made smaller; {bank.RAISED_SHARE:.0%} of "
    f"them with noise added to their own, up to {bank.OWN:.0f} HU in the finest band, which the reference keeps; "
    f"{draw.PHANTOM_SHARE:.0%} of the samples from {bank.PHANTOMS} phantoms (phantoms.py)"
)


def figures_of(task):
    """What evaluate.py says of every checkpoint on one set, at some strengths: a split at a dose, or the sample series."""
    checkpoints, data, split, dose, strengths = task
    torch.set_num_threads(1)
    networks = [model.load(checkpoint)[0] for checkpoint in checkpoints]
    sample = HERE.parent / "sample-series"
    slices = evaluate.simulated_slices(data, split, dose) if split else evaluate.series_slices(sample)
    return evaluate.evaluate(networks, slices, strengths)


def cards(checkpoints, data):
    """The card of each checkpoint; every slice's noise is simulated once for all of them."""
    networks, saved = zip(*(model.load(checkpoint) for checkpoint in checkpoints))
    entries = {split: volumes.volumes(data, split) for split in ("train", "val", "test")}
    strengths = {"half": (100, STRENGTH_AT_HALF)}
    sets = [("test", dose, strengths.get(name, (100,))) for name, dose in DOSES.items()]
    sets += [("val", DOSES["quarter"], (100,)), (None, None, (100,))]
    with multiprocessing.get_context("fork").Pool() as pool:
        *test, val, sample = pool.map(figures_of, [(checkpoints, data, *one) for one in sets], chunksize=1)
    test = dict(zip(DOSES, test))
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
            "simulation": SIMULATION,
            "training": {
                "iterations": facts["iterations"],
                "minutes": facts["minutes"],
                "device": facts.get("device", "not noted"),
                **({"begun": facts["begun"]} if "begun" in facts else {}),
                "loss": LOSS,
                "structure": facts.get("structure", objective.STRUCTURE),
                "choice": CHOICE + (AGAIN_CHOICE if network.again else ""),
            },
            "figures": {
                "how": HOW_SIMULATED,
                "valQuarterDose": val[i][100]["all"],
                "test": {dose: figures[i][100]["all"] for dose, figures in test.items()}
                | {f"halfAtStrength{STRENGTH_AT_HALF}": test["half"][i][STRENGTH_AT_HALF]["all"]},
                "testQuarterDoseByVolume": {group: f for group, f in test["quarter"][i][100].items() if group != "all"},
                "sampleSeries": sample[i][100]["all"] | {"slicesOf": "kits00072"},
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
    for card in cards(arguments.checkpoints, arguments.data):
        (arguments.out / f"{card['id']}.card.json").write_text(json.dumps(card, indent=2) + "\n")


if __name__ == "__main__":
    main()
