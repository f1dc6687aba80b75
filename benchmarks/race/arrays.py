"""Samples and labels of a workload, and the folder from which every stack reads them."""
import dataclasses
import gzip
import json
import pathlib

import numpy as np

import workloads

DIGITS = "/usr/share/datasets/fashion-mnist"
DRAWN_CHARACTERS = 1 << 20


def read_digits(folder):
    """f32 [60000, 784] from 0 to 1 and labels, of a folder in MNIST's format."""
    def load(name, offset):
        for path in (pathlib.Path(folder, name), pathlib.Path(folder, name + ".gz")):
            if path.exists():
                data = path.read_bytes()
                data = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
                return np.frombuffer(data, np.uint8, offset=offset)
        raise SystemExit(f"{folder} has no {name}; install the Debian package dataset-fashion-mnist, or "
                         "name a folder of MNIST's format by --mnist")
    x = load("train-images-idx3-ubyte", 16).reshape(-1, 784).astype(np.float32) * np.float32(1 / 255)
    return x, load("train-labels-idx1-ubyte", 8).astype(np.int32)


def drawn_text(length=DRAWN_CHARACTERS):
    """Text of 65 characters, each of which is mostly followed by one of four others."""
    rng = np.random.default_rng(65)
    follow = rng.integers(0, 65, (65, 4))
    is_free, which = (rng.random(length) < 0.2).tolist(), rng.integers(0, 4, length).tolist()
    free, text, last = rng.integers(0, 65, length).tolist(), [], 0
    table = follow.tolist()
    for i in range(length):
        last = free[i] if is_free[i] else table[last][which[i]]
        text.append(last)
    characters = [chr(10), *map(chr, range(ord(" "), ord(" ") + 64))]
    return "".join(characters[i] for i in text)


def windows(ids, time, count):
    """Samples and the same one step later, [count, time]; begins anew where the ids end."""
    have = (len(ids) - 1) // time
    rows = np.arange(count) % have
    starts = rows[:, None] * time + np.arange(time)
    return ids[starts], ids[starts + 1]


def points(workload, rng):
    count, sizes = workload.batch * workload.batches, workload.sizes
    x = rng.standard_normal((count, sizes["features"])).astype(np.float32)
    scores = x @ rng.standard_normal(sizes["features"]).astype(np.float32)
    return x, (scores + rng.standard_normal(count) > 0).astype(np.float32)


def pictures(workload, rng):
    """Noise with a band that is brighter for each class."""
    count, side, classes = (workload.batch * workload.batches, workload.sizes["image"],
                            workload.sizes["outputs"])
    y = rng.integers(0, classes, count).astype(np.int32)
    y[:classes] = np.arange(classes)
    x = rng.standard_normal((count, side, side, 3), dtype=np.float32)
    x[np.arange(side)[None] * classes // side == y[:, None]] += 1
    return x, y


def text(workload, source):
    """The workload with the vocabulary of the text, and its windows."""
    characters, ids = np.unique(np.array(list(source)), return_inverse=True)
    x, y = windows(ids.astype(np.int32), workload.sizes["time"], workload.batch * workload.batches)
    if y.max() + 1 != len(characters):
        raise SystemExit(f"{workload.id}: the last of {len(characters)} characters is not in the part of "
                         "the text that is used; name another by --text")
    sizes = {**workload.sizes, "vocabulary": len(characters)}
    return dataclasses.replace(workload, sizes=sizes), x, y


def tokens(workload, rng):
    count, time, vocabulary = (workload.batch * workload.batches, workload.sizes["time"],
                               workload.sizes["vocabulary"])
    ids = rng.integers(0, vocabulary, (count, time + 1)).astype(np.int32)
    ids[0, 1] = vocabulary - 1  # by which Tenon knows the vocabulary
    return ids[:, :-1], ids[:, 1:]


def make(workload, mnist, text_file):
    """The workload, samples and labels. `text_file`: None for a drawn text."""
    rng = np.random.default_rng(7)
    if workload.data == "points":
        return workload, *points(workload, rng)
    if workload.data == "digits":
        x, y = read_digits(mnist)
        rows = np.arange(workload.batch * workload.batches) % len(x)
        return workload, x[rows], y[rows]
    if workload.data == "pictures":
        return workload, *pictures(workload, rng)
    if workload.data == "tokens":
        return workload, *tokens(workload, rng)
    source = pathlib.Path(text_file).read_text() if text_file else drawn_text()
    return text(workload, source)


def write(workload, folder, mnist, text_file):
    """Leaves data.npz and workload.json in `folder`; gives the workload."""
    folder.mkdir(parents=True, exist_ok=True)
    workload, x, y = make(workload, mnist, text_file)
    np.savez(folder / "data.npz", x=np.ascontiguousarray(x), y=np.ascontiguousarray(y))
    (folder / "workload.json").write_text(json.dumps(dataclasses.asdict(workload), indent=1))
    return workload


def aligned(array, bytes=64):
    """A copy that begins at a multiple of `bytes`, so that no stack has to copy it for that."""
    space = np.empty(array.nbytes + bytes, np.uint8)
    begin = -space.ctypes.data % bytes
    copy = space[begin : begin + array.nbytes].view(array.dtype).reshape(array.shape)
    copy[...] = array
    return copy


def read(folder):
    """The workload, and x and y as [batches, batch, ...]."""
    folder = pathlib.Path(folder)
    workload = workloads.from_json(json.loads((folder / "workload.json").read_text()))
    with np.load(folder / "data.npz") as data:
        x, y = (aligned(data[name]).reshape(workload.batches, workload.batch, *data[name].shape[1:])
                for name in ("x", "y"))
    return workload, x, y


def read_weights(folder):
    """The weights that Tenon begins with, by its names."""
    from safetensors.numpy import load_file

    return load_file(pathlib.Path(folder, "initial", "model.safetensors"))


def scale_head(workload, folder):
    """Rewrites the initial weights with the head as the workload wants it."""
    from safetensors.numpy import save_file

    if workload.head_scale != 1:
        weights = read_weights(folder)
        weights["dense/kernel"] *= np.float32(workload.head_scale)
        save_file(weights, pathlib.Path(folder, "initial", "model.safetensors"))
