"""What every peer is: a network with its optimizer that takes one batch after another."""
import math
import time

BLOCK_SECONDS = 0.02


class Runner:
    """A peer gives `step`, and `synchronize` where calls return before their work is done."""

    steps_per_call = 1

    def __init__(self, batches):
        self.batches, self.position = batches, 0

    def step(self, x, y):
        """One training step on a batch; the loss before the update, not yet read."""
        raise NotImplementedError

    def synchronize(self):
        pass

    def run(self, calls):
        """Steps on the next batches, with no loss read; returns when all is done."""
        step, batches, position = self.step, self.batches, self.position
        for _ in range(calls):
            step(*batches[position])
            position += 1
            if position == len(batches):
                position = 0
        self.position = position
        self.synchronize()

    def losses(self, first, last):
        """Runs the steps numbered `first` to `last`, from 1; their losses."""
        handles = []
        for number in range(first, last + 1):
            handles.append(self.step(*self.batches[(number - 1) % len(self.batches)]))
        self.position = last % len(self.batches)
        return [float(loss) for loss in handles]

    def time(self, seconds):
        return time_blocks(self.run, seconds, self.steps_per_call)


def summary(seconds_per_step, steps):
    ordered = sorted(seconds_per_step)
    middle = len(ordered) // 2
    median = ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
    return {"seconds_per_step": {"minimum": ordered[0], "median": median}, "steps": steps,
            "blocks": len(ordered)}


def time_blocks(run, seconds, steps_per_call=1, block=BLOCK_SECONDS):
    """Seconds per step over blocks of calls, each of at least `block` seconds and one call.

    The first calls find how many fill a block, and warm up; they do not count."""
    calls = 1
    while True:
        begin = time.perf_counter()
        run(calls)
        spent = time.perf_counter() - begin
        if spent >= block:
            break
        calls = max(calls + 1, min(calls * 10, math.ceil(1.2 * calls * block / max(spent, 1e-7))))
    blocks, end = [], time.perf_counter() + seconds
    while True:
        begin = time.perf_counter()
        run(calls)
        now = time.perf_counter()
        if now - begin >= block:
            blocks.append((now - begin) / (calls * steps_per_call))
        else:
            calls = calls + max(1, calls // 10)
        if now >= end and blocks:
            return summary(blocks, len(blocks) * calls * steps_per_call)
