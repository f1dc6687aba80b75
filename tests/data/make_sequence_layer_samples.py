#!/usr/bin/env python3
"""Writes sequence_layer_samples.json: recurrent layers, attention and positions as PyTorch computes
them, in f64.

    python3 -m pip install torch && python3 make_sequence_layer_samples.py

Records are those of layer_sample_writing.py. Kernels are [features, gates * units], gates side by
side: i, f, g, o of an LSTM, z, r, g of a GRU (Keras' order).
"""
import torch
import torch.nn.functional as F

from layer_sample_writing import LayerSamples

samples = LayerSamples(17)
floats, layer = samples.floats, samples.add
BATCH, TIME, FEATURES = 2, 4, 3


def torch_order(weight, units):
    """A GRU's gates as PyTorch orders them: r, z, n."""
    z, r, g = weight.split(units, -1)
    return torch.cat([r, z, g], -1)


def recurrent(kind, x, k, r, bias, backwards=False):
    units = r.shape[0]
    steps = x.flip(1) if backwards else x
    h = torch.zeros(x.shape[0], units)[None]
    if kind == "gru":
        k, r = torch_order(k, units), torch_order(r, units)
        b = [torch_order(v, units) for v in bias] if bias is not None else []
    else:
        b = [bias, torch.zeros_like(bias)] if bias is not None else []
    parameters = [k.T, r.T, *b]
    options = (bool(b), 1, 0.0, False, False, True)
    if kind == "lstm":
        y, last, _ = torch.lstm(steps, [h, h], parameters, *options)
    else:
        function = torch.gru if kind == "gru" else torch.rnn_tanh
        y, last = function(steps, h, parameters, *options)
    return (y.flip(1) if backwards else y), last[0]


GATES = {"simple_rnn": 1, "lstm": 4, "gru": 3}


def recurrent_weights(kind, units, features, path, use_bias=True):
    n = GATES[kind] * units
    weights = {f"{path}/kernel": floats(features, n), f"{path}/recurrent_kernel": floats(units, n)}
    if use_bias:
        weights[f"{path}/bias"] = floats(2, n) if kind == "gru" else floats(n)
    return weights


for kind in GATES:
    for attributes in ({}, {"return_sequences": True}, {"backwards": True, "use_bias": False},
                       {"backwards": True, "return_sequences": True}):
        a = {"units": 2} | attributes

        def compute(x, k, r, bias=None):
            y, final = recurrent(kind, x, k, r, bias, "backwards" in a)
            return y if "return_sequences" in a else final

        layer(kind, a, floats(BATCH, TIME, FEATURES),
              recurrent_weights(kind, 2, FEATURES, kind, a.get("use_bias", True)), compute)


def unusual_lstm(x, k, r, bias):
    """An LSTM with softplus for tanh and ReLU6(x + 3) / 6 for the sigmoid, step by step."""
    h, c = torch.zeros(BATCH, 2), torch.zeros(BATCH, 2)
    for t in range(TIME):
        i, f, g, o = (x[:, t] @ k + h @ r + bias).split(2, -1)
        i, f, o = (torch.clip((gate + 3) / 6, 0, 1) for gate in (i, f, o))
        c = f * c + i * F.softplus(g)
        h = o * F.softplus(c)
    return h


layer("lstm", {"units": 2, "activation": "softplus", "recurrent_activation": "hard_sigmoid"},
      floats(BATCH, TIME, FEATURES), recurrent_weights("lstm", 2, FEATURES, "lstm"), unusual_lstm)

MERGES = {"concatenate": lambda a, b: torch.cat([a, b], -1), "sum": lambda a, b: a + b,
          "multiply": lambda a, b: a * b, "average": lambda a, b: (a + b) / 2}
for merge, function in MERGES.items():
    for kind, keeps in (("lstm", True), ("gru", False)):
        part = {"kind": kind, "units": 2, "return_sequences": keeps}

        def compute(x, k, r, b, back_k, back_r, back_b):
            y, final = recurrent(kind, x, k, r, b)
            back_y, back_final = recurrent(kind, x, back_k, back_r, back_b, True)
            return function(y, back_y) if keeps else function(final, back_final)

        layer("bidirectional", {"merge": merge, "forward": part,
                                "backward": part | {"backwards": True}},
              floats(BATCH, TIME, FEATURES),
              recurrent_weights(kind, 2, FEATURES, f"bidirectional/forward/{kind}") |
              recurrent_weights(kind, 2, FEATURES, f"bidirectional/backward/{kind}"), compute)

PATH = "multi_head_attention"


