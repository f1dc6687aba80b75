#!/usr/bin/env python3
"""Writes augment_samples.json: changes of images with given parameters as torchvision, PyTorch's
grid_sample and plain NumPy compute them, in f64.

    python3 -m pip install torch torchvision scipy && python3 make_augment_samples.py

Records {change, images, output, ...}: images are [batch, height, width, channels], every other entry
is a number or a list with one number for each image.
"""
import json
import math
import os

import numpy as np
import scipy.stats
import torch
import torch.nn.functional as F
import torchvision.transforms.functional as V

torch.set_default_dtype(torch.float64)
rng = np.random.default_rng(5)
records = []


def tensor(x):
    x = np.asarray(x)
    return {"type": "f64", "shape": list(x.shape), "data": [round(float(v), 10) for v in x.ravel()]}


def images(*shape, low=0.0, high=1.0):
    return torch.tensor(np.round(rng.uniform(low, high, shape), 2))


def first(x):
    return x.permute(0, 3, 1, 2)


def last(x):
    return x.permute(0, 2, 3, 1)


def add(change, x, y, **parameters):
    records.append({"change": change, "images": tensor(x), "output": tensor(y), **parameters})


def each(x, function, parameters):
    """function(image [1, C, H, W], parameter) for every image with its own parameter."""
    return last(torch.cat([function(first(x[i : i + 1]), p) for i, p in enumerate(parameters)]))


def filled(function, fill):
    """Moves that know zeros alone, filled with another number: what is missing of a white image."""
    return lambda x, p: function(x, p) + (1 - function(torch.ones_like(x), p)) * fill


def interpolated(**arguments):
    return {"angle": 0, "translate": [0, 0], "scale": 1, "shear": [0, 0],
            "interpolation": V.InterpolationMode.BILINEAR, **arguments}


x = images(4, 6, 7, 3)
angles = [0.0, 30.0, -75.0, 180.0]
rotate = lambda image, degrees: V.rotate(image, degrees, V.InterpolationMode.BILINEAR)
add("rotate", x, each(x, filled(rotate, 0.25), angles), radians=[math.radians(a) for a in angles],
    border="fill", fill=0.25)
factors = [1.0, 0.5, 1.7, 3.0]
zoom = lambda image, factor: V.affine(image, **interpolated(scale=factor))
add("zoom", x, each(x, filled(zoom, 0), factors), factor=factors, border="fill", fill=0)
degrees = [0.0, 20.0, -35.0, 10.0]
shear = lambda image, angle: V.affine(image, **interpolated(shear=[-angle, 0]))
add("shear", x, each(x, filled(shear, 0), degrees), tangent=[math.tan(math.radians(a)) for a in degrees],
    border="fill", fill=0)


def grid_sampled(image, matrix, height, width, mode):
    """The image at matrix @ (x, y, 1) of every pixel of the result, in pixels."""
    h, w = image.shape[2:]
    columns, rows = np.meshgrid(np.arange(width), np.arange(height))
    places = np.stack([columns, rows, np.ones_like(rows)], -1) @ np.asarray(matrix)[:2].T
    places = 2 * places / np.array([w - 1, h - 1]) - 1
    return F.grid_sample(image, torch.tensor(places)[None], "bilinear", mode, align_corners=True)


def shifted(right, down):
    return np.array([[1.0, 0, -right], [0, 1, -down], [0, 0, 1]])


MODES = {"edge": "border", "reflect": "reflection", "fill": "zeros"}
for border, mode in MODES.items():
    right, down = [0.0, 2.0, -3.25, 9.5], [0.0, -1.0, 0.75, -7.25]
    y = each(x, lambda image, p: grid_sampled(image, shifted(*p), 6, 7, mode), list(zip(right, down)))
    add("translate", x, y, right=right, down=down, border=border, fill=0)

# Rectangles (top, left, height, width) resized to 5 x 4.
boxes = [(0, 0, 6, 7), (1, 2, 3, 4), (2, 0, 4, 2), (5, 6, 1, 1)]
to_box = lambda b: [[b[3] / 4, 0, 0.5 * b[3] / 4 - 0.5 + b[1]], [0, b[2] / 5, 0.5 * b[2] / 5 - 0.5 + b[0]], [0, 0, 1]]
y = each(x, lambda image, b: grid_sampled(image, to_box(b), 5, 4, "border"), boxes)
whole = last(V.resized_crop(first(x[:1]), 0, 0, 6, 7, [5, 4], antialias=False))
assert np.allclose(y[:1], whole), "the whole image is resized as torchvision does"
add("resized_crop", x, y, top=[b[0] for b in boxes], left=[b[1] for b in boxes], height=[b[2] for b in boxes],
    width=[b[3] for b in boxes])

# A flip, then a turn, then a zoom, sampled once: matrices from a place of the result to the source.
flips, turns, zooms = [0, 1, 0, 1], [10.0, 40.0, -100.0, 0.0], [1.5, 0.8, 1.0, 1.25]


def combined(flip, turn, zoom):
    middle = np.array([[1.0, 0, 3], [0, 1, 2.5], [0, 0, 1]])
    about = lambda m: middle @ m @ np.linalg.inv(middle)
    c, s = math.cos(math.radians(turn)), math.sin(math.radians(turn))
    return (about(np.diag([-1.0 if flip else 1.0, 1, 1])) @ about(np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]))
            @ about(np.diag([1 / zoom, 1 / zoom, 1])))


