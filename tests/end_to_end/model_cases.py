"""The networks of tenon/models that compare_with_pytorch.py trains, each with small data, its loss and
the same network in PyTorch."""
import dataclasses
import functools
import typing

import numpy as np
import torch.nn.functional as F

import pytorch_image_models as images
import pytorch_language_models as texts

# Samples and labels, from a random generator and a number of samples.


def pictures(*shape, classes=4):
    """Noise, with a band of rows that is brighter for each class."""
    def make(rng, count):
        y = rng.integers(0, classes, count, dtype=np.int32)
        y[:classes] = np.arange(classes)
        x = rng.integers(0, 156, (count, *shape))
        rows = np.arange(shape[0]) * classes // shape[0]
        bright = (rows[None] == y[:, None]).reshape(count, shape[0], *[1] * (len(shape) - 1))
        return (x + 100 * bright).astype(np.uint8), y
    return make


def masks(*shape, classes=3):
    """Noise, and for each pixel whether it is in a square, on its rim or outside."""
    def make(rng, count):
        x = rng.integers(0, 100, (count, *shape))
        y = np.zeros((count, *shape[:2]), np.int32)
        for i in range(count):
            top, left = rng.integers(0, np.array(shape[:2]) // 2)
            size = shape[0] // 2
            y[i, top : top + size, left : left + size] = 2
            y[i, top + 1 : top + size - 1, left + 1 : left + size - 1] = 1
        return (x + (50 * y).reshape(count, *shape[:2], *[1] * (len(shape) - 2))).astype(np.uint8), y
    return make


def points(features, classes=0):
    """Normal features with classes, or numbers, that follow a linear rule."""
    def make(rng, count):
        x = rng.standard_normal((count, features)).astype(np.float32)
        scores = x @ rng.standard_normal((features, max(classes, 1))).astype(np.float32)
        if classes == 0:
            return x, (scores[:, 0] + 0.5).astype(np.float32)
        y = scores.argmax(1).astype(np.int32)
        y[:classes] = np.arange(classes)
        return x, y
    return make


def tones(samples, rate, classes=3, levels=0):
    """A tone of each class in noise; `levels`: in such steps of 1, which take few digits to write."""
    def make(rng, count):
        y = rng.integers(0, classes, count, dtype=np.int32)
        y[:classes] = np.arange(classes)
        pitch = 200 * 1.7 ** y + rng.uniform(-20, 20, count)
        t = np.arange(samples) / rate
        x = 0.5 * np.sin(2 * np.pi * pitch[:, None] * t) + 0.1 * rng.standard_normal((count, samples))
        return (x if levels == 0 else np.round(x * levels) / levels).astype(np.float32), y
    return make


# Losses, as means; `prediction` is what a network gives.


def cross_entropy(prediction, x, y):
    return F.cross_entropy(prediction.flatten(0, -2), y.flatten().long())


def squared_error(prediction, x, y):
    return F.mse_loss(prediction.squeeze(-1), y.to(prediction.dtype))


def reconstruction(prediction, x, y):
    return F.mse_loss(prediction, x)


def variational(prediction, x, y):
    return F.mse_loss(prediction[0], x) + prediction[1]


@dataclasses.dataclass
class Case:
    model: str  # as --model takes it
    network: typing.Callable  # (weights, x) -> prediction
    data: typing.Callable
    loss: typing.Callable = cross_entropy
    arguments: tuple = ()
    optimizers: tuple = ("sgd",)
    learning_rate: float = 0  # 0: RATES
    is_recorded: bool = False  # in tests/data; one of every name at least


def case(model, network, data, *sizes, **more):
    own = {field.name for field in dataclasses.fields(Case)}
    options = {key: more.pop(key) for key in own & set(more)}
    return Case(model, functools.partial(network, *sizes, **more), data, **options)


MOBILE_STAGES = [(1, 8, 1, 1), (6, 8, 2, 2), (6, 8, 3, 2)]  # with width 0.1 all channels are 8
SPEECH = {"rate": 2000, "bands": 8, "fft": 64, "hop": 20, "window": 50}
OWN = ("--task", "reconstruction")

CASES = [
    case("linear-regression", images.mlp, points(6), layers=1, loss=squared_error, is_recorded=True),
    case("logistic-regression", images.mlp, points(6, 3), layers=1, optimizers=("sgd", "adam"),
         is_recorded=True),
    case("mlp:hidden=100/64", images.mlp, pictures(28, 28), layers=3, optimizers=("sgd", "adam")),
    case("mlp:hidden=8/6", images.mlp, pictures(8, 8), layers=3, is_recorded=True),
    case("lenet", images.lenet, pictures(28, 28), optimizers=("sgd", "adam")),
    case("lenet:filters=2/3:hidden=8", images.lenet, pictures(12, 12), layers=2, is_recorded=True),
    case("resnet20:width=4", images.small_resnet, pictures(16, 16, 3), blocks=3,
         optimizers=("sgd", "adam")),
    case("resnet20:width=2:blocks=1:projected=1", images.small_resnet, pictures(8, 8), blocks=1,
         projected=True, is_recorded=True),
    case("resnet32:width=2", images.small_resnet, pictures(8, 8), blocks=5, is_recorded=True),
    # At 1e-2 rounding alone parts equal runs of so deep a network at every seed.
    case("resnet56:width=2", images.small_resnet, pictures(8, 8), blocks=9, learning_rate=1e-3,
         is_recorded=True),
    case("resnet18:width=4:blocks=1/2/1", images.resnet, pictures(32, 32, 3), blocks=[1, 2, 1],
         bottleneck=False),
    case("resnet18:width=2:blocks=1/1", images.resnet, pictures(12, 12), blocks=[1, 1],
         bottleneck=False, is_recorded=True),
    case("resnet50:width=2:blocks=1/2/1:small=1", images.resnet, pictures(12, 12, 3),
         blocks=[1, 2, 1], bottleneck=True, small=True),
    case("resnet50:width=2:blocks=1:small=1", images.resnet, pictures(8, 8), blocks=[1],
         bottleneck=True, small=True, is_recorded=True),
    case("mobilenet-v2:width=0.1:stages=3", images.mobilenet_v2, pictures(16, 16, 3),
         stages=MOBILE_STAGES, blocks=4, small=False),
    case("mobilenet-v2:width=0.1:stages=2:blocks=1:small=1", images.mobilenet_v2, pictures(8, 8),
         stages=MOBILE_STAGES[:2], blocks=1, small=True, is_recorded=True),
    case("unet:width=4:depth=2", images.unet, masks(16, 16, 3), depth=2),
    case("unet:width=2:depth=1", images.unet, masks(8, 8), depth=1, is_recorded=True),
    case("vit:patch=4:width=24:layers=2:heads=3", images.vit, pictures(16, 16, 3), patch=4, layers=2,
         heads=3, optimizers=("sgd", "adam")),
    case("vit:patch=4:width=8:layers=1:heads=2:mean=1", images.vit, pictures(8, 8), patch=4, layers=1,
         heads=2, class_token=False, is_recorded=True),
    case("autoencoder:hidden=32/16:code=8", images.autoencoder, pictures(12, 12), layers=6,
         loss=reconstruction, arguments=OWN),
    case("autoencoder:hidden=8:code=3", images.autoencoder, pictures(8, 8), layers=4,
         loss=reconstruction, arguments=OWN, is_recorded=True),
    case("conv-autoencoder:filters=3/4", images.conv_autoencoder, pictures(8, 8), layers=2,
         loss=reconstruction, arguments=OWN, is_recorded=True),
    case("vae:hidden=16:code=3:noise=0", images.vae, pictures(8, 8), hidden=1, loss=variational,
         arguments=OWN, is_recorded=True),
    case("speech-commands:filters=4:blocks=1:rate=2000:bands=8", images.speech_commands,
         tones(400, 2000), blocks=1, **SPEECH),
    case("speech-commands:filters=2:blocks=1:rate=2000:bands=8", images.speech_commands,
         tones(124, 2000, levels=64), blocks=1, is_recorded=True, **SPEECH),
    *texts.cases(case),
]