def attention_weights(features, memory_features, inner, use_bias=True):
    weights = {}
    for name, rows, columns in (("query", features, inner), ("key", memory_features, inner),
                                ("value", memory_features, inner), ("output", inner, features)):
        weights[f"{PATH}/{name}_kernel"] = floats(rows, columns, low=-1, high=1)
        if use_bias:
            weights[f"{PATH}/{name}_bias"] = floats(columns)
    return weights


def packed_attention(heads, allowed=None):
    """torch.nn.MultiheadAttention's own function; `allowed` [batch, time, steps]."""
    def compute(queries, memory, wq, bq, wk, bk, wv, bv, wo, bo):
        mask = None if allowed is None else ~allowed.repeat_interleave(heads, 0)
        y, _ = F.multi_head_attention_forward(
            queries.transpose(0, 1), memory.transpose(0, 1), memory.transpose(0, 1),
            queries.shape[-1], heads, torch.cat([wq.T, wk.T, wv.T]), torch.cat([bq, bk, bv]), None,
            None, False, 0.0, wo.T, bo, need_weights=False, attn_mask=mask)
        return y.transpose(0, 1)
    return compute


def scaled_dot_product(heads, turn=lambda x: x, causal=False, has_bias=True, allowed=None):
    """By F.scaled_dot_product_attention, with `turn` for queries and keys; `allowed` [batch, 1, time,
    steps]."""
    def compute(queries, memory, *weights):
        step = 2 if has_bias else 1
        biases = weights[1::2] if has_bias else [0.0] * 4
        wq, wk, wv, wo = weights[::step]

        def in_heads(x, w, b):
            y = x @ w + b
            return y.reshape(*y.shape[:2], heads, -1).transpose(1, 2)

        y = F.scaled_dot_product_attention(turn(in_heads(queries, wq, biases[0])),
                                           turn(in_heads(memory, wk, biases[1])),
                                           in_heads(memory, wv, biases[2]), allowed, is_causal=causal)
        return y.transpose(1, 2).flatten(2) @ wo + biases[3]
    return compute


def on_itself(function):
    return lambda x, *weights: function(x, x, *weights)


