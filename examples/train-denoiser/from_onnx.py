"""Makes a checkpoint of a published model, to go on training from: the way back from export_onnx.py.

    python3 from_onnx.py onnx/balanced.onnx DIR/balanced.pt

The file's name without .onnx is the network's in model.py; what is noted of its training comes from the card beside it.
"""
import argparse
import json
import pathlib

import onnx
import torch
from onnx import numpy_helper

import model


def weights_of(graph, network):
    """The weights of a Denoiser from an ONNX graph of it, with model.HU_SCALE and the gain of the noise maps taken out again."""
    constants = {constant.name: torch.tensor(numpy_helper.to_array(constant)) for constant in graph.initializer}
    weights = {name: constants[name] for name in network.state_dict() if name in constants}
    first, last = "convolutions.0", f"convolutions.{len(network.convolutions) - 1}"
    weights[f"{first}.weight"] = weights[f"{first}.weight"] * model.HU_SCALE
    if network.noise:
        weights[f"{first}.weight"][:, -model.NOISE_MAPS :] /= model.NOISE_GAIN
    if network.shortcut is not None:
        outputs = network.convolutions[0].out_channels
        weights["shortcut.weight"] = weights[f"{first}.weight"][outputs:] / model.HU_SCALE
        weights[f"{first}.bias"] = weights[f"{first}.bias"][:outputs]
        weights[f"{first}.weight"] = model.fitted(weights[f"{first}.weight"][:outputs], network.kernel)
    for part in ("weight", "bias"):
        weights[f"{last}.{part}"] = weights[f"{last}.{part}"] / model.HU_SCALE
    return weights


def checkpoint(path):
    """What train.py would have saved, without its gain on val. Raises RuntimeError if the file is of another architecture."""
    architecture = model.ARCHITECTURES[path.stem]
    network = model.Denoiser(**architecture)
    weights = weights_of(onnx.load(path).graph, network)
    network.load_state_dict(weights)
    noted = json.loads(path.with_suffix(".card.json").read_text())["training"]
    noted = {key: noted[key] for key in ("iterations", "minutes", "device", "begun", "structure") if key in noted}
    return noted | {"name": path.stem, "architecture": architecture, "weights": weights}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("onnx", type=pathlib.Path)
    parser.add_argument("checkpoint")
    arguments = parser.parse_args()
    torch.save(checkpoint(arguments.onnx), arguments.checkpoint)


if __name__ == "__main__":
    main()
