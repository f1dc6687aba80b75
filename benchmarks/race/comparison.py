"""Ratios of times with their intervals, and the check that losses agree."""
import math
import random
import statistics

TOLERANCES = {1: 1e-5, 10: 1e-4, 100: 1e-4}  # relative, by step
RESAMPLES = 2000


def interval_of_ratio(theirs, ours, resamples=RESAMPLES, seed=0):
    """95 % bootstrap interval of median(theirs) / median(ours); both have one number for each round, and
    rounds are drawn whole, as both sides of a round met the same state of the machine."""
    if len(theirs) != len(ours) or not ours:
        raise ValueError(f"{len(theirs)} and {len(ours)} rounds")
    rng, count = random.Random(seed), len(ours)
    ratios = []
    for _ in range(resamples):
        rounds = [rng.randrange(count) for _ in range(count)]
        ratios.append(statistics.median(theirs[i] for i in rounds) /
                      statistics.median(ours[i] for i in rounds))
    ratios.sort()
    return ratios[int(0.025 * (resamples - 1))], ratios[math.ceil(0.975 * (resamples - 1))]


def times_of(rounds):
    """Minimum over all rounds, and median of the rounds' medians."""
    return {"minimum": min(r["minimum"] for r in rounds),
            "median": statistics.median(r["median"] for r in rounds)}


def compare(theirs, ours):
    """How many times as long one side took: the ratio of medians with its interval, and of minima."""
    a, b = [r["median"] for r in theirs], [r["median"] for r in ours]
    low, high = interval_of_ratio(a, b)
    return {"ratio": statistics.median(a) / statistics.median(b), "low": low, "high": high,
            "ratio_of_minima": times_of(theirs)["minimum"] / times_of(ours)["minimum"]}


def against_best(ours, theirs, target, what="call"):
    """Whether the row `ours` is `target` times as fast as the best of the rows `theirs`; each of them is
    compared with it. Rows have "name", "error", "is_valid", "rounds" and "times"."""
    verdict = {"what": what, "target": target, "reached": False}
    if not ours["is_valid"]:
        return {**verdict, "void": ours["error"] or "not timed"}
    theirs = [row for row in theirs if row["is_valid"] and len(row["rounds"]) == len(ours["rounds"])]
    for row in theirs:
        row["against_tenon"] = compare(row["rounds"], ours["rounds"])
    if not theirs:
        return {**verdict, "void": "no peer ran"}
    best = min(theirs, key=lambda row: row["times"]["median"])
    return {**verdict, **best["against_tenon"], "best": best["name"],
            "reached": best["against_tenon"]["ratio"] >= target}


def reference_losses(losses, steps):
    """At each step the median of all rows: one of them, the lower of two in the middle."""
    reference = {}
    for step in steps:
        values = [row[step] for row in losses.values() if step in row and math.isfinite(row[step])]
        if len(values) > 1:
            reference[step] = statistics.median_low(values)
    return reference


def check_losses(losses, steps, tolerances=None):
    """What is wrong with each row's losses ("" if nothing), and the largest relative distance from the
    median of all rows. `losses`: {row: {step: loss}}. A row alone cannot be checked, and is void."""
    tolerances = tolerances or TOLERANCES
    reference, faults, farthest = reference_losses(losses, steps), {}, {}
    for name, row in losses.items():
        faults[name], farthest[name] = "", 0.0
        for step in steps:
            if step not in reference:
                fault = f"nothing to compare the loss at step {step} with"
            elif step not in row:
                fault = f"no loss at step {step}"
            elif not math.isfinite(row[step]):
                fault = f"loss {row[step]} at step {step}"
            else:
                distance = abs(row[step] - reference[step]) / max(abs(reference[step]), 1e-30)
                farthest[name] = max(farthest[name], distance)
                if distance <= tolerances[step]:
                    continue
                fault = (f"loss {row[step]:.7g} at step {step}, others {reference[step]:.7g} "
                         f"({distance:.1e} apart, {tolerances[step]:.0e} allowed)")
            faults[name] = faults[name] or fault
    return faults, farthest