def rotated(x):
    """Rotation by halves, as Hugging Face writes Llama."""
    d = x.shape[-1]
    angles = torch.outer(torch.arange(x.shape[-2]), 100.0 ** (-torch.arange(0, d, 2) / d))
    angles = torch.cat([angles, angles], -1)
    half = torch.cat([-x[..., d // 2:], x[..., :d // 2]], -1)
    return x * angles.cos() + half * angles.sin()


layer(PATH, {"heads": 2}, floats(2, 3, 4), attention_weights(4, 4, 4),
      on_itself(packed_attention(2)))
layer(PATH, {"heads": 2, "causal": True}, floats(2, 4, 4), attention_weights(4, 4, 4),
      on_itself(packed_attention(2, torch.ones(2, 4, 4).tril().bool())))
layer(PATH, {"heads": 2, "width": 3, "use_bias": False}, floats(2, 3, 4),
      attention_weights(4, 4, 6, False), on_itself(scaled_dot_product(2, has_bias=False)))
layer(PATH, {"heads": 2, "rotary_base": 100.0, "causal": True}, floats(2, 5, 8),
      attention_weights(8, 8, 8), on_itself(scaled_dot_product(2, rotated, True)))
# Another sequence, with features of its own.
layer(PATH, {"heads": 3, "width": 2}, [floats(2, 3, 4), floats(2, 5, 3)],
      attention_weights(4, 3, 6), scaled_dot_product(3))
padding = torch.tensor([[True, True, True, False, False], [True, True, False, True, True]])
layer(PATH, {"heads": 2}, [floats(2, 3, 4), floats(2, 5, 4), padding], attention_weights(4, 4, 4),
      lambda q, m, mask, *weights:
      packed_attention(2, mask[:, None].expand(2, 3, 5))(q, m, *weights))
pairs = torch.tensor(samples.rng.integers(0, 2, (2, 3, 3))).bool() | torch.eye(3).bool()
layer(PATH, {"heads": 2, "causal": True}, [floats(2, 3, 4), floats(2, 3, 4), pairs],
      attention_weights(4, 4, 4), lambda q, m, mask, *weights:
      packed_attention(2, mask & torch.ones(3, 3).tril().bool())(q, m, *weights))


def positions(x):
    table = torch.zeros(x.shape[1:])
    time = torch.arange(x.shape[1])[:, None]
    for feature in range(x.shape[2]):
        angle = time[:, 0] / 10000.0 ** (2 * (feature // 2) / x.shape[2])
        table[:, feature] = torch.cos(angle) if feature % 2 else torch.sin(angle)
    return x + table


for features in (6, 5):
    layer("sinusoidal_positions", {}, floats(1, 4, features), {}, positions)
layer("learned_positions", {"length": 5}, floats(2, 3, 2),
      {"learned_positions/table": floats(5, 2)}, lambda x, table: x + table[:3])


def hard_sigmoid(x):
    return torch.clip((x + 3) / 6, 0, 1)


def gru_by_steps(x, k, r, bias, activation, gate, backwards=False):
    """The formula of a GRU with any activations, step by step: the state at each step."""
    h, steps = torch.zeros(BATCH, 2), []
    input_bias, recurrent_bias = (0.0, 0.0) if bias is None else bias
    for t in reversed(range(TIME)) if backwards else range(TIME):
        z, reset, g = (x[:, t] @ k + input_bias).split(2, -1)
        h_z, h_reset, h_g = (h @ r + recurrent_bias).split(2, -1)
        z, reset = gate(z + h_z), gate(reset + h_reset)
        h = z * h + (1 - z) * activation(g + reset * h_g)
        steps.append(h)
    return torch.stack(steps[::-1] if backwards else steps, 1)


check = floats(BATCH, TIME, FEATURES), *recurrent_weights("gru", 2, FEATURES, "gru").values()
assert torch.allclose(gru_by_steps(*check, torch.tanh, torch.sigmoid), recurrent("gru", *check)[0],
                      rtol=1e-12)
UNUSUAL = {"units": 2, "activation": "softplus", "recurrent_activation": "hard_sigmoid"}
layer("gru", UNUSUAL, floats(BATCH, TIME, FEATURES), recurrent_weights("gru", 2, FEATURES, "gru"),
      lambda *inputs: gru_by_steps(*inputs, F.softplus, hard_sigmoid)[:, -1])
layer("gru", UNUSUAL | {"backwards": True, "return_sequences": True, "use_bias": False},
      floats(BATCH, TIME, FEATURES), recurrent_weights("gru", 2, FEATURES, "gru", False),
      lambda *inputs: gru_by_steps(*inputs, None, F.softplus, hard_sigmoid, True))
# One of the two alone.
layer("gru", {"units": 2, "activation": "silu"}, floats(BATCH, TIME, FEATURES),
      recurrent_weights("gru", 2, FEATURES, "gru"),
      lambda *inputs: gru_by_steps(*inputs, F.silu, torch.sigmoid)[:, -1])
layer("gru", {"units": 2, "recurrent_activation": "softplus"}, floats(BATCH, TIME, FEATURES),
      recurrent_weights("gru", 2, FEATURES, "gru"),
      lambda *inputs: gru_by_steps(*inputs, torch.tanh, F.softplus)[:, -1])
layer("simple_rnn", {"units": 2, "activation": "relu", "return_sequences": True},
      floats(BATCH, TIME, FEATURES), recurrent_weights("simple_rnn", 2, FEATURES, "simple_rnn"),
      lambda x, k, r, bias: torch.rnn_relu(
          x, torch.zeros(1, BATCH, 2), [k.T, r.T, bias, torch.zeros_like(bias)], True, 1, 0.0,
          False, False, True)[0])


def softplus_rnn(x, k, r):
    h = torch.zeros(BATCH, 2)
    for t in reversed(range(TIME)):
        h = F.softplus(x[:, t] @ k + h @ r)
    return h


layer("simple_rnn", {"units": 2, "activation": "softplus", "backwards": True, "use_bias": False},
      floats(BATCH, TIME, FEATURES),
      recurrent_weights("simple_rnn", 2, FEATURES, "simple_rnn", False), softplus_rnn)

# Rotary positions together with what else changes the products.
ROTARY = {"heads": 2, "rotary_base": 100.0}
layer(PATH, ROTARY | {"use_bias": False}, floats(2, 3, 4), attention_weights(4, 4, 4, False),
      on_itself(scaled_dot_product(2, rotated, has_bias=False)))
layer(PATH, ROTARY | {"use_bias": False, "width": 4, "causal": True}, floats(2, 4, 3),
      attention_weights(3, 3, 8, False), on_itself(scaled_dot_product(2, rotated, True, False)))
layer(PATH, ROTARY | {"use_bias": False, "width": 2}, [floats(2, 3, 4), floats(2, 5, 3)],
      attention_weights(4, 3, 4, False), scaled_dot_product(2, rotated, has_bias=False))
layer(PATH, ROTARY, [floats(2, 3, 4), floats(2, 5, 4), padding], attention_weights(4, 4, 4),
      lambda q, m, mask, *weights:
      scaled_dot_product(2, rotated, allowed=mask[:, None, None])(q, m, *weights))

samples.write("sequence_layer_samples.json")
