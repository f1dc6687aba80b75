#!/usr/bin/env python3
"""Writes image_layer_samples.json: activations, convolutions, pools, norms and shortcuts as PyTorch
computes them, in f64.

    python3 -m pip install torch && python3 make_image_layer_samples.py

Records are those of layer_sample_writing.py. Images are [batch, height, width, channels], sequences
[batch, length, channels]; kernels [height, width, in / groups, out] and [length, in / groups, out].
"""
import torch
import torch.nn.functional as F

from layer_sample_writing import LayerSamples

samples = LayerSamples(11)
floats, layer = samples.floats, samples.add

def hard_sigmoid(x):
    return torch.clip((x + 3) / 6, 0, 1)  # the derivative of F.hardsigmoid is 1/6 in f32


ACTIVATIONS = {"relu6": F.relu6, "selu": F.selu, "mish": F.mish, "log_sigmoid": F.logsigmoid,
               "hard_sigmoid": hard_sigmoid, "hard_swish": lambda x: x * hard_sigmoid(x), "linear": lambda x: x,
               "relu": F.relu, "silu": F.silu, "tanh": torch.tanh}
for name in ("relu6", "selu", "mish", "log_sigmoid", "hard_sigmoid", "hard_swish"):
    layer("activation", {"activation": name}, floats(4, 6, low=-9, high=9), {}, ACTIVATIONS[name])
layer("leaky_relu", {"slope": 0.2}, floats(3, 4), {}, lambda x: F.leaky_relu(x, 0.2))
layer("prelu", {}, floats(2, 5, 3), {"prelu/alpha": floats(3)},
      lambda x, a: F.prelu(x.permute(0, 2, 1), a).permute(0, 2, 1))
layer("permute", {"axes": [2, 3, 1]}, floats(2, 3, 4, 2), {}, lambda x: x.permute(0, 2, 3, 1))


def first(x):
    """Channels first; a sequence becomes an image of one row."""
    return x.permute(0, 3, 1, 2) if x.dim() == 4 else x.permute(0, 2, 1).unsqueeze(2)


def last(y, rank):
    return y.permute(0, 2, 3, 1) if rank == 4 else y.squeeze(2).permute(0, 2, 1)


def both(values, default):
    """Sizes of rows and columns, from an attribute of a 1D or 2D layer."""
    if values is None:
        return list(default)
    if isinstance(values, int):
        return [1, values]
    return values * 2 if len(values) == 1 else values


