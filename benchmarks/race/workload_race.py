"""One workload: starts the peers, compares losses, times everybody in turns, and judges."""
import dataclasses
import shutil
import statistics

import arrays
import comparison
import tenon_side
import workloads
from processes import Peer, PeerFailed
from workloads import TENON, TENON_MANY

MANY = (TENON_MANY, "jax.scan", "keras.fit_many")  # rows that take many steps in one call
CACHING = ("torch.compile", "torch.compile_whole", "jax.jit", "jax.scan")  # keep compiled code on disk
STACKS = {  # by network; what each is: peer_torch.py, peer_jax.py, peer_keras.py
    "mlp": ("torch.eager", "torch.eager_fused", "torch.compile", "torch.compile_whole", "jax.jit",
            "jax.scan", "keras.fit", "keras.fit_many"),
    "resnet": ("torch.eager", "torch.eager_fused", "torch.compile", "jax.jit", "keras.fit"),
    "lstm": ("torch.eager", "torch.eager_fused", "jax.jit"),
    "gpt": ("torch.eager", "torch.eager_fused", "torch.compile", "torch.compile_whole", "jax.jit"),
}


def new_row(name):
    return {"name": name, "mode": "many" if name in MANY else "call", "error": "", "losses": {},
            "rounds": [], "first": {}, "memory": {}, "versions": {}}


class WorkloadRace:
    def __init__(self, workload, options, work, say):
        self.options, self.say = options, say
        self.folder = work / workload.id.replace("~", "-")
        shutil.rmtree(self.folder, ignore_errors=True)
        self.workload = arrays.write(workload, self.folder, options.mnist, options.text)
        tenon_side.write_initial(options.tenon, self.workload, self.folder, options.threads,
                                 self.folder / "tenon-initial-cache")
        arrays.scale_head(self.workload, self.folder)
        stacks = STACKS[workload.network]
        if options.peers:
            stacks = [s for s in stacks if any(s == p or s.split(".")[0] == p for p in options.peers)]
        names = [TENON, *([TENON_MANY] if "many" in workload.targets else []), *stacks]
        self.rows = {name: new_row(name) for name in names}
        self.peers = {}

    def fail(self, name, error):
        self.rows[name]["error"] = str(error)
        self.say(f"  {name}: {error}")
        if name in self.peers:
            self.peers.pop(name).close()

    # Tenon

    def bench(self, name, seconds, losses):
        many = workloads.STEPS_PER_CALL if name == TENON_MANY else 1
        return tenon_side.bench(self.options.tenon, self.workload, self.folder, self.options.threads,
                                self.folder / f"{name}-cache", seconds, losses, many)

    def start_tenon(self, name):
        row, steps = self.rows[name], self.workload.loss_steps
        cold = self.bench(name, self.options.scale * self.workload.seconds, steps)
        warm = self.bench(name, self.options.scale * self.workload.seconds, steps)
        row.update(losses=warm["losses"], versions={"tenon": warm.get("version", "")})
        row["first"] = {"cold": cold["first_step_seconds"]}
        row["warm_starts"] = [warm["first_step_seconds"]]
        memory = warm["memory"]
        row["memory"] = {"whole": memory["measured_bytes"], "after_import": memory["measured_bytes"],
                         "at_step": memory["at_step"], "predicted": memory["predicted_bytes"],
                         "compiler_peak": cold["memory"]["compiler_peak_bytes"]}

    # Peers

    def start_peer(self, name):
        row, caches = self.rows[name], self.folder / f"{name}-cache"
        peer = Peer(name, self.folder, self.options.threads, caches, self.folder / f"{name}.log")
        self.peers[name] = peer
        ready = peer.answer()
        peer.stop()
        row["losses"] = {int(step): loss for step, loss in ready["losses"].items()}
        row["memory"], row["versions"] = ready["memory"], ready["versions"]
        row["first"] = {"cold_raw": ready["to_first_loss"] - ready["data_seconds"],
                        "cold_import": ready["import_seconds"]}
        if self.options.warm and name in CACHING:
            again = Peer(name, self.folder, self.options.threads, caches,
                         self.folder / f"{name}-again.log", more=("--only-first",))
            try:
                ready = again.answer()
            finally:
                again.close()
            row["first"].update(warm_raw=ready["to_first_loss"] - ready["data_seconds"],
                                warm_import=ready["import_seconds"])

    def start(self, name):
        try:
            (self.start_tenon if name.startswith(TENON) else self.start_peer)(name)
        except PeerFailed as error:
            self.fail(name, error)
            return
        losses = ", ".join(f"{step}: {loss:.7f}" for step, loss in self.rows[name]["losses"].items())
        self.say(f"  {name}: losses {losses}")

    # Rounds

    def turn(self, name):
        seconds = self.options.scale * self.workload.seconds
        if name.startswith(TENON):
            result = self.bench(name, seconds, (1,))
            times = result["seconds_per_step"]
            self.rows[name]["warm_starts"].append(result["first_step_seconds"])
        else:
            times = self.peers[name].ask(f"time {seconds}")["seconds_per_step"]
        self.rows[name]["rounds"].append(times)

    def rounds(self):
        for number in range(self.options.rounds):
            names = [name for name, row in self.rows.items() if not row["error"]]
            for name in reversed(names) if number % 2 else names:
                try:
                    self.turn(name)
                except PeerFailed as error:
                    self.fail(name, error)
            medians = ", ".join(f"{name} {row['rounds'][-1]['median'] * 1e6:.5g}"
                                for name, row in self.rows.items() if row["rounds"])
            self.say(f"  round {number + 1} of {self.options.rounds}, us: {medians}")

    def run(self):
        """The result of the workload, for the report."""
        try:
            for name in self.rows:
                self.start(name)
            self.check()
            self.rounds()
        finally:
            for peer in self.peers.values():
                peer.close()
        return judge(self.workload, list(self.rows.values()))

    def check(self):
        running = {name: row for name, row in self.rows.items() if not row["error"]}
        faults, farthest = comparison.check_losses({n: r["losses"] for n, r in running.items()},
                                                   self.workload.loss_steps)
        for name, row in running.items():
            row["distance"] = farthest[name]
            if faults[name]:
                self.fail(name, "void: " + faults[name])


