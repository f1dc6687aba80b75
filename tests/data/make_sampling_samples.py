#!/usr/bin/env python3
"""Writes sampling_samples.json: probabilities of the next token from fixed logits, by PyTorch's
functions as nanoGPT (top-k) and Hugging Face's TopPLogitsWarper (top-p) use them, in f64; and the
indices that NumPy draws from them.

    python3 -m pip install numpy torch && python3 make_sampling_samples.py
"""
import json
import os

import numpy as np
import torch

rng = np.random.default_rng(5)
INFINITY = float("inf")


def probabilities(logits, temperature, top_k, top_p):
    logits = torch.tensor(logits, dtype=torch.float64) / temperature
    if top_k:
        smallest = torch.topk(logits, min(top_k, len(logits))).values[-1]
        logits = logits.masked_fill(logits < smallest, -INFINITY)
    if top_p < 1:
        # Ascending, so that what is removed is the tail of at most 1 - top_p.
        values, order = torch.sort(logits.flip(0), stable=True)
        order = len(logits) - 1 - order
        removed = values.softmax(-1).cumsum(-1) <= 1 - top_p
        removed[-1] = False
        logits = logits.masked_fill(torch.zeros_like(removed).scatter(0, order, removed), -INFINITY)
    return logits.softmax(-1).numpy()


records = []
tied = [1.0, 3.0, -2.0, 3.0, 0.5, 3.0, 1.0]
for logits in (list(np.round(rng.normal(0, 2, 12), 3)), list(np.round(rng.normal(0, 0.3, 40), 3)), tied,
               [0.0, -INFINITY, 1.5, -INFINITY, -300.0], [2.0]):
    for temperature in (1.0, 0.7, 2.5):
        for top_k, top_p in ((0, 1.0), (3, 1.0), (1, 1.0), (0, 0.9), (0, 0.05), (5, 0.6), (100, 0.999)):
            p = probabilities(logits, temperature, top_k, top_p)
            units = [0.0, *np.round(rng.uniform(0, 1, 5), 6), 0.999999999]
            draws = [int(np.searchsorted(np.cumsum(p), u * p.sum(), side="right")) for u in units]
            records.append({"logits": ["-inf" if v == -INFINITY else v for v in logits],
                            "temperature": temperature, "top_k": top_k, "top_p": top_p,
                            "probabilities": p.tolist(), "units": units, "draws": draws})

path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "sampling_samples.json")
with open(path, "w") as file:
    json.dump({"samples": records}, file, separators=(",", ":"))
    file.write("\n")
print(len(records), "samples,", os.path.getsize(path), "bytes")
