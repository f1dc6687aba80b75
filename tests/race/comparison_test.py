#!/usr/bin/env python3
"""Tests of what judges the race: intervals of ratios, and the check that losses agree."""
import argparse
import ast
import math
import pathlib
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
RACE = pathlib.Path(__file__).resolve().parents[2] / "benchmarks" / "race"
sys.path.insert(0, str(RACE))

import comparison
import report
import runner
import workloads


class Interval(unittest.TestCase):
    def test_is_a_point_where_all_rounds_are_alike(self):
        low, high = comparison.interval_of_ratio([3.0] * 7, [2.0] * 7)
        self.assertEqual((low, high), (1.5, 1.5))

    def test_draws_rounds_whole(self):
        # Every round is twice as slow for both; the ratio of each is 2, whatever is drawn.
        ours = [1.0, 2.0, 4.0, 8.0, 16.0]
        low, high = comparison.interval_of_ratio([2 * t for t in ours], ours)
        self.assertEqual((low, high), (2.0, 2.0))

    def test_is_wider_with_more_spread(self):
        ours = [1.0] * 7
        calm = comparison.interval_of_ratio([1.9, 1.95, 2.0, 2.0, 2.0, 2.05, 2.1], ours)
        wild = comparison.interval_of_ratio([1.0, 1.5, 2.0, 2.0, 2.0, 2.5, 3.0], ours)
        self.assertLess(calm[1] - calm[0], wild[1] - wild[0])
        self.assertLessEqual(wild[0], 2.0)
        self.assertGreaterEqual(wild[1], 2.0)

    def test_covers_what_is_drawn_in_95_of_100(self):
        import random

        rng, covered = random.Random(3), 0
        for trial in range(200):
            theirs = [2 + rng.gauss(0, 0.2) for _ in range(15)]
            low, high = comparison.interval_of_ratio(theirs, [1.0] * 15, 300, trial)
            covered += low <= 2 <= high
        self.assertGreater(covered, 170)
        self.assertLess(covered, 200)

    def test_refuses_rounds_that_do_not_pair(self):
        with self.assertRaises(ValueError):
            comparison.interval_of_ratio([1.0, 2.0], [1.0])
        with self.assertRaises(ValueError):
            comparison.interval_of_ratio([], [])


class Losses(unittest.TestCase):
    def check(self, losses, steps=(1, 10)):
        return comparison.check_losses(losses, steps)

    def test_agree_within_the_tolerances(self):
        faults, farthest = self.check({"a": {1: 2.0, 10: 1.0}, "b": {1: 2.0 + 1e-5, 10: 1.00005},
                                       "c": {1: 2.0, 10: 1.0}})
        self.assertEqual(set(faults.values()), {""})
        self.assertAlmostEqual(farthest["b"], 5e-5)
        self.assertEqual(farthest["a"], 0)

    def test_void_the_row_that_is_apart(self):
        faults, _ = self.check({"a": {1: 2.0, 10: 1.0}, "b": {1: 2.0001, 10: 1.0}, "c": {1: 2.0, 10: 1.0}})
        self.assertEqual((faults["a"], faults["c"]), ("", ""))
        self.assertEqual(faults["b"], "loss 2.0001 at step 1, others 2 (5.0e-05 apart, 1e-05 allowed)")

    def test_void_what_is_missing_or_no_number(self):
        faults, _ = self.check({"a": {1: 2.0, 10: 1.0}, "b": {1: 2.0}, "c": {1: math.nan, 10: 1.0}})
        self.assertEqual(faults, {"a": "", "b": "no loss at step 10", "c": "loss nan at step 1"})

    def test_void_a_row_alone(self):
        faults, _ = self.check({"a": {1: 2.0, 10: 1.0}})
        self.assertEqual(faults["a"], "nothing to compare the loss at step 1 with")


def row(name, *medians, error=""):
    rounds = [{"minimum": 0.9 * m, "median": m} for m in medians]
    return {"name": name, "error": error, "rounds": rounds, "is_valid": not error,
            "times": comparison.times_of(rounds)}


class Verdict(unittest.TestCase):
    def test_is_against_the_fastest_valid_peer(self):
        ours = row("tenon", 1.0, 1.0, 1.1)
        void = row("wrong", 0.1, 0.1, 0.1, error="void: loss")
        slow, fast = row("slow", 5.0, 5.0, 5.0), row("fast", 2.0, 2.0, 2.2)
        verdict = comparison.against_best(ours, [void, slow, fast], 1.9)
        self.assertEqual((verdict["best"], verdict["ratio"], verdict["reached"]), ("fast", 2.0, True))
        self.assertEqual(slow["against_tenon"]["ratio"], 5.0)
        self.assertNotIn("against_tenon", void)
        self.assertFalse(comparison.against_best(ours, [fast], 2.1)["reached"])

    def test_is_void_without_tenon_or_peers(self):
        fast, void = row("fast", 1.0), row("tenon", 1.0, error="void: loss")
        self.assertEqual(comparison.against_best(void, [fast], 1)["void"], "void: loss")
        self.assertEqual(comparison.against_best(row("tenon", 1.0), [], 1)["void"], "no peer ran")