def first_seconds(row):
    """Seconds to the end of the first step, without reading data and without one steady step; of peers
    also without interpreter and imports."""
    first = row["first"]
    if "cold_raw" in first:
        steady = row["times"]["median"]
        for kind in ("cold", "warm"):
            if f"{kind}_raw" in first:
                first[kind] = first[f"{kind}_raw"] - steady
                first[f"{kind}_less_import"] = first[kind] - first[f"{kind}_import"]


def judge(workload, rows):
    for row in rows:
        row["is_valid"] = not row["error"] and len(row["rounds"]) > 0
        if row["is_valid"]:
            row["times"] = comparison.times_of(row["rounds"])
            first_seconds(row)
            if row.get("warm_starts"):
                row["first"]["warm"] = statistics.median(row["warm_starts"])
    verdicts = []
    for mode, mine in (("call", TENON), ("many", TENON_MANY)):
        if mode not in workload.targets:
            continue
        ours = next(row for row in rows if row["name"] == mine)
        theirs = [row for row in rows if row["mode"] == mode and row is not ours]
        verdicts.append(comparison.against_best(ours, theirs, workload.targets[mode], mode))
    verdicts += judge_start(workload, rows) + judge_memory(workload, rows)
    return {"workload": dataclasses.asdict(workload), "rows": rows, "verdicts": verdicts}


def judge_start(workload, rows):
    ours = next((row for row in rows if row["name"] == TENON and row["is_valid"]), None)
    return [{"what": kind, "target": workload.targets[kind], "value": ours["first"][kind],
             "reached": ours["first"][kind] <= workload.targets[kind]}
            for kind in ("cold", "warm") if ours and kind in workload.targets]


def judge_memory(workload, rows):
    """Against the least of the peers, counted from after their imports: the harder way to count."""
    ours = next((row for row in rows if row["name"] == TENON and row["is_valid"]), None)
    theirs = [row["memory"]["after_import"] for row in rows
              if row["is_valid"] and not row["name"].startswith(TENON)]
    if not ours or not theirs or ours["memory"]["whole"] is None or "cold" not in workload.targets:
        return []
    limit = min([*theirs, *([workload.targets["memory"]] if "memory" in workload.targets else [])])
    value = ours["memory"]["whole"]
    return [{"what": "memory", "target": limit, "value": value, "reached": value < limit}]
