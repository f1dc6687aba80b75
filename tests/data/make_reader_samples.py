#!/usr/bin/env python3
"""Writes the small sound files under tests/data/io that the tests read.

    python3 -m pip install numpy scipy soundfile && python3 make_reader_samples.py [FOLDER]

The expected tensors (*.npy) are what soundfile (libsndfile) reads from the files.
"""
import pathlib
import struct
import sys

import numpy as np
import scipy.io.wavfile
import soundfile

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
