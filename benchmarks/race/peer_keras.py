"""Keras' peers on TensorFlow: `model.fit` without metrics, one or 32 steps per execution."""
import os
import time

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import tensorflow as tf
from keras import layers, ops

from runner import BLOCK_SECONDS, Runner, summary

STACKS = {"mlp": ("fit", "fit_many"), "resnet": ("fit",), "lstm": (), "gpt": ()}
STEPS_PER_EXECUTION = 32


def versions():
    return {"tensorflow": tf.__version__, "keras": keras.__version__}


class MatchedAdam(keras.optimizers.Adam):
    """Adam as in the paper, PyTorch, optax and Tenon: Keras adds epsilon before the bias correction."""

    @property
    def epsilon(self):
        count = ops.cast(self.iterations + 1, "float32")
        return 1e-8 * ops.sqrt(1 - ops.power(self.beta_2, count))

    @epsilon.setter
    def epsilon(self, value):
        pass


def counted(kind, number):
    return f"{kind}_{number}" if number else kind


class Maker:
    """Makes layers and keeps which weights of Tenon's they begin with."""

    def __init__(self, weights):
        self.weights, self.starts = weights, []

    def keep(self, layer, path, *names):
        self.starts.append((layer, [self.weights[f"{path}/{name}"] for name in names]))
        return layer

    def dense(self, path, activation=None):
        units = self.weights[path + "/kernel"].shape[1]
        return self.keep(layers.Dense(units, activation), path, "kernel", "bias")

    def conv_norm(self, path, h, number=0, stride=1):
        conv = path + counted("conv2d", number)
        size, _, _, filters = self.weights[conv + "/kernel"].shape
        if stride > 1 and size > 1:  # Keras pads these on one side only
            h = layers.ZeroPadding2D(size // 2)(h)
        padding = "same" if stride == 1 else "valid"
        h = self.keep(layers.Conv2D(filters, size, stride, padding, use_bias=False), conv, "kernel")(h)
        norm = layers.BatchNormalization(momentum=0.9, epsilon=1e-5)
        return self.keep(norm, path + counted("batch_norm", number), "scale", "offset", "mean",
                         "variance")(h)

    def begin(self):
        for layer, values in self.starts:
            layer.set_weights(values)


def mlp(sizes, maker):
    count = len(sizes["hidden"])
    model = keras.Sequential([keras.Input((sizes["features"],)),
                              *[maker.dense(counted("dense", i), "relu") for i in range(count)],
                              maker.dense(counted("dense", count))])
    maker.begin()
    return model


def resnet20(sizes, maker):
    image = keras.Input((sizes["image"], sizes["image"], 3))
    h = layers.ReLU()(maker.conv_norm("", image))
    for number in range(9):
        block = counted("residual", number) + "/"
        is_projected = block + "sequential_1/conv2d/kernel" in maker.weights
        stride = 2 if is_projected else 1
        y = layers.ReLU()(maker.conv_norm(block + "sequential/", h, 0, stride))
        y = maker.conv_norm(block + "sequential/", y, 1)
        shortcut = maker.conv_norm(block + "sequential_1/", h, 0, stride) if is_projected else h
        h = layers.ReLU()(layers.Add()([y, shortcut]))
    logits = maker.dense("dense")(layers.GlobalAveragePooling2D()(h))
    model = keras.Model(image, logits)
    maker.begin()
    return model


NETWORKS = {"mlp": mlp, "resnet": resnet20}


class Clock(keras.callbacks.Callback):
    """When each call began; ends the training after some seconds. Beginnings alone are watched: what
    watches ends would make Keras wait for the loss of every call."""

    def __init__(self, seconds):
        super().__init__()
        self.seconds, self.stamps = seconds, []

    def on_train_batch_begin(self, batch, logs=None):
        self.stamps.append(time.perf_counter())
        if self.stamps[-1] - self.stamps[0] > self.seconds:
            self.model.stop_training = True

    def blocks(self, steps_per_call):
        """Seconds per step over blocks of at least BLOCK_SECONDS, the first one left out."""
        blocks, begin, calls = [], self.stamps[0], 0
        for stamp in self.stamps[1:]:
            calls += 1
            if stamp - begin >= BLOCK_SECONDS:
                blocks.append((stamp - begin) / (calls * steps_per_call))
                begin, calls = stamp, 0
        return blocks[1:] or blocks


class Fit(Runner):
    def __init__(self, workload, weights, x, y, steps_per_call):
        y = y[..., None] if workload.loss == "binary" else y
        super().__init__(list(zip(x, y)))
        self.x, self.y = (a.reshape(-1, *a.shape[2:]) for a in (x, y))
        self.batch, self.steps_per_call = workload.batch, steps_per_call
        self.model = NETWORKS[workload.network](workload.sizes, Maker(weights))
        loss = (keras.losses.BinaryCrossentropy(from_logits=True) if workload.loss == "binary" else
                keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        optimizer = (keras.optimizers.SGD(workload.learning_rate, momentum=0.9)
                     if workload.optimizer == "sgd" else MatchedAdam(workload.learning_rate))
        self.model.compile(optimizer, loss, steps_per_execution=steps_per_call)

    def fit(self, x, y, **options):
        return self.model.fit(x, y, batch_size=self.batch, shuffle=False, verbose=0, **options)

    def step(self, x, y):
        return self.fit(x, y).history["loss"][0]

    def time(self, seconds):
        clock = Clock(seconds + 0.1)
        self.fit(self.x, self.y, epochs=1_000_000, callbacks=[clock])
        return summary(clock.blocks(self.steps_per_call), len(clock.stamps) * self.steps_per_call)


def make(stack, workload, weights, x, y, threads):
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    many = stack.endswith("_many")
    return Fit(workload, weights, x, y, STEPS_PER_EXECUTION if many else 1)
