#!/usr/bin/env python3
"""Writes the small sound, TFRecord, tar, Parquet and Arrow files under tests/data/io that the tests read.

    python3 -m pip install numpy scipy soundfile tensorflow-cpu webdataset pillow pyarrow && python3 make_reader_samples.py [FOLDER]

The expected tensors (*.npy) are what soundfile (libsndfile) reads from the files.
"""
import io
import pathlib
import struct
import sys
import tarfile

import numpy as np
import pyarrow
import pyarrow.parquet
import scipy.io.wavfile
import soundfile
import tensorflow as tf
import webdataset

folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent / "io")
rng = np.random.default_rng(5)

# WAV: every format, from soundfile and from SciPy.
tone = np.sin(np.arange(60).reshape(30, 2) * 0.37) * 0.9
tone[0] = [-1.0, 0.999]
for name, subtype, container in [("pcm8", "PCM_U8", "WAV"), ("pcm16", "PCM_16", "WAV"),
                                 ("pcm24", "PCM_24", "WAV"), ("pcm32", "PCM_32", "WAV"),
                                 ("float32", "FLOAT", "WAV"), ("float64", "DOUBLE", "WAV"),
                                 ("extensible24", "PCM_24", "WAVEX"),
                                 ("extensible_float", "FLOAT", "WAVEX")]:
    path = folder / f"{name}.wav"
    soundfile.write(path, tone, 8000, subtype=subtype, format=container)
    read, rate = soundfile.read(path, dtype="float32", always_2d=True)
    assert rate == 8000
    np.save(folder / f"{name}_wav.npy", read)
scipy.io.wavfile.write(folder / "scipy_mono.wav", 16000,
                       np.arange(-5, 6, dtype=np.int16) * 3000)
# Five channels of one frame, with odd chunks before and after the data.
frame = np.array([[1, -2, 3, -4, 5]], np.int16)
chunks = (b"LIST" + struct.pack("<I", 3) + b"abc\0" +
          b"fmt " + struct.pack("<IHHIIHH", 16, 1, 5, 44100, 441000, 10, 16) +
          b"junk" + struct.pack("<I", 1) + b"x\0" +
          b"data" + struct.pack("<I", 10) + frame.astype("<i2").tobytes() +
          b"cue " + struct.pack("<I", 2) + b"zz")
(folder / "odd_chunks.wav").write_bytes(b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" +
                                        chunks)
read, rate = soundfile.read(folder / "odd_chunks.wav", dtype="float32", always_2d=True)
np.save(folder / "odd_chunks_wav.npy", read)

# TFRecord files of tf.train.Example, by TensorFlow.

def feature(value):
    if isinstance(value, list) and value and isinstance(value[0], bytes):
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=value))
    value = np.asarray(value)
    if value.dtype.kind == "f":
        return tf.train.Feature(float_list=tf.train.FloatList(value=value.ravel()))
    return tf.train.Feature(int64_list=tf.train.Int64List(value=value.ravel()))


def example(**features):
    return tf.train.Example(features=tf.train.Features(
        feature={name: feature(value) for name, value in features.items()})).SerializeToString(
            deterministic=True)


with tf.io.TFRecordWriter(str(folder / "examples.tfrecord")) as writer:
    for i in range(5):
        writer.write(example(x=np.arange(6, dtype=np.float32) / 4 + i, y=[i % 3],
                             name=[f"record {i}".encode(), b"\x00\xff"],
                             big=[-1, 2**63 - 1, -2**63, i]))
with tf.io.TFRecordWriter(str(folder / "images.tfrecord"), options="GZIP") as writer:
    for i in range(3):
        image = np.full((4, 5, 3), 50 * i, np.uint8)
        writer.write(example(image=[tf.io.encode_png(image).numpy()], label=[i]))
# An example with values that are not packed, a list in two pieces, an unknown field and an empty
# feature: what other writers may leave.
loose = b"".join([
    b"\x0a" + bytes([len(body)]) + body for body in [
        b"\x0a\x01f" + b"\x12\x0c" + b"\x12\x0a" + b"\x0d" + struct.pack("<f", 1.5) +
        b"\x0d" + struct.pack("<f", -2),
        b"\x0a\x01i" + b"\x12\x0a" + b"\x1a\x08" + b"\x08\x05\x08\x96\x01\x0a\x01\x07",
        b"\x0a\x01e" + b"\x12\x00",
        b"\x0a\x01u" + b"\x12\x07" + b"\x0a\x03\x0a\x01z" + b"\x28\x01"]])
