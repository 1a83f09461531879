"""Exports networks of the literature as ONNX, with weights drawn from a seed or trained for a few minutes.

    python3 export.py --out ../../../test/data/onnx
    python3 export.py --out DIR --full redcnn
    python3 export.py --out DIR --bank BANK.pt --minutes 5 dncnn

Input `hu` float [batch, 1, rows, columns], all but the channel open; output `denoised` of the same shape.
"""
import argparse
import pathlib
import sys
import time

import torch

import networks

SIZE = 64  # rows and columns of the example that the exporter traces


def build(name, full):
    kind, small = networks.NETWORKS[name]
    torch.manual_seed(0)
    network = kind(**(networks.FULL[name] if full else small))
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):  # as if it had been trained
            module.running_mean.uniform_(-0.1, 0.1)
            module.running_var.uniform_(0.5, 1.5)
            module.weight.data.uniform_(0.7, 1.3)
            module.bias.data.uniform_(-0.1, 0.1)
    return networks.Normalised(network)


def train(network, bank, minutes):
    """Mean absolute error on the patches of draw.py, in HU."""
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
    import draw

    pairs = draw.Bank(torch.load(bank)["train"], "cpu")
    optimiser = torch.optim.Adam(network.parameters(), 1e-3)
    network.train()
    until = time.monotonic() + 60 * minutes
    while time.monotonic() < until:
        low, clean, weight = pairs.patches(2)
        optimiser.zero_grad()
        (weight * (network(low) - clean).abs()).mean().backward()
        optimiser.step()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="of networks.py; default: all")
    parser.add_argument("--out", required=True, type=pathlib.Path)
    parser.add_argument("--full", action="store_true", help="the width and depth of the papers")
    parser.add_argument("--bank", type=pathlib.Path, help="of bank.py, to train")
    parser.add_argument("--minutes", type=float, default=5)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    for name in arguments.names or networks.NETWORKS:
        network = build(name, arguments.full)
        if arguments.bank:
            train(network, arguments.bank, arguments.minutes)
        network.eval()
        example = torch.randint(-1024, 1024, (1, 1, SIZE, SIZE)).float()
        open_axes = {0: "batch", 2: "rows", 3: "columns"}
        path = arguments.out / f"{name}.onnx"
        torch.onnx.export(
            network, example, str(path), opset_version=13, do_constant_folding=True,
            input_names=["hu"], output_names=["denoised"], dynamic_axes={"hu": open_axes, "denoised": open_axes},
        )
        print(path, path.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
