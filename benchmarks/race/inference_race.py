"""Inference: time of one call, from a batch in host memory to its outputs there."""
import dataclasses
import json
import shutil

import arrays
import comparison
import numpy as np
import tenon_side
import workloads
from processes import Peer, PeerFailed

STACKS = ("torch.eager", "torch.compile", "jax.jit", "onnxruntime")
# Times as fast as the best peer.
CASES = {("C2-32", 1): 2, ("C3", 1): 1, ("C5", 1): 1, ("C2-32", 64): 1, ("C3", 64): 1, ("C5", 64): 1}
BATCHES = 64
FARTHEST_OUTPUT = 1e-4  # of the largest


class InferenceRace:
    def __init__(self, base, batch, options, say):
        self.options, self.say = options, say
        workload = dataclasses.replace(base, batch=batch, batches=BATCHES)
        self.folder = options.work / f"I-{base.id}-{batch}"
        shutil.rmtree(self.folder, ignore_errors=True)
        self.workload = arrays.write(workload, self.folder, options.mnist, options.text)
        tenon_side.write_initial(options.tenon, self.workload, self.folder, options.threads,
                                 self.folder / "tenon-initial-cache")
        stacks = [s for s in STACKS if not options.peers or
                  any(s == p or s.split(".")[0] == p for p in options.peers)]
        self.rows = {name: {"name": name, "error": "", "rounds": []} for name in (workloads.TENON, *stacks)}
        self.peers = {}

    def start(self, name):
        if name == workloads.TENON:
            return
        peer = Peer(name, self.folder, self.options.threads, self.folder / f"{name}-cache",
                    self.folder / f"{name}.log", script="inference_peer.py")
        self.peers[name] = peer
        self.rows[name]["versions"] = peer.answer()["versions"]
        peer.stop()

    def check(self, name):
        """Outputs of the first batch against those of the first peer."""
        if name == workloads.TENON:
            return
        first = np.load(self.folder / f"{next(iter(self.peers))}.npy")
        distance = np.abs(np.load(self.folder / f"{name}.npy") - first).max() / np.abs(first).max()
        if not distance <= FARTHEST_OUTPUT:
            raise PeerFailed(f"void: outputs are {distance:.1e} from others'")

    def turn(self, name):
        seconds = min(1.0, self.workload.seconds) * self.options.scale
        if name == workloads.TENON:
            result = json.loads(tenon_side.run_tenon(self.options.tenon, [
                "bench", "--forward-only", *self.workload.data_arguments(self.folder), "--initial",
                f"{self.folder}/initial/model.safetensors", "--seconds", str(seconds), "--threads",
                str(self.options.threads), "--json"], self.options.threads, self.folder / "tenon-cache"))
        else:
            result = self.peers[name].ask(f"time {seconds}")
        self.rows[name]["rounds"].append(result["seconds_per_step"])

    def attempt(self, act, name):
        if self.rows[name]["error"]:
            return
        try:
            act(name)
        except (PeerFailed, OSError) as error:
            self.rows[name]["error"] = str(error)
            self.say(f"  {name}: {error}")

    def run(self, target):
        try:
            for act in (self.start, self.check):
                for name in self.rows:
                    self.attempt(act, name)
            for number in range(self.options.rounds):
                for name in reversed(list(self.rows)) if number % 2 else list(self.rows):
                    self.attempt(self.turn, name)
            self.say("  us: " + ", ".join(f"{n} {r['rounds'][-1]['median'] * 1e6:.4g}"
                                          for n, r in self.rows.items() if r["rounds"]))
        finally:
            for peer in self.peers.values():
                peer.close()
        for row in self.rows.values():
            row["is_valid"] = not row["error"] and bool(row["rounds"])
            if row["is_valid"]:
                row["times"] = comparison.times_of(row["rounds"])
        ours = self.rows[workloads.TENON]
        verdict = comparison.against_best(ours, [r for r in self.rows.values() if r is not ours], target,
                                          "inference")
        return {"title": f"inference with the network of {self.workload.id.split('-')[0]}, batch "
                         f"{self.workload.batch}", "rows": list(self.rows.values()),
                "verdicts": [verdict]}


def run(options, say):
    """(id, result) of each case."""
    for (id, batch), target in CASES.items():
        say(f"inference, {id}, batch {batch}")
        base = workloads.choose([id])[0]
        yield f"I-{id.split('-')[0]}-{batch}", InferenceRace(base, batch, options, say).run(target)