loose = b"\x0a" + bytes([len(loose)]) + loose
parsed = tf.train.Example.FromString(loose)
assert list(parsed.features.feature["f"].float_list.value) == [1.5, -2]
assert list(parsed.features.feature["i"].int64_list.value) == [5, 150, 7]
assert list(parsed.features.feature["u"].bytes_list.value) == [b"z"]
(folder / "loose_example.bin").write_bytes(loose)

# Tar archives: WebDataset shards by its own writer, and each format of Python's tarfile.
for shard in range(2):
    ending = ".gz" if shard else ""
    with webdataset.TarWriter(str(folder / f"shard-{shard}.tar{ending}"), mtime=0) as writer:
        for i in range(3):
            writer.write({"__key__": f"set/{shard}-{i}", "png": np.full((4, 5, 3), 40 * i, np.uint8),
                          "cls": 3 * shard + i, "json": {"label": [i, shard]},
                          "npy": np.arange(3, dtype=np.float32) + i, "txt": f"text {i}"})
for name, kind in [("ustar", tarfile.USTAR_FORMAT), ("gnu", tarfile.GNU_FORMAT),
                   ("pax", tarfile.PAX_FORMAT)]:
    with tarfile.open(folder / f"{name}.tar", "w", format=kind) as archive:
        def add(path, content, **changes):
            info = tarfile.TarInfo(path)
            info.size = len(content)
            for key, value in changes.items():
                setattr(info, key, value)
            archive.addfile(info, io.BytesIO(content))

        add("folder", b"", type=tarfile.DIRTYPE)
        add("./folder/a.txt", b"first")
        # 100 bytes do not hold this name; ustar cuts it at a slash.
        add("long/" * 18 + "n" * 60 + ".txt", b"x" * 513)
        if name != "ustar":
            add("m" * 150 + ".txt", b"")
            add("\u00fc.txt", b"last", mtime=1.5)

# Parquet and Arrow IPC files by pyarrow: 7 rows in groups of 3, 3 and 1.
rows = np.arange(7)
table = pyarrow.table({
    "f64": rows / 4, "f32": (rows * 2).astype(np.float32), "f16": (rows / 2).astype(np.float16),
    "i8": (rows - 3).astype(np.int8), "u64": rows.astype(np.uint64) + 10, "flag": rows % 2 == 0,
    "kind": pyarrow.array([["cat", "dog", "emu"][i % 3] for i in rows]).dictionary_encode(),
    "text": [["cat", "dog", "emu"][i % 3] for i in rows]})
numbers = ["f64", "f32", "f16", "i8", "u64", "flag"]
pyarrow.parquet.write_table(table.select(numbers + ["kind"]), folder / "table.parquet",
                            row_group_size=3)
pyarrow.parquet.write_table(table.select(numbers + ["text"]), folder / "text.parquet",
                            row_group_size=3, compression="zstd")
for name, columns, opener in [("table.arrow", numbers + ["kind"], pyarrow.ipc.new_file),
                              ("table.arrows", numbers + ["text"], pyarrow.ipc.new_stream)]:
    with opener(folder / name, table.select(columns).schema) as writer:
        writer.write_table(table.select(columns), max_chunksize=3)
pyarrow.parquet.write_table(pyarrow.table({"x": [1.5, 2.5, None, 4.5], "y": [0, 1, 0, 1]}),
                            folder / "null.parquet", row_group_size=2)
# Rows that cannot be used: no value, not finite, beyond f32, no label.
gaps = {"x": [i / 2 for i in range(12)], "z": [float(i) for i in range(12)],
        "kind": [["cat", "dog"][i % 2] for i in range(12)]}
gaps["x"][2], gaps["x"][4], gaps["z"][7], gaps["x"][8], gaps["kind"][9] = (
    None, float("nan"), float("inf"), 1e39, None)
pyarrow.parquet.write_table(pyarrow.table(gaps), folder / "gaps.parquet", row_group_size=5)
pyarrow.parquet.write_table(pyarrow.table({"x": [[1, 2], [3]], "y": [0, 1]}),
                            folder / "nested.parquet")
