"""The operators that ONNX does not have, PublicConv, NonLocalMeans and GuidedNonLocalMeans of cipherdose, as functions of those that it has."""
import numpy as np
from onnx import AttributeProto, TensorProto, helper, numpy_helper

import non_local_means as filter

DOMAIN = "cipherdose"
OPSET = 13
IR_VERSION = 8  # the first with functions


def _constant(name, value, kind=np.int64):
    return helper.make_node("Constant", [], [name], value=numpy_helper.from_array(np.array(value, kind)))


def public_convolution_function():
    """PublicConv(x, weights) with the attribute pads: a convolution, to whoever does not know that its weights are public."""
    node = helper.make_node("Conv", ["x", "weights"], ["y"])
    node.attribute.append(AttributeProto(name="pads", type=AttributeProto.INTS, ref_attr_name="pads"))
    opsets = [helper.make_opsetid("", OPSET)]
    return helper.make_function(DOMAIN, "PublicConv", ["x", "weights"], ["y"], [node], opsets, ["pads"])


def means_operator(guided):
    return "GuidedNonLocalMeans" if guided else "NonLocalMeans"


def non_local_means_function(guided, settings):
    """NonLocalMeans(image [1, 1, rows, columns], deviation) or GuidedNonLocalMeans(image, deviation, guide), for one settings.

    One channel for each pixel of the window: the image moved by so much, its patch distance and its weight. So it takes
    some hundred times the memory of the image, where a program that knows the operator takes a few.
    """
    search, patch, strength = settings
    compared = "guide" if guided else "image"
    reach, half, window = search // 2, patch // 2, search**2
    around = lambda margin: [0, 0, margin, margin] * 2  # noqa: E731
    node = helper.make_node
    nodes = [
        _constant("far", around(reach + half)),
        _constant("near", around(half)),
        _constant("within", around(reach)),
        _constant("square", [window, window]),
        _constant("each", [window, 1, search, search]),
        _constant("channels", [1]),
        _constant("none", 0, np.float32),
        _constant("one", 1, np.float32),
        _constant("two", 2, np.float32),
        _constant("least", filter.LEAST_DEVIATION, np.float32),
        _constant("squaredStrength", strength**2, np.float32),
        node("ConstantOfShape", ["square"], ["zeros"]),
        node("EyeLike", ["zeros"], ["identity"], dtype=TensorProto.FLOAT),
        node("Reshape", ["identity", "each"], ["moves"]),
        node("Pad", [compared, "far"], ["farther"], mode="edge"),
        node("Pad", [compared, "near"], ["centre"], mode="edge"),
        node("Conv", ["farther", "moves"], ["moved"]),
        node("Sub", ["moved", "centre"], ["difference"]),
        node("Mul", ["difference", "difference"], ["squares"]),
        node("AveragePool", ["squares"], ["distance"], kernel_shape=[patch, patch], strides=[1, 1]),
        node("Pad", ["image", "within"], ["wider"], mode="edge"),
        node("Conv", ["wider", "moves"], ["values"]),
        node("Mul", ["image", "none"], ["empty"]),
        node("Add", ["empty", "one"], ["ones"]),
        node("Pad", ["ones", "within"], ["framed"], mode="constant"),
        node("Conv", ["framed", "moves"], ["inside"]),
        node("Max", ["deviation", "least"], ["sigma"]),
        node("Mul", ["sigma", "sigma"], ["variance"]),
        node("Mul", ["variance", "two"], ["expected"]),
        node("Sub", ["distance", "expected"], ["over"]),
        node("Relu", ["over"], ["excess"]),
        node("Mul", ["variance", "squaredStrength"], ["unit"]),
        node("Div", ["excess", "unit"], ["unlikeness"]),
        node("Neg", ["unlikeness"], ["exponent"]),
        node("Exp", ["exponent"], ["likeness"]),
        node("Mul", ["likeness", "inside"], ["weights"]),
        node("Mul", ["weights", "values"], ["weighted"]),
        node("ReduceSum", ["weighted", "channels"], ["sum"]),
        node("ReduceSum", ["weights", "channels"], ["total"]),
        node("Div", ["sum", "total"], ["left"]),
    ]
    opsets = [helper.make_opsetid("", OPSET)]
    attributes = ["search", "patch", "strength"]
    inputs = ["image", "deviation"] + (["guide"] if guided else [])
    return helper.make_function(DOMAIN, means_operator(guided), inputs, ["left"], nodes, opsets, attributes)
