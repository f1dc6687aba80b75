"""What the scripts that write samples of layers share: random tensors, one record for each layer."""
import json
import os

import numpy as np
import torch

torch.set_default_dtype(torch.float64)
NAMES = {"float64": "f64", "float32": "f32", "int64": "i64", "int32": "i32", "uint32": "u32",
         "bool": "bool"}


def tensor(x):
    x = x.detach().numpy() if isinstance(x, torch.Tensor) else np.asarray(x)
    return {"type": NAMES[str(x.dtype)], "shape": list(x.shape),
            "data": [int(v) if x.dtype.kind in "iub" else float(v) for v in x.ravel()]}


class LayerSamples:
    """Records {layer, attributes, input, weights by path, output, cotangent, gradients of input and
    weights}. A layer of several inputs has them in `inputs`, with `input_gradients`. A record with a
    `key` is of training with that key; `added_loss` is what the layer adds to the loss, whose
    gradient is in those of the record."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)
        self.layers = []

    def floats(self, *shape, low=-2.0, high=2.0, gradient=True):
        x = torch.tensor(np.round(self.rng.uniform(low, high, shape), 2))
        return x.requires_grad_(gradient)

    def add(self, kind, attributes, inputs, weights, compute, key=None):
        """compute(*inputs, *weights) -> y, or y and what the layer adds to the loss; the weights are
        passed in the order they are given."""
        one_input = isinstance(inputs, torch.Tensor)
        inputs = [inputs] if one_input else inputs
        y = compute(*inputs, *weights.values())
        y, added = y if isinstance(y, tuple) else (y, None)
        c = self.floats(*y.shape, gradient=False)
        wrt = [v for v in (*inputs, *weights.values()) if v.requires_grad]
        total = (y * c).sum() + (0 if added is None else added)
        found = iter(torch.autograd.grad(total, wrt))
        of_inputs = [tensor(next(found)) if x.requires_grad else None for x in inputs]
        record = {"layer": kind, "attributes": attributes,
                  "weights": {k: tensor(v) for k, v in weights.items()}, "output": tensor(y),
                  "cotangent": tensor(c), "weight_gradients": {k: tensor(next(found))
                                                              for k in weights}}
        if key is not None:
            record["key"] = tensor(key)
        if added is not None:
            record["added_loss"] = tensor(added)
        if one_input:
            record |= {"input": tensor(inputs[0]), "input_gradient": of_inputs[0]}
        else:
            record |= {"inputs": [tensor(x) for x in inputs], "input_gradients": of_inputs}
        self.layers.append(record)

    def write(self, name):
        path = os.path.join(os.path.dirname(os.path.abspath(__file__)), name)
        with open(path, "w") as file:
            json.dump({"layers": self.layers}, file, separators=(",", ":"))
            file.write("\n")
        print(name, len(self.layers), "layers,", os.path.getsize(path), "bytes")
