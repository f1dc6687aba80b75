#!/usr/bin/env python3
"""C1, C2 and C5 with Tenon alone, as ratios to a calibration loop, beside the last figures kept.

    make bench-quick                            # prints the ratio to the last figures
    make bench-quick QUICK=--write              # and keeps the new ones in benchmarks/quick.json

The calibration loop (products and elementwise work of fixed size in NumPy) is timed in turn with Tenon,
so that a slower clock or another load changes both; figures of other machines are not comparable.
"""
import argparse
import json
import os
import pathlib
import statistics
import sys
import time

os.environ.setdefault("OPENBLAS_NUM_THREADS", "2")  # before NumPy reads it

import arrays
import numpy as np
import processes
import report
import tenon_side
import workloads

ROOT = pathlib.Path(__file__).resolve().parents[2]
IDS = ("C1", "C2-32", "C2-128", "C5")
SIZE, REPEATS = 384, 8


def calibrate(seconds):
    """Seconds of one pass of the calibration loop: the least over `seconds`."""
    rng = np.random.default_rng(0)
    a, b = (rng.standard_normal((SIZE, SIZE), dtype=np.float32) for _ in range(2))
    c, best, end = np.empty_like(a), float("inf"), time.perf_counter() + seconds
    while time.perf_counter() < end:
        begin = time.perf_counter()
        for _ in range(REPEATS):
            np.matmul(a, b, out=c)
            np.tanh(c, out=c)
            np.add(c, a, out=c)
        best = min(best, time.perf_counter() - begin)
    return best


def measure(workload, options, work):
    """Tenon's time of a step over the calibration's, and that time: medians over rounds of minima."""
    folder = work / workload.id
    workload = arrays.write(workload, folder, options.mnist, options.text)
    cache = work / "cache"
    tenon_side.write_initial(options.tenon, workload, folder, options.threads, cache)
    ratios, times = [], []
    for _ in range(options.rounds):
        before = calibrate(0.2)
        result = tenon_side.bench(options.tenon, workload, folder, options.threads, cache, options.seconds,
                                  (1,))
        least = result["seconds_per_step"]["minimum"]
        ratios.append(least / min(before, calibrate(0.2)))
        times.append(least)
    return {"ratio": statistics.median(ratios), "seconds_per_step": statistics.median(times)}


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tenon", type=pathlib.Path, default=ROOT / "build" / "tenon")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=0.5)
    parser.add_argument("--mnist", default=os.environ.get("TENON_RACE_MNIST", arrays.DIGITS))
    parser.add_argument("--text", default=os.environ.get("TENON_RACE_TEXT"))
    parser.add_argument("--figures", type=pathlib.Path, default=ROOT / "benchmarks" / "quick.json")
    parser.add_argument("--write", action="store_true", help="keep the new figures")
    options = parser.parse_args()
    os.sched_setaffinity(0, processes.choose_cores(options.threads))
    machine = report.describe_machine(options.threads)
    if not options.figures.exists() and not options.write:
        print(f"no figures to compare with: {options.figures} does not exist (--write keeps these)", file=sys.stderr)
    last = json.loads(options.figures.read_text()) if options.figures.exists() else {}
    if last and last["machine"] != machine:
        print(f"the last figures are of another machine: {last['machine']}", file=sys.stderr)
    figures = {}
    for workload in workloads.choose(IDS):
        found = measure(workload, options, ROOT / "build" / "race-quick")
        figures[workload.id] = found
        before = last.get("figures", {}).get(workload.id)
        change = f"  {found['ratio'] / before['ratio']:.3f} of the last" if before else ""
        print(f"{workload.id:7} {report.time_text(found['seconds_per_step']):>8} a step, "
              f"{found['ratio']:.4g} of the calibration loop{change}", flush=True)
    if options.write:
        options.figures.write_text(json.dumps({"machine": machine, "figures": figures}, indent=1) + "\n")


if __name__ == "__main__":
    try:
        main()
    except processes.PeerFailed as error:
        sys.exit(str(error))
