"""Tenon in the race: initial weights by `tenon train`, times by `tenon bench`, a new process each time."""
import json
import pathlib
import subprocess

from processes import LONGEST_WAIT, PeerFailed, environment


def run_tenon(program, arguments, threads, cache):
    """What it prints; PeerFailed with its error."""
    env = {**environment(threads, cache), "TENON_CACHE_DIR": str(cache)}
    pathlib.Path(cache).mkdir(parents=True, exist_ok=True)
    try:
        done = subprocess.run([str(program), *arguments], capture_output=True, text=True, env=env,
                              timeout=LONGEST_WAIT)
    except subprocess.TimeoutExpired:
        raise PeerFailed(f"tenon {arguments[0]}: no answer within {LONGEST_WAIT} s") from None
    if done.returncode != 0:
        lines = [line for line in done.stderr.splitlines() if line.strip()] or [str(done.returncode)]
        raise PeerFailed(f"tenon {arguments[0]}: {lines[-1][:300]}")
    return done.stdout


def write_initial(program, workload, folder, threads, cache):
    """Leaves initial/model.safetensors in `folder`."""
    run_tenon(program, ["train", *workload.tenon_arguments(folder), "--epochs", "0", "--seed", "1",
                        "--validation", "none", "--out", f"{folder}/initial", "--overwrite"], threads,
              cache)


def has_bench(program):
    return subprocess.run([str(program), "bench", "--help"], capture_output=True).returncode == 0


def bench(program, workload, folder, threads, cache, seconds, losses, steps_per_call=1):
    """The JSON of one `tenon bench`; losses by step as numbers."""
    result = json.loads(run_tenon(program, [
        "bench", *workload.tenon_arguments(folder), "--initial", f"{folder}/initial/model.safetensors",
        "--steps-per-call", str(steps_per_call), "--seconds", str(seconds), "--losses-at",
        ",".join(str(step) for step in losses), "--threads", str(threads), "--json"], threads, cache))
    result["losses"] = {int(step): loss for step, loss in result["losses"].items()}
    return result


def losses_by_training(program, workload, folder, threads, cache):
    """Losses of the first steps by `tenon train`, for trying out networks without `tenon bench`."""
    import csv

    last = max(workload.loss_steps)
    run_tenon(program, ["train", *workload.tenon_arguments(folder), "--epochs", "2", "--max-steps",
                        str(last), "--log-every", "1", "--validation", "none", "--metrics", "none",
                        "--initial", f"{folder}/initial/model.safetensors", "--threads", str(threads),
                        "--out", f"{folder}/run", "--overwrite"], threads, cache)
    with open(f"{folder}/run/metrics.csv") as file:
        rows = [row for row in csv.DictReader(file) if row["split"] == "train"]
    return {step: float(rows[step - 1]["loss"]) for step in workload.loss_steps}