y = each(x, lambda image, p: grid_sampled(image, combined(*p), 6, 7, "reflection"), list(zip(flips, turns, zooms)))
add("combined", x, y, flipped=flips, radians=[math.radians(t) for t in turns], factor=zooms, border="reflect", fill=0)

# Colours, in 0 to 1 and in -1 to 1; grays among them, where the hue is not defined.
FACTORS = [0.0, 0.6, 1.0, 1.9]


def gray_of(image):
    """ITU-R BT.601, as Pillow; torchvision writes 0.2989, so that gray pixels would not stay gray."""
    return image if image.shape[1] == 1 else torch.einsum("bchw,c->bhw", image, torch.tensor([0.299, 0.587, 0.114]))[:, None]


def blended(image, other, factor, judge):
    y = (factor * image + (1 - factor) * other).clip(0, 1)
    assert torch.allclose(y, judge(image, factor), atol=2e-4), "torchvision's but for that digit"
    return y


contrast = lambda image, factor: blended(image, gray_of(image).mean(), factor, V.adjust_contrast)
saturation = lambda image, factor: blended(image, gray_of(image), factor, V.adjust_saturation)
COLORS = {"brightness": (V.adjust_brightness, FACTORS), "contrast": (contrast, FACTORS),
          "saturation": (saturation, FACTORS), "hue": (V.adjust_hue, [-0.5, -0.13, 0.0, 0.31])}
x[:, 0, 0, :] = 0.4
x[:, 0, 1, :] = torch.tensor([0.7, 0.7, 0.2])
x[:, 0, 2, :] = torch.tensor([0.1, 0.9, 0.9])
for name, (function, factors) in COLORS.items():
    for black in (0, -1):
        y = each(x, lambda image, p: function(image, p), factors)
        scale = lambda image: image * (1 - black) + black
        add(name, scale(x), scale(y), factor=factors, black=black)
gray = images(4, 5, 3, 1)
for name in ("brightness", "contrast"):
    function, factors = COLORS[name]
    add(name, gray, each(gray, lambda image, p: function(image, p), factors), factor=factors, black=0)

deviations = [0.1, 0.7, 1.3, 2.0]
for size in (3, 5):
    blur = lambda image, sigma: V.gaussian_blur(image, [size, size], [sigma, sigma])
    add("blur", x, each(x, blur, deviations), deviation=deviations, size=size)

# Squares of 4 x 4 around a pixel, as in the code of DeVries and Taylor.
rows, columns = [0, 2, 5, 3], [6, 3, 0, 1]
y = x.clone()
for i, (row, column) in enumerate(zip(rows, columns)):
    y[i, max(0, row - 2) : row + 2, max(0, column - 2) : column + 2] = 0.5
add("cutout", x, y, row=rows, column=columns, size=4, fill=0.5)

targets = np.eye(4)
share = 0.3
add("mixup", x, share * x + (1 - share) * x.flip(0), share=share, targets=tensor(targets),
    mixed_targets=tensor(share * targets + (1 - share) * targets[::-1]))
# The code of Yun et al.: the box of 1 - share of the area, cut at the border.
for share, row, column in ((0.3, 3, 3), (0.6, 0, 6), (0.02, 5, 0), (1.0, 2, 2)):
    cut_height, cut_width = int(6 * math.sqrt(1 - share)), int(7 * math.sqrt(1 - share))
    y1, y2 = np.clip(row - cut_height // 2, 0, 6), np.clip(row + cut_height // 2, 0, 6)
    x1, x2 = np.clip(column - cut_width // 2, 0, 7), np.clip(column + cut_width // 2, 0, 7)
    y = x.clone()
    y[:, y1:y2, x1:x2] = x.flip(0)[:, y1:y2, x1:x2]
    kept = 1 - (y2 - y1) * (x2 - x1) / 42
    add("cutmix", x, y, share=share, row=row, column=column, targets=tensor(targets),
        mixed_targets=tensor(kept * targets + (1 - kept) * targets[::-1]))

places = [0.001, 0.05, 0.2, 0.5, 0.7, 0.99]
betas = [{"alpha": a, "places": places, "probabilities": [scipy.stats.beta.cdf(p, a, a) for p in places]}
         for a in (0.1, 0.4, 1.0, 3.0)]
# Whole pixels: flips, and crops of padded images.
flips = [0, 1, 1, 0]
add("flip", x, each(x, lambda image, f: V.hflip(image) if f else image, flips), flipped=flips, whole=1)
add("flip_vertical", x, each(x, lambda image, f: V.vflip(image) if f else image, flips),
    flipped=flips, whole=1)
corners = [(0, 0), (3, 2), (4, 6), (2, 3)]
padded = lambda image, c: V.crop(V.pad(image, [3, 2, 3, 2], fill=0.5), c[0], c[1], 6, 7)
add("crop", x, each(x, padded, corners), down=[2.0 - c[0] for c in corners],
    right=[3.0 - c[1] for c in corners], border="fill", fill=0.5, whole=1)

path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "augment_samples.json")
with open(path, "w") as file:
    json.dump({"changes": records, "betas": betas}, file, separators=(",", ":"))
    file.write("\n")
print(len(records), "records,", os.path.getsize(path), "bytes")
