"""RESULTS.md and RESULTS.json: what was measured, on which machine, and which targets are reached."""
import datetime
import json
import os
import pathlib

from workloads import TENON, geometric_mean

KINDS = ("workloads", "fit", "inference")
WHAT = {"call": "one step per call", "many": "many steps per call", "cold": "first step, caches empty",
        "warm": "first step, caches filled", "memory": "memory",
        "fit": "one epoch", "inference": "one call"}


def describe_machine(threads):
    fields, flags = {}, ()
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        fields.setdefault(name.strip(), value.strip())
    flags = fields.get("flags", "").split()
    width = 512 if "avx512f" in flags else 256 if "avx2" in flags else 128
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    virtual = ", virtual machine" if "hypervisor" in flags else ""
    return (f"{fields.get('model name', 'unknown processor')}, {os.cpu_count()} cores, vectors of {width} "
            f"bits, {memory:.0f} GiB{virtual}; {threads} threads")


def time_text(seconds):
    if seconds is None:
        return ""
    for unit, factor in (("s", 1), ("ms", 1e3), ("us", 1e6)):
        if abs(seconds) * factor >= 1:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds * 1e6:.3g} us"


def memory_text(count):
    return "" if count is None else f"{count / 2**20:.0f} MiB"


def ratio_text(comparison):
    return f"{comparison['ratio']:.2f} ({comparison['low']:.2f} to {comparison['high']:.2f})"


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def first_text(first, kind):
    if first.get(kind) is None:
        return ""
    less = first.get(f"{kind}_less_import")
    return time_text(first[kind]) + (f" ({time_text(less)})" if less is not None else "")


def memory_of(row):
    memory = row["memory"]
    if not memory:
        return ""
    if row["name"].startswith(TENON):
        return memory_text(memory["whole"])
    return f"{memory_text(memory['after_import'])} ({memory_text(memory['whole'])})"


def notes_of(row):
    notes = f"losses within {row['distance']:.0e}" if row["distance"] else "losses equal"
    # Children of others are copies of themselves for a moment, not compilers.
    compiles = row["name"].startswith((TENON, "torch.compile"))
    compiler = row["memory"].get("compiler_peak") if compiles else None
    return f"{notes}; compilers at most {memory_text(compiler)}" if compiler else notes


def row_of(row):
    if not row["is_valid"]:
        return [row["name"], "", "", "", "", "", "", "", row["error"] or "not timed"]
    against = row.get("against_tenon")
    return [row["name"], time_text(row["times"]["minimum"]), time_text(row["times"]["median"]),
            ratio_text(against) if against else "", f"{against['ratio_of_minima']:.2f}" if against else "",
            first_text(row["first"], "cold"), first_text(row["first"], "warm"), memory_of(row),
            notes_of(row)]


def verdict_text(verdict):
    what, reached = WHAT[verdict["what"]], "reached" if verdict["reached"] else "MISSED"
    if "void" in verdict:
        return f"{what}: MISSED ({verdict['void']})"
    if "ratio" in verdict:
        side = "" if verdict["ratio"] >= 1 else ", SLOWER"
        return (f"{what}: {ratio_text(verdict)} times as fast as {verdict['best']}{side}, target "
                f"{verdict['target']:g}: {reached}")
    show = memory_text if verdict["what"] == "memory" else time_text
    return f"{what}: {show(verdict['value'])}, target {show(verdict['target'])}: {reached}"


def workload_text(id, result):
    rows = sorted(result["rows"], key=lambda r: (not r["is_valid"], r.get("times", {}).get("median", 0)))
    head = ["row", "minimum", "median", "median / Tenon's", "of minima", "first step, cold", "warm", "memory",
            "notes"]
    lines = "\n".join("* " + verdict_text(v) for v in result["verdicts"])
    return f"## {id}: {result['workload']['title']}\n\n{table(head, [row_of(r) for r in rows])}\n\n{lines}\n"


def simple_text(id, result):
    """C2fit and inference: times of rows, and the ratio of the best peer."""
    rows = sorted(result["rows"], key=lambda r: (not r["is_valid"], r.get("times", {}).get("median", 0)))
    body = []
    for row in rows:
        against = row.get("against_tenon")
        times = row.get("times", {})
        body.append([row["name"], time_text(times.get("minimum")), time_text(times.get("median")),
                     ratio_text(against) if against else "", row.get("error") or row.get("note", "")])
    lines = "\n".join("* " + verdict_text(v) for v in result["verdicts"])
    head = ["row", "minimum", "median", "median / Tenon's", "notes"]
    return f"## {id}: {result['title']}\n\n{table(head, body)}\n\n{lines}\n"


