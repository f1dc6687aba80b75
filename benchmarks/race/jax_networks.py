"""The networks of the race as functions of Tenon's weights by their names, in JAX.

Each takes (sizes, weights, x) and gives logits; resnet20 gives its new running statistics, too."""
import jax
import jax.numpy as jnp
import numpy as np

NORM_MOMENTUM = 0.1


def counted(kind, number):
    return f"{kind}_{number}" if number else kind


def is_statistic(name):
    return "batch_norm" in name and name.endswith(("/mean", "/variance"))


def dense(weights, path, x):
    return x @ weights[path + "/kernel"] + weights[path + "/bias"]


def mlp(sizes, weights, x):
    h, last = x, len(sizes["hidden"])
    for number in range(last):
        h = jax.nn.relu(dense(weights, counted("dense", number), h))
    return dense(weights, counted("dense", last), h)


def resnet20(sizes, weights, x, training=True):
    """x [batch, height, width, 3]."""
    moved = {}

    def conv_norm(path, h, number=0, stride=1):
        kernel = weights[f"{path}{counted('conv2d', number)}/kernel"]
        pad = kernel.shape[0] // 2
        h = jax.lax.conv_general_dilated(h, kernel, (stride, stride), [(pad, pad)] * 2,
                                         dimension_numbers=("NHWC", "HWIO", "NHWC"))
        norm = path + counted("batch_norm", number)
        mean, variance = weights[norm + "/mean"], weights[norm + "/variance"]
        if training:
            count = h.size // h.shape[-1]
            batch_mean = h.mean((0, 1, 2))
            batch_variance = jnp.square(h - batch_mean).mean((0, 1, 2))
            moved[norm + "/mean"] = mean + NORM_MOMENTUM * (batch_mean - mean)
            unbiased = batch_variance * (count / (count - 1))
            moved[norm + "/variance"] = variance + NORM_MOMENTUM * (unbiased - variance)
            mean, variance = batch_mean, batch_variance
        scale = weights[norm + "/scale"] * jax.lax.rsqrt(variance + 1e-5)
        return (h - mean) * scale + weights[norm + "/offset"]

    h = jax.nn.relu(conv_norm("", x))
    for number in range(9):
        block = counted("residual", number) + "/"
        is_projected = block + "sequential_1/conv2d/kernel" in weights
        stride = 2 if is_projected else 1
        y = jax.nn.relu(conv_norm(block + "sequential/", h, 0, stride))
        y = conv_norm(block + "sequential/", y, 1)
        shortcut = conv_norm(block + "sequential_1/", h, 0, stride) if is_projected else h
        h = jax.nn.relu(y + shortcut)
    return dense(weights, "dense", h.mean((1, 2))), moved


def lstm_layer(weights, path, h):
    """h [time, batch, features]; the products with the input are made for all steps at once."""
    inputs = h @ weights[path + "/kernel"] + weights[path + "/bias"]
    recurrent = weights[path + "/recurrent_kernel"]

    def cell(carry, x):
        output, state = carry
        i, f, g, o = jnp.split(x + output @ recurrent, 4, -1)
        state = jax.nn.sigmoid(f) * state + jax.nn.sigmoid(i) * jnp.tanh(g)
        output = jax.nn.sigmoid(o) * jnp.tanh(state)
        return (output, state), output

    start = jnp.zeros((h.shape[1], recurrent.shape[0]), h.dtype)
    return jax.lax.scan(cell, (start, start), inputs)[1]


def char_lstm(sizes, weights, ids):
    h = weights["embedding/table"][ids.T]
    for number in range(len(sizes["units"])):
        h = lstm_layer(weights, counted("lstm", number), h)
    return dense(weights, "dense", h).swapaxes(0, 1)


def layer_norm(weights, path, x):
    mean = x.mean(-1, keepdims=True)
    centred = x - mean
    variance = jnp.square(centred).mean(-1, keepdims=True)
    return (centred * jax.lax.rsqrt(variance + 1e-5) * weights[path + "/scale"]
            + weights[path + "/offset"])


def gpt(sizes, weights, ids):
    heads, time = sizes["heads"], ids.shape[1]
    words = weights["embedding/table"]
    h = words[ids] + weights["learned_positions/table"][:time]
    mask = np.tril(np.ones((time, time), bool))
    for number in range(sizes["layers"]):
        first = counted("residual", 2 * number) + "/sequential/"
        second = counted("residual", 2 * number + 1) + "/sequential/"
        attention = first + "multi_head_attention/"
        normal = layer_norm(weights, first + "layer_norm", h)
        qkv = normal @ weights[attention + "qkv_kernel"] + weights[attention + "qkv_bias"]
        q, k, v = (part.reshape(*part.shape[:2], heads, -1) for part in jnp.split(qkv, 3, -1))
        scores = jnp.einsum("bthd,bshd->bhts", q, k) * (1 / np.sqrt(q.shape[-1], dtype=np.float32))
        scores = jax.nn.softmax(jnp.where(mask, scores, -jnp.inf), -1)
        y = jnp.einsum("bhts,bshd->bthd", scores, v).reshape(h.shape)
        h = h + y @ weights[attention + "output_kernel"] + weights[attention + "output_bias"]
        inner = dense(weights, second + "dense", layer_norm(weights, second + "layer_norm", h))
        h = h + dense(weights, second + "dense_1", jax.nn.gelu(inner, approximate=True))
    return layer_norm(weights, "layer_norm", h) @ words.T


def prepared(weights):
    """Query, key and value side by side, so that one product makes all three."""
    result = dict(weights)
    for name in weights:
        if "/query_" in name:
            parts = [result.pop(name.replace("/query_", f"/{part}_"))
                     for part in ("query", "key", "value")]
            result[name.replace("/query_", "/qkv_")] = np.concatenate(parts, -1)
    return result


NETWORKS = {"mlp": mlp, "resnet": resnet20, "lstm": char_lstm, "gpt": gpt}
