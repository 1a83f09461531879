"""Exports a checkpoint as ONNX, HU to HU, with the network's inner scale folded into its weights.

    python3 export_onnx.py DIR/interactive.pt onnx/interactive.onnx

Input `hu` float [1, 1, 512, 512]; pixel unshuffle as Reshape, Transpose, Reshape; Conv and LeakyRelu by turns;
for noise maps AveragePool, Sub, Abs, Clip and Concat; a Clip if the network has a limit; DepthToSpace (mode CRD);
Sub gives `denoised`, the same shape.
"""
import argparse
import copy

import onnx
import torch
from torch import nn
from torch.nn import functional as F

import model

SIZE = 512  # rows and columns


class Folded(nn.Module):
    """A Denoiser without its divisions and multiplications by HU_SCALE; the same function up to rounding."""

    def __init__(self, network):
        super().__init__()
        self.limit, self.noise = network.limit, network.noise
        self.convolutions = copy.deepcopy(network.convolutions).to(memory_format=torch.contiguous_format)
        with torch.no_grad():
            self.convolutions[0].weight /= model.HU_SCALE
            self.convolutions[0].weight[:, model.CHANNELS :] *= model.NOISE_GAIN
            self.convolutions[-1].weight *= model.HU_SCALE
            self.convolutions[-1].bias *= model.HU_SCALE

    def forward(self, hu):
        h = F.pixel_unshuffle(hu, model.FACTOR)
        if self.noise:
            h = torch.cat([h, model.noise_maps(hu, model.HU_SCALE)], 1)
        for convolution in self.convolutions[:-1]:
            h = F.leaky_relu(convolution(h), model.LEAK)
        h = self.convolutions[-1](h)
        if self.limit is not None:
            h = h.clamp(-self.limit, self.limit)
        return hu - F.pixel_shuffle(h, model.FACTOR)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint")
    parser.add_argument("onnx")
    arguments = parser.parse_args()
    network, _ = model.load(arguments.checkpoint)
    folded = Folded(network).eval()
    example = torch.randint(-1024, 1024, (1, 1, SIZE, SIZE)).float()
    with torch.no_grad():
        difference = (folded(example) - network(example)).abs().max().item()
    if difference > 0.05:
        raise SystemExit(f"folding changed the output by {difference} HU")
    torch.onnx.export(
        folded, example, arguments.onnx, opset_version=13, do_constant_folding=True,
        input_names=["hu"], output_names=["denoised"],
    )
    graph = onnx.load(arguments.onnx)
    onnx.checker.check_model(graph)
    print(" ".join(node.op_type for node in graph.graph.node), f"(folding: {difference:.4f} HU)")


if __name__ == "__main__":
    main()
