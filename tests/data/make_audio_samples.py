#!/usr/bin/env python3
"""Writes audio_samples.json: spectra and log-mel features by PyTorch and librosa, with gradients.

    python3 -m pip install torch librosa && python3 make_audio_samples.py

PyTorch computes in f64; librosa must agree wherever it has the same function.
"""
import json
import os

import librosa
import numpy as np
import torch

rng = np.random.default_rng(11)
samples = []


def number(value):
    value = float(value)
    return int(value) if value.is_integer() and abs(value) < 1e15 else value


def tensor(array):
    array = np.asarray(array, np.float64)
    return {"type": "f64", "shape": list(array.shape), "data": [number(v) for v in array.ravel()]}


def spectrum(x, fft, hop, window, padding):
    """[..., frames, frequencies], complex."""
    mode = {"none": "constant", "zeros": "constant", "reflect": "reflect"}[padding]
    result = torch.stft(x, fft, hop, window, torch.hann_window(window, dtype=torch.float64),
                        center=padding != "none", pad_mode=mode, return_complex=True)
    return result.transpose(-1, -2)


def filters(fft, mel):
    bank = librosa.filters.mel(sr=mel["rate"], n_fft=fft, n_mels=mel["bands"], fmin=mel["low"],
                               fmax=mel["high"] or None, htk=mel["scale"] == "htk",
                               norm="slaney" if mel["equal_area"] else None, dtype=np.float64)
    return torch.tensor(bank.T.copy())


def add(function, arguments, x, compute):
    x = torch.tensor(x, dtype=torch.float64, requires_grad=True)
    outputs = compute(x)
    cotangents = [torch.tensor(np.round(rng.uniform(-1.5, 1.5, y.shape), 1)) for y in outputs]
    sum((y * c).sum() for y, c in zip(outputs, cotangents)).backward()
    samples.append({"function": function, "arguments": arguments, "input": tensor(x.detach()),
                    "outputs": [tensor(y.detach()) for y in outputs],
                    "cotangents": [tensor(c) for c in cotangents], "gradient": tensor(x.grad)})


for shape, fft, hop, window, padding in [((2, 60), 16, 5, 16, "none"), ((50,), 16, 6, 10, "zeros"),
                                         ((2, 40), 12, 4, 11, "reflect"), ((30,), 9, 4, 9, "none")]:
    x = np.round(rng.uniform(-1, 1, shape), 3)
    arguments = {"fft": fft, "hop": hop, "window": window, "padding": padding}

    def complex_parts(x):
        y = spectrum(x, fft, hop, window, padding)
        return y.real, y.imag

    found = librosa.stft(x, n_fft=fft, hop_length=hop, win_length=window, center=padding != "none",
                         pad_mode="reflect" if padding == "reflect" else "constant")
    np.testing.assert_allclose(np.swapaxes(found, -1, -2), spectrum(torch.tensor(x), fft, hop,
                                                                    window, padding), atol=1e-12)
    add("stft", arguments, x, complex_parts)

for scale, equal_area, low, high in [("htk", False, 0, 0), ("slaney", True, 100, 3500),
                                     ("slaney", False, 0, 0), ("htk", True, 50, 4000)]:
    mel = {"rate": 8000, "bands": 6, "low": low, "high": high, "scale": scale,
           "equal_area": equal_area}
    bank = filters(64, mel)
    samples.append({"function": "mel_filter_bank", "arguments": dict(mel, fft=64),
                    "outputs": [tensor(bank)]})
    x = np.round(rng.uniform(-1, 1, (2, 200)), 3)
    arguments = dict(mel, fft=64, hop=20, window=50, padding="reflect", floor=0.5)
    power = librosa.feature.melspectrogram(y=x, sr=8000, n_fft=64, hop_length=20, win_length=50,
                                           pad_mode="reflect", power=2, n_mels=6, fmin=low,
                                           fmax=high or None, htk=scale == "htk",
                                           norm="slaney" if equal_area else None)

    def log_mel(x):
        y = spectrum(x, 64, 20, 50, "reflect").abs() ** 2 @ bank
        np.testing.assert_allclose(np.swapaxes(power, -1, -2), y.detach(), rtol=1e-5)
        return [torch.log(torch.maximum(y, torch.tensor(0.5, dtype=torch.float64)))]

    add("log_mel", arguments, x, log_mel)

for length, periodic in [(1, True), (8, True), (9, False), (1, False)]:
    samples.append({"function": "hann_window", "arguments": {"length": length, "periodic": periodic},
                    "outputs": [tensor(torch.hann_window(length, periodic, dtype=torch.float64))]})

path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "audio_samples.json")
with open(path, "w") as file:
    file.write("[\n" + ",\n".join(json.dumps(s, separators=(",", ":")) for s in samples) + "\n]\n")
print(len(samples), "samples,", os.path.getsize(path), "bytes")
