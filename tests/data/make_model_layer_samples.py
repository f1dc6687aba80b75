#!/usr/bin/env python3
"""Writes model_layer_samples.json: the layers of ready-made models as PyTorch computes them, in f64.

    python3 -m pip install torch && python3 make_model_layer_samples.py

Records are those of layer_sample_writing.py. Images are [batch, height, width, channels].
"""
import torch
import torch.nn.functional as F

from layer_sample_writing import LayerSamples

samples = LayerSamples(17)
floats, layer = samples.floats, samples.add


def first(x):
    return x.permute(0, 3, 1, 2)


def last(x):
    return x.permute(0, 2, 3, 1)


layer("zero_pad2d", {"before": [1], "after": [2, 0]}, floats(2, 3, 4, 2), {},
      lambda x: last(F.pad(first(x), (1, 0, 1, 2))))
layer("zero_pad2d", {}, floats(1, 2, 2, 1), {}, lambda x: last(F.pad(first(x), (1, 1, 1, 1))))
layer("up_sample2d", {"size": [2, 3]}, floats(2, 2, 3, 2), {},
      lambda x: last(F.interpolate(first(x), scale_factor=(2, 3), mode="nearest")))
layer("channel_shortcut", {"channels": 5, "stride": 2}, floats(2, 5, 4, 3), {},
      lambda x: F.pad(x[:, ::2, ::2], (0, 2)))
layer("skip_concat", {"body": {"kind": "dense", "units": 2}}, floats(2, 3, 4),
      {"skip_concat/dense/kernel": floats(4, 2), "skip_concat/dense/bias": floats(2)},
      lambda x, k, b: torch.cat([x, x @ k + b], -1))
layer("class_token", {}, floats(2, 3, 4), {"class_token/token": floats(4)},
      lambda x, t: torch.cat([t.expand(2, 1, 4), x], 1))
layer("select_step", {"step": 0}, floats(2, 3, 4), {}, lambda x: x[:, 0])
layer("select_step", {"step": -1}, floats(2, 3), {}, lambda x: x[:, -1])


def divergence(x, weight):
    mean, log_variance = x.chunk(2, -1)
    drawn = torch.distributions.Normal(mean, (log_variance / 2).exp())
    usual = torch.distributions.Normal(torch.zeros_like(mean), torch.ones_like(mean))
    return weight * torch.distributions.kl_divergence(drawn, usual).sum() / x.shape[0]


# In inference the code is the mean.
layer("variational", {"weight": 0.5}, floats(3, 4), {}, lambda x: (x[:, :2], divergence(x, 0.5)))


def log_mel(x, rate, fft, hop, window, bands, floor):
    """Triangles in the HTK mel scale over power spectra of frames without padding."""
    power = torch.stft(x, fft, hop, window, torch.hann_window(window, dtype=x.dtype), center=False,
                       return_complex=True).abs() ** 2
    f = torch.linspace(0, rate / 2, fft // 2 + 1)[:, None]
    top = 2595 * torch.log10(torch.tensor(1 + rate / 2 / 700))
    points = 700 * (10 ** (torch.linspace(0, 1, bands + 2) * top / 2595) - 1)
    filters = torch.minimum((f - points[:-2]) / (points[1:-1] - points[:-2]),
                            (points[2:] - f) / (points[2:] - points[1:-1])).clamp(min=0)
    return torch.log((power.transpose(1, 2) @ filters).clamp(min=floor))


layer("log_mel", {"rate": 1000.0, "fft": 32, "hop": 10, "window": 24, "bands": 5, "floor": 1e-6},
      floats(2, 60), {}, lambda x: log_mel(x, 1000, 32, 10, 24, 5, 1e-6))

samples.write("model_layer_samples.json")
