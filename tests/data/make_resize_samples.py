#!/usr/bin/env python3
"""Writes resize_samples.json: antialiased bilinear resizing as PyTorch computes it in f64 (whole
images) and as Pillow does (boxes with parts of pixels).

    python3 -m pip install torch pillow && python3 make_resize_samples.py
"""
import json
import os

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

rng = np.random.default_rng(2)
records = []


def add(image, box, output, tolerance):
    records.append({"image": {"type": "u8", "shape": list(image.shape), "data": image.ravel().tolist()},
                    "box": box, "shape": list(output.shape), "tolerance": tolerance,
                    "output": [round(float(v), 4) for v in output.ravel()]})


for channels in (1, 3):
    for shape, size in (((9, 13), (5, 4)), ((9, 13), (9, 13)), ((6, 5), (14, 11)), ((40, 3), (3, 7)), ((1, 1), (2, 3))):
        image = rng.integers(0, 256, (*shape, channels), dtype=np.uint8)
        y = F.interpolate(torch.tensor(image.astype(float)).permute(2, 0, 1)[None], size, mode="bilinear",
                          antialias=True, align_corners=False)
        add(image, [0, 0, *shape], y[0].permute(1, 2, 0).numpy(), 0.501)
    image = rng.integers(0, 256, (20, 24, channels), dtype=np.uint8)
    for top, left, height, width in ((0.5, 3.75, 18.25, 9.5), (2, 1, 5.5, 20.5), (19.25, 0, 0.5, 24)):
        picture = Image.fromarray(image if channels == 3 else image[:, :, 0])
        y = np.asarray(picture.resize((6, 7), Image.BILINEAR, (left, top, left + width, top + height)))
        # Pillow rounds between rows and columns.
        add(image, [top, left, height, width], y.reshape(7, 6, channels), 1)
path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "resize_samples.json")
with open(path, "w") as file:
    json.dump(records, file, separators=(",", ":"))
    file.write("\n")
print(len(records), "records,", os.path.getsize(path), "bytes")