def drawn_text(results):
    """The geometric mean over drawn shapes beside the one over the targets."""
    found = [(id, v) for id, result in results.items() if "~" in id for v in result["verdicts"]
             if v["what"] == "call" and "ratio" in v]
    if not found:
        return ""
    mean = geometric_mean([v["ratio"] for _, v in found])
    target = geometric_mean([v["target"] for _, v in found])
    return (f"Drawn shapes: geometric mean over {len(found)} of the best peer's time by Tenon's {mean:.2f}, "
            f"of the targets {target:.2f}: {'reached' if mean >= target else 'MISSED'}\n")


HOW = """\
Every row begins with the same weights and takes the same batches, a fresh one in each step; losses at the
steps compared lie within 1e-5 (first step) and 1e-4 (later) of the median of all rows, or the row is void.
Rounds are interleaved: each times every row once, Tenon in a new process, peers in theirs, which stand still
meanwhile. Times are of one step, over blocks of at least 20 ms; `median` is the median over rounds of the
medians over blocks, in brackets the 95 % bootstrap interval of the ratio. `first step`: from the start of the
program, less reading the data and one steady step; for peers in brackets without interpreter and imports.
`memory`: growth of the peak of resident memory up to the last step compared (Tenon: up to step 100), data
apart; for peers from after their imports, in brackets from before them. Of a compiler that ran as a process
only a bound is known: Linux counts for it what the program held when it started it. Rows that take many steps
in one call (`jax.scan`, `keras.fit_many`, `tenon.many`) are compared with each other.
"""

BY_HAND = "<!-- What follows is written by hand; the race keeps it. -->"


def text_by_hand(path):
    """The rest of a report from the line BY_HAND on, if it has one."""
    text = path.read_text() if path.exists() else ""
    start = text.find(f"\n{BY_HAND}\n")
    return text[start + 1:] if start >= 0 else ""


class Results:
    """Collects results and writes both files anew after each."""

    def __init__(self, options, command):
        self.options, self.command = options, command
        self.date = datetime.date.today().isoformat()
        self.machine = describe_machine(options.threads)
        self.found = {kind: {} for kind in KINDS}
        path = options.out.with_suffix(".json")
        if options.keep and options.out.exists() and not path.exists():
            raise SystemExit(f"--keep: {options.out} has rows, but {path}, which holds their figures, does not "
                             "exist; restore it, or leave out --keep to begin anew")
        if options.keep and path.exists():
            for kind, results in json.loads(path.read_text()).items():
                if kind in self.found:
                    self.found[kind] = results

    def add(self, kind, id, result):
        result.update(date=self.date, command=self.command, machine=self.machine,
                      rounds=self.options.rounds)
        self.found[kind][id] = result

    def all(self):
        return [(id, result) for kind in KINDS for id, result in self.found[kind].items()]

    def summary(self):
        lines = [f"{id}: {verdict_text(v)}" for id, result in self.all() for v in result["verdicts"]]
        return "\n".join(lines + [drawn_text(self.found["workloads"])]).rstrip()

    def runs_text(self):
        runs = {}
        for id, result in self.all():
            key = (result["date"], result["command"], result["machine"], result["rounds"])
            runs.setdefault(key, []).append(id)
        return "\n".join(f"* {', '.join(ids)}: `{command}`, {date}, {rounds} rounds. {machine}."
                         for (date, command, machine, rounds), ids in runs.items())

    def versions_text(self):
        versions = {}
        for _, result in self.all():
            for row in result["rows"]:
                versions.update(row.get("versions", {}))
        return ", ".join(f"{name} {version}" for name, version in sorted(versions.items()))

    def write(self):
        self.options.out.parent.mkdir(parents=True, exist_ok=True)
        self.options.out.with_suffix(".json").write_text(json.dumps(self.found, indent=1) + "\n")
        parts = ["# Results of the race\n",
                 f"Written by `make bench` (`docs/benchmarks.md`).\n\n{self.runs_text()}\n\n"
                 f"Versions: {self.versions_text()}.\n\n{HOW}"]
        parts += [workload_text(id, result) for id, result in self.found["workloads"].items()]
        parts += [drawn_text(self.found["workloads"])]
        parts += [simple_text(id, result) for kind in ("fit", "inference")
                  for id, result in self.found[kind].items()]
        parts += [text_by_hand(self.options.out)]
        self.options.out.write_text("\n".join(part for part in parts if part))
