#!/usr/bin/env python3
"""One peer of inference, as a process: a NumPy batch in, a NumPy array of outputs out.

Leaves the outputs of the first batch in STACK.npy in the workload's folder; answers as peer.py does."""
import argparse
import json
import pathlib

from peer import answer_requests, private_output
from runner import Runner


class Predictor(Runner):
    """`call` takes a NumPy batch and gives a NumPy array; `step` is what Runner times."""

    def __init__(self, call, x):
        super().__init__([(batch, None) for batch in x])
        self.call = call

    def step(self, x, y):
        return self.call(x)


def torch_model(workload, weights, threads):
    import torch
    import torch_networks

    torch.set_num_threads(threads)
    model = torch_networks.network(workload, weights).eval().requires_grad_(False)
    return torch, model


def of_torch(kind, workload, weights, threads):
    torch, model = torch_model(workload, weights, threads)
    is_image = workload.network == "resnet"
    if is_image:
        model = model.to(memory_format=torch.channels_last)
    if kind == "compile":
        import torch._inductor.config

        torch._inductor.config.freezing = True  # weights are constants, batch norm is folded
        model = torch.compile(model, fullgraph=True)

    def call(x):
        with torch.no_grad():
            x = torch.from_numpy(x)
            return model(x.permute(0, 3, 1, 2) if is_image else x).numpy()

    return call, {"torch": torch.__version__}


def of_jax(kind, workload, weights, threads):
    import jax
    import jax.numpy as jnp
    import jax_networks as networks
    import numpy as np

    # Constants of the compiled function.
    weights = {name: jnp.array(value) for name, value in networks.prepared(weights).items()}

    @jax.jit
    def forward(x):
        if workload.network == "resnet":
            return networks.resnet20(workload.sizes, weights, x, training=False)[0]
        return networks.NETWORKS[workload.network](workload.sizes, weights, x)

    return lambda x: np.asarray(forward(x)), {"jax": jax.__version__}


def of_onnxruntime(kind, workload, weights, threads, folder, example):
    import onnxruntime

    torch, model = torch_model(workload, weights, threads)
    x = torch.from_numpy(example)
    x = x.permute(0, 3, 1, 2).contiguous() if workload.network == "resnet" else x
    file = str(folder / "model.onnx")
    torch.onnx.export(model, (x,), file, input_names=["x"], output_names=["y"], dynamo=True,
                      verbose=False)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])

    def call(x):
        x = x.transpose(0, 3, 1, 2).copy() if workload.network == "resnet" else x
        return session.run(None, {"x": x})[0]

    return call, {"onnxruntime": onnxruntime.__version__}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--stack", required=True)
    parser.add_argument("--folder", required=True, type=pathlib.Path)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    answers = private_output()

    import arrays
    import numpy as np

    workload, x, _ = arrays.read(options.folder)
    weights = arrays.read_weights(options.folder)
    library, _, kind = options.stack.partition(".")
    if library == "onnxruntime":
        call, versions = of_onnxruntime(kind, workload, weights, options.threads, options.folder, x[0])
    else:
        call, versions = {"torch": of_torch, "jax": of_jax}[library](kind, workload, weights,
                                                                     options.threads)
    np.save(options.folder / f"{options.stack}.npy", call(x[0]))
    runner = Predictor(call, x)
    print(json.dumps({"versions": versions}), file=answers)
    answer_requests(answers, runner.time)


if __name__ == "__main__":
    main()
