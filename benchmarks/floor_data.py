#!/usr/bin/env python3
"""Writes the small data of the table in docs/models.md, and baselines that its floors rest on.

    python3 -m venv /tmp/torch && /tmp/torch/bin/pip install numpy torch scikit-learn
    /tmp/torch/bin/python benchmarks/floor_data.py FOLDER [--text tinyshakespeare.txt]

squares.npz, tones.npz: 2500 samples by model_cases.masks and tones. diabetes_train.csv,
diabetes_test.csv: scikit-learn's diabetes data in standard units, every fifth row for testing; prints
the mean squared error of least squares in closed form. --text: prints what guessing characters by
their frequencies alone gives, for bert and electra.
"""
import argparse
import collections
import math
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests" / "end_to_end"))
import numpy as np
from sklearn.datasets import load_diabetes

from model_cases import masks, tones


def write_diabetes(folder):
    data = load_diabetes()
    is_test = np.arange(len(data.target)) % 5 == 0
    # Standard units; the target's mean stays for the bias to find.
    x = data.data / data.data[~is_test].std(0)
    y = data.target / data.target[~is_test].std()
    for name, rows in (("train", ~is_test), ("test", is_test)):
        np.savetxt(folder / f"diabetes_{name}.csv", np.column_stack([x[rows], y[rows]]), "%.9g", ",",
                   header=",".join([*data.feature_names, "progression"]), comments="")
    ones = np.ones((len(x), 1))
    terms = np.hstack([x, ones])
    weights = np.linalg.lstsq(terms[~is_test], y[~is_test], rcond=None)[0]
    error = np.mean((terms[is_test] @ weights - y[is_test]) ** 2)
    print(f"diabetes: least squares {error:.4f}, the mean {np.var(y[is_test]):.4f}")


def print_baselines(text, rate=0.15):
    counts = collections.Counter(text)
    p = np.array([n / len(text) for n in counts.values()])
    entropy = -(p * np.log(p)).sum()
    replaced = rate * (1 - (p**2).sum())  # drawn by frequency, and another character than before
    guess = -replaced * math.log(replaced) - (1 - replaced) * math.log(1 - replaced)
    print(f"characters by frequency: accuracy {p.max():.1%}, loss {entropy:.3f}; "
          f"electra {entropy + 50 * guess:.2f}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--text", type=pathlib.Path)
    options = parser.parse_args()
    for name, make in (("squares", masks(64, 64)), ("tones", tones(2000, 2000))):
        x, y = make(np.random.default_rng(5), 2500)
        np.savez(options.folder / f"{name}.npz", x=x, y=y)
    write_diabetes(options.folder)
    if options.text:
        print_baselines(options.text.read_text())


if __name__ == "__main__":
    main()
