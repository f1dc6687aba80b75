#!/usr/bin/env python3
"""Writes the small NumPy files under tests/data/io that the io tests read.

Usage: make_io_samples.py [FOLDER]    (needs NumPy; the files are committed)
"""
import pathlib
import sys

import numpy as np

folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent / "io")
folder.mkdir(parents=True, exist_ok=True)

for code in ["b1", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f2", "f4", "f8"]:
    array = (np.arange(6).reshape(2, 3) % 2 if code == "b1" else np.arange(6).reshape(2, 3) * 7)
    if code[0] in "if":
        array = array - 9
    np.save(folder / f"{code}.npy", array.astype(code))
    if code[1] != "1":
        np.save(folder / f"{code}_big.npy", array.astype(">" + code))

np.save(folder / "scalar.npy", np.float32(2.5))
np.save(folder / "empty.npy", np.zeros((0, 4), np.float32))
np.save(folder / "fortran.npy", np.asfortranarray(np.arange(24, dtype=np.int32).reshape(2, 3, 4)))
for version in [(2, 0), (3, 0)]:
    with open(folder / f"version{version[0]}.npy", "wb") as file:
        np.lib.format.write_array(file, np.arange(5, dtype=np.int64), version=version)
np.save(folder / "object.npy", np.array([None, 1], dtype=object), allow_pickle=True)
np.save(folder / "text.npy", np.array(["ab", "c"]))
np.save(folder / "complex.npy", np.array([1j]))
np.save(folder / "record.npy", np.zeros(2, dtype=[("a", "<f4"), ("b", "<i4")]))

x = np.arange(12, dtype=np.float32).reshape(4, 3)
y = np.array([0, 1, 2, 1])
np.savez(folder / "stored.npz", x=x, y=y)
np.savez_compressed(folder / "deflated.npz", x=np.zeros((50, 40), np.float32), y=np.arange(50))