class Workloads(unittest.TestCase):
    def test_are_chosen_by_id(self):
        self.assertEqual([w.id for w in workloads.choose(["C2", "C5"])], ["C2-32", "C2-128", "C5"])
        with self.assertRaisesRegex(ValueError, "unknown workload 'C9'; known: C1, C2-32"):
            workloads.choose(["C9"])

    def test_have_64_distinct_batches_and_whole_calls(self):
        for workload in workloads.WORKLOADS:
            self.assertGreaterEqual(workload.batches, 64)
            if "many" in workload.targets:
                self.assertEqual(workload.batches % workloads.STEPS_PER_CALL, 0)

    def test_have_a_name_of_tenon(self):
        names = {w.id: w.tenon_model() for w in workloads.WORKLOADS}
        self.assertEqual(names["C1"], "mlp:hidden=10")
        self.assertEqual(names["C3"], "resnet20:projected=1:width=16")
        self.assertEqual(names["C4"], "char-lstm:embedding=128:units=256/256")
        self.assertEqual(names["C6"], "gpt:context=1024:layers=12:heads=12:width=768")

    def test_geometric_mean(self):
        self.assertAlmostEqual(workloads.geometric_mean([1.0, 4.0, 2.0]), 2.0)


class Blocks(unittest.TestCase):
    def test_summary_is_minimum_and_median(self):
        found = runner.summary([3.0, 1.0, 2.0, 10.0], 8)
        self.assertEqual(found, {"seconds_per_step": {"minimum": 1.0, "median": 2.5}, "steps": 8,
                                 "blocks": 4})

    def test_run_in_order_and_begin_anew(self):
        seen = []

        class Seen(runner.Runner):
            def step(self, x, y):
                seen.append(x)
                return x

        peer = Seen([(i, None) for i in range(3)])
        self.assertEqual(peer.losses(1, 4), [0.0, 1.0, 2.0, 0.0])
        peer.run(3)
        self.assertEqual(seen, [0, 1, 2, 0, 1, 2, 0])


class Report(unittest.TestCase):
    def rows(self):
        ours, fast = row("tenon", 1e-3, 1e-3, 1e-3), row("jax.jit", 2e-3, 2e-3, 2e-3)
        void = row("torch.eager", 5e-3, error="void: loss 2 at step 1")
        for each in (ours, fast, void):
            each.update(distance=0.0, first={}, memory={})
        return ours, fast, void

    def test_keeps_lost_and_void_rows(self):
        ours, fast, void = self.rows()
        verdict = comparison.against_best(fast, [ours, void], 1)  # as if the other were ours
        text = report.workload_text("C9", {"workload": {"title": "a title"}, "rows": [fast, void, ours],
                                           "verdicts": [verdict]})
        self.assertIn("## C9: a title", text)
        self.assertIn("one step per call: 0.50 (0.50 to 0.50) times as fast as tenon, SLOWER, target 1: "
                      "MISSED", text)
        self.assertIn("| torch.eager |  |  |  |  |  |  |  | void: loss 2 at step 1 |", text)
        self.assertLess(text.index("| tenon |"), text.index("| jax.jit |"))

    def test_units(self):
        self.assertEqual([report.time_text(t) for t in (2.5, 0.0125, 3.5e-6, 2e-7)],
                         ["2.5 s", "12.5 ms", "3.5 us", "0.2 us"])
        self.assertEqual(report.memory_text(3 << 20), "3 MiB")

    def test_geometric_mean_of_drawn_shapes(self):
        verdicts = [{"what": "call", "ratio": r, "target": t} for r, t in ((4.0, 2.0), (1.0, 2.0))]
        results = {f"C1~{i}": {"verdicts": [v]} for i, v in enumerate(verdicts)}
        self.assertIn("over 2 of the best peer's time by Tenon's 2.00, of the targets 2.00: reached",
                      report.drawn_text(results))
        self.assertEqual(report.drawn_text({"C1": {"verdicts": verdicts}}), "")


class ResultsFile(unittest.TestCase):
    def results(self, folder, keep=False):
        options = argparse.Namespace(out=pathlib.Path(folder) / "RESULTS.md", threads=2, rounds=3, keep=keep)
        return report.Results(options, "race.py")

    def added(self, results, id):
        verdict = comparison.against_best(row("tenon", 1.0), [row("fast", 2.0)], 1)
        results.add("inference", id, {"title": "a title", "rows": [row("fast", 2.0)], "verdicts": [verdict]})
        results.write()
        return results.options.out.read_text()

    def test_keeps_what_is_written_by_hand(self):
        with tempfile.TemporaryDirectory() as folder:
            first = self.added(self.results(folder), "I-1")
            notes = f"\n{report.BY_HAND}\n\n## Notes\n\nWhat the figures come from.\n"
            (pathlib.Path(folder) / "RESULTS.md").write_text(first + notes)
            both = self.added(self.results(folder, keep=True), "I-2")
            self.assertIn("## I-1: a title", both)
            self.assertIn("## I-2: a title", both)
            self.assertTrue(both.endswith(notes))
            alone = self.added(self.results(folder), "I-1")
            self.assertEqual(alone, first + notes)

    def test_rows_without_their_figures_are_not_overwritten(self):
        with tempfile.TemporaryDirectory() as folder:
            self.added(self.results(folder), "I-1")
            (pathlib.Path(folder) / "RESULTS.json").unlink()
            with self.assertRaisesRegex(SystemExit, "which holds their figures, does not exist"):
                self.results(folder, keep=True)


class Sources(unittest.TestCase):
    def test_are_python(self):
        for path in sorted(RACE.glob("*.py")):
            ast.parse(path.read_text(), path.name)


if __name__ == "__main__":
    unittest.main()
