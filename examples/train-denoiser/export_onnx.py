"""Exports a checkpoint as ONNX, HU to HU, with the network's inner scale folded into its weights.

    python3 export_onnx.py DIR/balanced.pt onnx/balanced.onnx

Input `hu` float [1, 1, 512, 512], output `denoised` of the same shape. Only operators that import takes:
AveragePool, Sub, Abs, Clip and Concat for the noise maps, cipherdose.PublicConv besides for the level of the noise, Clip, Mul
and Add for the squeezed image, pixel unshuffle as Reshape, Transpose, Reshape, then Conv and LeakyRelu or Relu by turns,
DepthToSpace, and for the limit of the residual Slice, Add, Neg, MaxPool, Mul, Resize (nearest), Sub and Relu; and the filter,
cipherdose.NonLocalMeans and GuidedNonLocalMeans. The file has those of cipherdose as functions too (onnx_functions.py).
"""
import argparse
import copy
import pathlib
import subprocess
import warnings

import numpy as np
import onnx
import torch
from torch import nn
from torch.nn import functional as F

import model
import noise_level
import onnx_functions

SIZE = 512  # rows and columns
TOLERANCE = 0.05  # HU, of float32


class Filter(torch.autograd.Function):
    """non_local_means of (image, deviation, with a guide or without) as one node of the graph."""

    @staticmethod
    def forward(_, settings, hu, deviation, *guide):
        return model.alike_means(hu, deviation, settings, guide[0] if guide else hu)

    @staticmethod
    def symbolic(graph, settings, *images):
        operator = f"{onnx_functions.DOMAIN}::{onnx_functions.means_operator(len(images) > 2)}"
        search, patch, strength = settings
        node = graph.op(operator, *images, search_i=search, patch_i=patch, strength_f=strength)
        return node.setType(images[0].type())


def joined(first, other, scale):
    """One convolution with the channels of both, those of `other`, which has no bias, times `scale`; zeros fill up kernels."""
    sides = [max(pair) for pair in zip(first.kernel_size, other.kernel_size)]
    both = model.same(first.in_channels, first.out_channels + other.out_channels, sides)
    with torch.no_grad():
        both.weight.copy_(torch.cat([model.fitted(first.weight, sides), scale * model.fitted(other.weight, sides)]))
        both.bias.copy_(F.pad(first.bias, (0, other.out_channels)))
    return both


class Folded(nn.Module):
    """A Denoiser without its divisions and multiplications by HU_SCALE; the same function up to rounding."""

    def __init__(self, network):
        super().__init__()
        self.leak, self.noise, self.squeeze, self.base = network.leak, network.noise, network.squeeze, network.base
        self.reach, self.most, self.factor, self.square = network.reach, network.most, network.factor, network.square
        self.again, self.again_taken, self.spared = network.again, network.again_taken, network.spared
        self.level = noise_level.trained()
        self.convolutions = copy.deepcopy(network.convolutions).to(memory_format=torch.contiguous_format)
        self.straight = 0 if network.shortcut is None else network.widths[-1]
        with torch.no_grad():
            self.convolutions[-1].weight *= model.HU_SCALE
            self.convolutions[-1].bias *= model.HU_SCALE
            if self.straight:
                self.convolutions[0] = joined(self.convolutions[0], network.shortcut, model.HU_SCALE)
            self.convolutions[0].weight /= model.HU_SCALE
            if self.noise:
                self.convolutions[0].weight[:, -model.NOISE_MAPS :] *= model.NOISE_GAIN

    def forward(self, hu):
        bands = model.detail(hu, model.HU_SCALE)
        seen = [model.onto(model.noise_maps(bands), self.factor)] if self.noise else []
        squeezed = lambda image: model.squeezed(image, model.HU_SCALE) if self.squeeze else image  # noqa: E731
        level = self.level(hu) if self.base or self.again else None
        if self.base:
            left = Filter.apply(model.FILTER, hu, model.deviation(level))
            removed = hu - left
            means = F.avg_pool2d(squeezed(left), model.CONTEXT)
            seen.insert(0, F.pixel_unshuffle(means, self.factor // model.CONTEXT))
            image = removed.clamp(-model.REMOVED, model.REMOVED)
        else:
            image = squeezed(hu)
        h = torch.cat([F.pixel_unshuffle(image, self.factor), *seen], 1)
        straight = 0
        for number, convolution in enumerate(self.convolutions[:-1]):
            h = convolution(h)
            if number == 0 and self.straight:
                h, straight = h[:, : -self.straight], h[:, -self.straight :]
            h = model.activated(h, self.leak, self.square)
        residual = F.pixel_shuffle(self.convolutions[-1](h) + straight, self.factor)
        if self.base:
            residual = residual + model.taken(removed, bands, model.HU_SCALE)
        limit = model.limit_of(bands, self.reach, self.most, model.HU_SCALE)
        limit = F.interpolate(limit, scale_factor=model.FACTOR)
        residual = model.held(residual, limit)
        if self.again:
            sigma = model.deviation(level, model.AGAIN_DEVIATION)
            means = lambda image, guide: Filter.apply(model.AGAIN, image, sigma, guide)  # noqa: E731
            residual = model.looked_again(hu, residual, limit, self.again_taken, means)
        return hu - model.spared(residual, bands, self.spared, model.HU_SCALE)


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


def make_public(graph):
    """Turns the convolutions of noise_level.py into those of the client."""
    for node in graph.node:
        if node.op_type == "Conv" and node.input[1].startswith("level."):
            node.op_type, node.domain = "PublicConv", onnx_functions.DOMAIN
            pads = [attribute for attribute in node.attribute if attribute.name == "pads"]
            del node.attribute[:]
            node.attribute.extend(pads)


def export(network, path):
    """Writes the ONNX file of a network, if it gives what the network gives; returns its operators and the largest difference in HU.

    Raises SystemExit if some pixel differs by more than TOLERANCE.
    """
    folded, image = Folded(network).eval(), example()
    names = {"input_names": ["hu"], "output_names": ["denoised"], "custom_opsets": {onnx_functions.DOMAIN: 1}}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the filter's shape, which the exporter does not know
        torch.onnx.export(folded, image, path, opset_version=onnx_functions.OPSET, do_constant_folding=True, **names)
    graph = onnx.load(path)
    if folded.base or folded.again:
        make_public(graph.graph)
        graph.functions.append(onnx_functions.public_convolution_function())
        used = {False: model.FILTER} if folded.base else {}
        used |= {True: model.AGAIN} if folded.again else {}
        graph.functions.extend(onnx_functions.non_local_means_function(*one) for one in used.items())
        graph.ir_version = max(graph.ir_version, onnx_functions.IR_VERSION)
        onnx.save(graph, path)
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
