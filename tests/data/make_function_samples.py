#!/usr/bin/env python3
"""Writes function_samples.json: what the functions of docs/api.md give by NumPy and JAX.

    python3 -m pip install jax scipy && python3 make_function_samples.py

An entry is {function, arguments, inputs, outputs, cotangents, gradients}. `gradients` holds, for
each input, the gradient of sum(output * cotangent) over the float outputs, or null. JAX computes
in 64 bits; where NumPy has the function too, the two must agree.
"""
import json
import os

from function_sampling import samples

# In this order: they draw from one stream of random numbers.
import function_samples_elementwise  # noqa: F401
import function_samples_reductions  # noqa: F401
import function_samples_shapes  # noqa: F401
import function_samples_indexing  # noqa: F401
import function_samples_networks  # noqa: F401
import function_samples_control  # noqa: F401
import function_samples_layers  # noqa: F401

path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "function_samples.json")
with open(path, "w") as file:
    file.write("[\n" + ",\n".join(json.dumps(s, separators=(",", ":")) for s in samples) + "\n]\n")
print(len(samples), "samples of", len({s["function"] for s in samples}), "functions,",
      os.path.getsize(path), "bytes")
