"""Exports a checkpoint as ONNX, HU to HU, with the network's inner scale folded into its weights.

    python3 export_onnx.py DIR/balanced.pt onnx/balanced.onnx

Input `hu` float [1, 1, 512, 512], output `denoised` of the same shape. Only operators that import takes:
AveragePool, Sub, Abs, Clip and Concat for the noise maps, Clip, Mul and Add for the squeezed image, pixel unshuffle as
Reshape, Transpose, Reshape, then Conv and LeakyRelu or Relu by turns, DepthToSpace, and for the limit of the residual
Slice, Add, Neg, MaxPool, Mul, Resize (nearest), Sub and Relu.
"""
import argparse
import copy
import pathlib
import subprocess

import numpy as np
import onnx
import torch
from torch import nn
from torch.nn import functional as F

import model

SIZE = 512  # rows and columns
TOLERANCE = 0.05  # HU, of float32


class Folded(nn.Module):
    """A Denoiser without its divisions and multiplications by HU_SCALE; the same function up to rounding."""

    def __init__(self, network):
        super().__init__()
        self.leak, self.noise, self.squeeze, self.reach = network.leak, network.noise, network.squeeze, network.reach
        self.convolutions = copy.deepcopy(network.convolutions).to(memory_format=torch.contiguous_format)
        with torch.no_grad():
            self.convolutions[0].weight /= model.HU_SCALE
            self.convolutions[0].weight[:, model.CHANNELS :] *= model.NOISE_GAIN
            self.convolutions[-1].weight *= model.HU_SCALE
            self.convolutions[-1].bias *= model.HU_SCALE

    def forward(self, hu):
        bands = model.detail(hu, model.HU_SCALE)
        image = model.squeezed(hu, model.HU_SCALE) if self.squeeze else hu
        h = F.pixel_unshuffle(image, model.FACTOR)
        if self.noise:
            h = torch.cat([h, model.noise_maps(bands)], 1)
        for convolution in self.convolutions[:-1]:
            h = F.leaky_relu(convolution(h), self.leak) if self.leak else F.relu(convolution(h))
        residual = F.pixel_shuffle(self.convolutions[-1](h), model.FACTOR)
        limit = F.interpolate(self.reach * model.noise_floor(bands), scale_factor=model.FACTOR)
        return hu - model.held(residual, limit)


def example():
    """HU [1, 1, SIZE, SIZE]: noise of every strength, from none at the left to whole ranges at the right."""
    torch.manual_seed(0)
    strength = torch.logspace(0, 3.5, SIZE) * (torch.arange(SIZE) >= SIZE // 8)
    levels = torch.tensor([-1024.0, -800, -100, 0, 50, 300, 1200, 3071]).repeat_interleave(SIZE // 8)
    return (levels[:, None] + strength * torch.randn(SIZE, SIZE)).round().clamp(-1024, 3071)[None, None]


def in_runtime(path, image):
    """What onnxruntime makes of an image. By the tests' program for Node, since Debian has no onnxruntime for Python."""
    program = pathlib.Path(__file__).parents[2] / "test/dist/support/onnx-reference.js"
    sides = [str(side) for side in image.shape[2:]]
    pixels = image.numpy().astype("<f4").tobytes()
    run = subprocess.run(["node", program, *sides, path], input=pixels, stdout=subprocess.PIPE, check=True)
    return torch.from_numpy(np.frombuffer(run.stdout, "<f4").copy()).reshape(image.shape)


def export(network, path):
    """Writes the ONNX file of a network, if it gives what the network gives; returns its operators and the largest difference in HU.

    Raises SystemExit if some pixel differs by more than TOLERANCE.
    """
    folded, image = Folded(network).eval(), example()
    torch.onnx.export(
        folded, image, path, opset_version=13, do_constant_folding=True, input_names=["hu"], output_names=["denoised"]
    )
    graph = onnx.load(path)
    onnx.checker.check_model(graph)
    with torch.no_grad():
        difference = (in_runtime(path, image) - network(image)).abs().max().item()
    if difference > TOLERANCE:
        raise SystemExit(f"{path}: a pixel differs from the network by {difference} HU")
    return [node.op_type for node in graph.graph.node], difference


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint")
    parser.add_argument("onnx")
    arguments = parser.parse_args()
    network, _ = model.load(arguments.checkpoint)
    operators, difference = export(network, arguments.onnx)
    print(arguments.onnx, " ".join(operators), f"(onnxruntime: within {difference:.4f} HU)")


if __name__ == "__main__":
    main()
