"""Makes one checkpoint of several: the mean of their weights, or a network with another one beside it.

    python3 merge.py mean BEFORE.pt AFTER.pt --out balanced.pt [--note "what was done"]
    python3 merge.py beside best.pt linear.pt --share 0.33 --out START.pt

`mean` is of runs that began with the same weights. What is noted of training is taken from the last of them. `beside` gives
a network with a shortcut whose output is that of both, mixed: of a single convolution, its middle rows go to the shortcut.
"""
import argparse
import pathlib

import torch

import model


def mean(checkpoints):
    """Of networks of one architecture."""
    weights = {name: sum(saved["weights"][name] for saved in checkpoints) / len(checkpoints) for name in checkpoints[0]["weights"]}
    return checkpoints[-1] | {"weights": weights}


def beside(checkpoint, other, share):
    """The first network, mixed with `share` of the other one, which is a single convolution of fewer inputs."""
    shortcut = model.ARCHITECTURES[checkpoint["name"]]["shortcut"]
    weights = dict(checkpoint["weights"])
    last = f"convolutions.{len(checkpoint['architecture']['widths']) - 2}"
    weight, bias = other["weights"]["convolutions.0.weight"], other["weights"]["convolutions.0.bias"]
    inputs = weights["convolutions.0.weight"].shape[1]
    added = torch.zeros(len(weight), inputs, *shortcut)
    added[:, : weight.shape[1]] = share * model.fitted(weight, shortcut)
    weights[f"{last}.weight"] = (1 - share) * weights[f"{last}.weight"]
    weights[f"{last}.bias"] = (1 - share) * weights[f"{last}.bias"] + share * bias
    weights["shortcut.weight"] = added
    return checkpoint | {"weights": weights, "architecture": checkpoint["architecture"] | {"shortcut": shortcut}}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("how", choices=("mean", "beside"))
    parser.add_argument("checkpoints", nargs="+")
    parser.add_argument("--share", type=float, default=1 / 3, help="of the network that is put beside")
    parser.add_argument("--note", help="for the card: what was done")
    parser.add_argument("--out", required=True, type=pathlib.Path)
    arguments = parser.parse_args()
    saved = [torch.load(path, map_location="cpu") for path in arguments.checkpoints]
    merged = mean(saved) if arguments.how == "mean" else beside(*saved, arguments.share)
    if arguments.note:
        merged["begun"] = "; ".join(filter(None, (merged.get("begun"), arguments.note)))
    torch.save(merged, arguments.out)


if __name__ == "__main__":
    main()
