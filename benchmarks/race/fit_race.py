"""C2fit: an epoch over 60,000 images through the loops that users write, in interleaved rounds."""
import dataclasses
import json
import os
import pty
import shutil
import statistics
import subprocess
import threading

import arrays
import comparison
import tenon_side
import workloads
from processes import LONGEST_WAIT, Peer, PeerFailed, environment

STACKS = ("jax.loop", "torch.loop_fused", "torch.loop", "torch.dataloader", "keras.fit_many", "keras.fit",
          "keras.fit_accuracy")
TARGETS = {32: 2.5, 128: 2}
IMAGES = 60_000
EPOCHS = 3  # of each of Tenon's runs
FARTHEST_LOSS = 0.1  # of the first epoch, relative: orders differ


def on_terminal(command, env):
    """Runs a program with stderr on a terminal of its own, so that it draws its progress bar; stdout."""
    mine, its = pty.openpty()

    def drain():
        try:
            while os.read(mine, 1 << 16):
                pass
        except OSError:  # the other end is closed
            pass

    reader = threading.Thread(target=drain, daemon=True)
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=its, env=env, text=True) as process:
        os.close(its)
        reader.start()
        try:
            output, _ = process.communicate(timeout=LONGEST_WAIT)
        except subprocess.TimeoutExpired:
            process.kill()
            raise PeerFailed(f"tenon train: no end within {LONGEST_WAIT} s") from None
    reader.join()
    os.close(mine)
    if process.returncode != 0:
        raise PeerFailed(f"tenon train ended with {process.returncode}")
    return output


def train(workload, options, folder):
    """Times of epochs and the first epoch's loss, by `tenon train` with its metrics and its bar."""
    cache = folder / "tenon-cache"
    env = {**environment(options.threads, cache), "TENON_CACHE_DIR": str(cache)}
    command = [str(options.tenon), "train", "--model", workload.tenon_model(), "--data",
               f"idx:{options.mnist}", "--validation", "none", "--optimizer", "adam", "--learning-rate",
               str(workload.learning_rate), "--batch-size", str(workload.batch), "--epochs", str(EPOCHS),
               "--threads", str(options.threads), "--initial", f"{folder}/initial/model.safetensors",
               "--json"]
    result = json.loads(on_terminal(command, env))
    seconds = [epoch["seconds"] for epoch in result["epochs"][1:]]  # the first one is the warm-up
    times = {"minimum": min(seconds), "median": statistics.median(seconds)}
    return times, result["epochs"][0]["train"]["loss"]


class FitRace:
    def __init__(self, batch, options, say):
        self.options, self.say = options, say
        base = workloads.choose([f"C2-{batch}"])[0]
        all_images = dataclasses.replace(base, batches=1, batch=IMAGES)  # cut by the loops
        self.folder = options.work / f"C2fit-{batch}"
        shutil.rmtree(self.folder, ignore_errors=True)
        arrays.write(all_images, self.folder, options.mnist, options.text)
        tenon_side.write_initial(options.tenon, base, self.folder, options.threads,
                                 self.folder / "tenon-initial-cache")
        self.workload = base
        self.rows = {name: {"name": name, "error": "", "rounds": []} for name in (workloads.TENON, *STACKS)}
        self.peers, self.losses = {}, {}

    def turn(self, name):
        if name == workloads.TENON:
            times, loss = train(self.workload, self.options, self.folder)
            self.losses.setdefault(name, loss)
        else:
            times = self.peers[name].ask("time 1")["seconds_per_step"]
        self.rows[name]["rounds"].append(times)

    def start(self, name):
        peer = Peer(name, self.folder, self.options.threads, self.folder / f"{name}-cache",
                    self.folder / f"{name}.log", script="fit_peer.py",
                    more=("--batch", str(self.workload.batch)))
        self.peers[name] = peer
        ready = peer.answer()
        peer.stop()
        self.losses[name], self.rows[name]["versions"] = ready["loss"], ready["versions"]

    def attempt(self, act, name):
        try:
            act(name)
        except PeerFailed as error:
            self.rows[name]["error"] = str(error)
            self.say(f"  {name}: {error}")

    def run(self):
        try:
            for name in STACKS:
                self.attempt(self.start, name)
            for number in range(self.options.rounds):
                names = [name for name, row in self.rows.items() if not row["error"]]
                for name in reversed(names) if number % 2 else names:
                    self.attempt(self.turn, name)
                self.say(f"  round {number + 1} of {self.options.rounds}, s: " + ", ".join(
                    f"{n} {r['rounds'][-1]['median']:.3g}" for n, r in self.rows.items() if r["rounds"]))
        finally:
            for peer in self.peers.values():
                peer.close()
        return self.judge()

    def judge(self):
        faults, farthest = comparison.check_losses({name: {1: loss} for name, loss in self.losses.items()},
                                                   (1,), {1: FARTHEST_LOSS})
        ours = self.rows[workloads.TENON]
        for name, row in self.rows.items():
            row["error"] = row["error"] or faults.get(name, "")
            row["is_valid"] = not row["error"] and bool(row["rounds"])
            if row["is_valid"]:
                row["times"] = comparison.times_of(row["rounds"])
                row["note"] = f"loss of the first epoch {self.losses[name]:.4f}"
        verdict = comparison.against_best(ours, [r for r in self.rows.values() if r is not ours],
                                          TARGETS[self.workload.batch], "fit")
        return {"title": f"one epoch of {IMAGES:,} images through the fit loop, batch "
                         f"{self.workload.batch}; Tenon with metrics and progress bar",
                "rows": list(self.rows.values()), "verdicts": [verdict]}


def run(batch, options, say):
    say(f"C2fit, batch {batch}")
    return FitRace(batch, options, say).run()