def same_padded(y, size, strides, dilation, value=0.0):
    amounts = []
    for extent, window, stride, step in zip(y.shape[2:], size, strides, dilation):
        total = max(0, (-(-extent // stride) - 1) * stride + (window - 1) * step + 1 - extent)
        amounts = [total // 2, total - total // 2] + amounts
    return F.pad(y, amounts, value=value)


def options_of(a):
    size = both(a["size"], ())
    return (size, both(a.get("strides", a.get("stride")), (1, 1)),
            both(a.get("dilation"), (1, 1)), a.get("groups", 1))


def image_kernel(k):
    return k if k.dim() == 4 else k.unsqueeze(0)


def convolved(x, k, a, groups=None):
    size, strides, dilation, given_groups = options_of(a)
    y = first(x)
    if a.get("same_padding"):
        y = same_padded(y, size, strides, dilation)
    if a.get("causal_padding"):
        y = F.pad(y, ((size[1] - 1) * dilation[1], 0))
    return F.conv2d(y, image_kernel(k).permute(3, 2, 0, 1), None, strides, 0, dilation,
                    groups or given_groups)


def transposed(x, k, a):
    size, strides, dilation, groups = options_of(a)
    k = image_kernel(k)
    weight = k.reshape(*k.shape[:3], groups, -1).permute(3, 2, 4, 0, 1).flatten(0, 1)
    y = F.conv_transpose2d(first(x), weight, None, strides, 0, 0, groups, dilation)
    if a.get("same_padding"):  # the part that a "same" convolution of the result looks at
        for axis in (2, 3):
            reach = (size[axis - 2] - 1) * dilation[axis - 2] + 1
            stride, extent = strides[axis - 2], first(x).shape[axis] * strides[axis - 2]
            missing = max(0, extent - y.shape[axis])
            y = F.pad(y, (0, missing) if axis == 3 else (0, 0, 0, missing))
            y = y.narrow(axis, max(0, reach - stride) // 2, extent)
    return y


def convolution(kind, attributes, shape, function):
    a = {"activation": "linear", "use_bias": True} | attributes
    size, _, _, groups = options_of(a)
    window = size if len(shape) == 4 else size[1:]
    weights = {f"{kind}/kernel": floats(*window, shape[-1] // groups, a["filters"])}
    if a["use_bias"]:
        weights[f"{kind}/bias"] = floats(a["filters"])

    def compute(x, k, b=0.0):
        return ACTIVATIONS[a["activation"]](last(function(x, k, a), len(shape)) + b)

    layer(kind, a, floats(*shape), weights, compute)


for attributes in ({}, {"stride": 2, "activation": "silu"}, {"same_padding": True, "stride": 2},
                   {"same_padding": True, "dilation": 2}, {"causal_padding": True, "dilation": 2},
                   {"groups": 2, "use_bias": False}):
    convolution("conv1d", {"filters": 4, "size": 3} | attributes, (2, 7, 2), convolved)
for attributes in ({}, {"stride": 2}, {"same_padding": True, "stride": 3}, {"dilation": 2},
                   {"groups": 2, "activation": "tanh"}):
    convolution("conv1d_transpose", {"filters": 4, "size": 2} | attributes, (2, 4, 2), transposed)
for attributes in ({}, {"strides": [2, 1]}, {"strides": [2, 3], "same_padding": True},
                   {"same_padding": True, "activation": "relu"}, {"size": [4], "strides": [2]},
                   {"size": [4], "strides": [2], "same_padding": True},
                   {"dilation": [2, 1], "use_bias": False},
                   {"groups": 2, "strides": [2], "same_padding": True}):
    a = {"filters": 4, "size": [3, 2]} | attributes
    convolution("conv2d_transpose", {k: v * 2 if k == "strides" and len(v) == 1 else v
                                     for k, v in a.items()}, (1, 3, 4, 2), transposed)
convolution("conv2d", {"filters": 6, "size": [2, 2], "groups": 3, "strides": [2, 2],
                       "dilation": [1, 2]}, (1, 5, 6, 3), convolved)

for attributes in ({}, {"multiplier": 2, "same_padding": True}, {"strides": [2, 2]},
                   {"dilation": [2, 1], "activation": "relu", "use_bias": False}):
    a = {"size": [3, 2], "multiplier": 1, "activation": "linear", "use_bias": True} | attributes
    results = 3 * a["multiplier"]
    weights = {"depthwise_conv2d/kernel": floats(3, 2, 1, results)}
    if a["use_bias"]:
        weights["depthwise_conv2d/bias"] = floats(results)
    layer("depthwise_conv2d", a, floats(1, 5, 4, 3), weights,
          lambda x, k, b=0.0: ACTIVATIONS[a["activation"]](last(convolved(x, k, a, 3), 4) + b))
    b = a | {"filters": 4}
    weights = {"separable_conv2d/depthwise_kernel": floats(3, 2, 1, results),
               "separable_conv2d/pointwise_kernel": floats(1, 1, results, 4)}
    if a["use_bias"]:
        weights["separable_conv2d/bias"] = floats(4)
    layer("separable_conv2d", b, floats(1, 5, 4, 3), weights,
          lambda x, d, p, bias=0.0: ACTIVATIONS[a["activation"]](
              last(F.conv2d(convolved(x, d, a, 3), p.permute(3, 2, 0, 1)), 4) + bias))

for attributes in ({"size": 2}, {"size": 3, "stride": 2}, {"size": 3, "stride": 2,
                                                           "same_padding": True}):
    size, strides = [1, attributes["size"]], [1, attributes.get("stride", attributes["size"])]

    def pool(x, value, f):
        y = first(x)
        y = same_padded(y, size, strides, (1, 1), value) if "same_padding" in attributes else y
        return last(f(y), 3)

    layer("max_pool1d", attributes, floats(2, 6, 3), {},
          lambda x: pool(x, float("-inf"), lambda y: F.max_pool2d(y, size, strides)))
    layer("avg_pool1d", attributes, floats(2, 6, 3), {},
          lambda x: pool(x, 0.0, lambda y: F.avg_pool2d(y, size, strides)) /
          pool(torch.ones_like(x), 0.0, lambda y: F.avg_pool2d(y, size, strides)))
for keep in (False, True):
    for kind, shape, axes in (("pool1d", (2, 5, 3), (1,)), ("pool2d", (2, 3, 4, 3), (1, 2))):
        layer("global_max_" + kind, {"keep_axes": keep}, floats(*shape), {},
              lambda x: x.amax(axes, keep))
        layer("global_avg_" + kind, {"keep_axes": keep}, floats(*shape), {},
              lambda x: x.mean(axes, keep))

layer("rms_norm", {"epsilon": 1e-5}, floats(2, 3, 4), {"rms_norm/scale": floats(4)},
      lambda x, s: F.rms_norm(x, (4,), s, 1e-5))
for shape, groups in (((2, 3, 2, 6), 3), ((2, 4, 6), 2), ((3, 6), 2)):
    layer("group_norm", {"groups": groups, "epsilon": 1e-3}, floats(*shape),
          {"group_norm/scale": floats(6), "group_norm/offset": floats(6)},
          lambda x, s, o: F.group_norm(x.movedim(-1, 1), groups, s, o, 1e-3).movedim(1, -1))
for shape in ((2, 3, 4, 3), (2, 5, 3)):
    layer("instance_norm", {"epsilon": 1e-4}, floats(*shape),
          {"instance_norm/scale": floats(3), "instance_norm/offset": floats(3)},
          lambda x, s, o: F.instance_norm(x.movedim(-1, 1), weight=s, bias=o, eps=1e-4)
          .movedim(1, -1))

layer("residual", {"body": {"kind": "dense", "units": 3, "activation": "tanh"},
                   "activation": "relu"}, floats(2, 3),
      {"residual/dense/kernel": floats(3, 3), "residual/dense/bias": floats(3)},
      lambda x, k, b: F.relu(x + torch.tanh(x @ k + b)))
layer("residual", {"body": {"kind": "conv2d", "filters": 4, "size": [2], "strides": [2, 2]},
                   "projection": {"kind": "conv2d", "filters": 4, "size": [1], "strides": [2, 2],
                                  "use_bias": False}}, floats(1, 4, 4, 2),
      {"residual/conv2d/kernel": floats(2, 2, 2, 4), "residual/conv2d/bias": floats(4),
       "residual/conv2d_1/kernel": floats(1, 1, 2, 4)},
      lambda x, k, b, p: last(F.conv2d(first(x), k.permute(3, 2, 0, 1), b, 2) +
                              F.conv2d(first(x), p.permute(3, 2, 0, 1), None, 2), 4))
# A dropout layer returns its input in inference.
layer("spatial_dropout", {"rate": 0.5}, floats(1, 2, 3), {}, lambda x: x * 1.0)

samples.write("image_layer_samples.json")
