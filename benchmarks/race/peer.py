#!/usr/bin/env python3
"""One peer of the race, as a process: learns to the first loss, then answers on stdout.

    peer.py --stack torch.eager_fused --folder WORKLOAD [--only-first]

Prints one JSON line when its losses are known, then one for each line "time SECONDS" on stdin;
"quit" ends it. race.py starts it and sets its environment.
"""
import argparse
import ctypes
import importlib
import json
import os
import signal
import sys
import time

MODULES = {"torch": "peer_torch", "jax": "peer_jax", "keras": "peer_keras"}
PR_SET_PDEATHSIG = 1


def private_output():
    """The real stdout; what libraries print goes to stderr. Also ends this process with its parent, even
    while it is stopped."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    return answers


def answer_requests(answers, measure):
    """One JSON line, of what `measure` gives for SECONDS, for each line "time SECONDS" on stdin, until
    "quit"."""
    for line in sys.stdin:
        words = line.split()
        if not words or words[0] == "quit":
            return
        print(json.dumps(measure(float(words[1]))), file=answers)


def first_steps(runner, workload, started):
    """Losses at the steps that are compared, and when the first was known."""
    wanted = workload.loss_steps
    losses = {1: runner.losses(1, 1)[0]}
    at_first = time.monotonic() - started
    last = max(wanted)
    if last > 1:
        rest = runner.losses(2, last)
        losses.update({number: rest[number - 2] for number in wanted if number > 1})
    return losses, at_first


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--stack", required=True)
    parser.add_argument("--folder", required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--only-first", action="store_true", help="end after the first loss")
    options = parser.parse_args()
    started = float(os.environ.get("RACE_STARTED", time.monotonic()))
    answers = private_output()

    import arrays
    import memory

    begin = time.monotonic()
    workload, x, y = arrays.read(options.folder)
    data_seconds = time.monotonic() - begin
    memory.reset_peak()
    before_import = memory.resident()
    begin = time.monotonic()
    module = importlib.import_module(MODULES[options.stack.split(".")[0]])
    import_seconds = time.monotonic() - begin
    after_import = memory.resident()
    runner = module.make(options.stack, workload, arrays.read_weights(options.folder), x, y,
                         options.threads)
    if options.only_first:
        runner.losses(1, 1)
        answer = {"to_first_loss": time.monotonic() - started}
    else:
        losses, at_first = first_steps(runner, workload, started)
        peak = memory.peak()
        answer = {"to_first_loss": at_first, "losses": losses,
                  "memory": {"whole": peak - before_import, "after_import": peak - after_import,
                             "at_step": max(workload.loss_steps),
                             "compiler_peak": memory.children_peak()}}
    answer.update(data_seconds=data_seconds, import_seconds=import_seconds, versions=module.versions())
    print(json.dumps(answer), file=answers)
    if options.only_first:
        return
    answer_requests(answers, runner.time)


if __name__ == "__main__":
    main()
