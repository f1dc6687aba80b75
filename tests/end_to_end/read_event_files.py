"""Whether TensorBoard's own reader finds in event files what was written.

usage: read_event_files.py FOLDER
FOLDER was written by TENON_EVENT_FILES=FOLDER test_train --gtest_filter='TensorBoardLog.Writes*'.
Needs the PyPI package tensorboard."""
import json
import os
import sys

import numpy as np
from tensorboard.backend.event_processing.event_accumulator import (
    HISTOGRAMS, SCALARS, TENSORS, EventAccumulator)


def reader(folder):
    everything = {SCALARS: 0, HISTOGRAMS: 0, TENSORS: 0}
    events = EventAccumulator(folder, size_guidance=everything)
    events.Reload()
    return events


def main(folder):
    with open(os.path.join(folder, "expected.json")) as file:
        expected = json.load(file)
    compared = 0
    for part in ("train", "validation"):
        events = reader(os.path.join(folder, part))
        for tag, rows in expected[part].items():
            found = [[event.step, event.value] for event in events.Scalars(tag)]
            assert found == rows, f"{part} {tag}: {found} expected {rows}"
            compared += len(rows)
    events = reader(os.path.join(folder, "train"))
    assert set(expected["histograms"]) == set(events.Tags()["histograms"])
    for tag, rows in expected["histograms"].items():
        found = events.Histograms(tag)
        assert len(found) == len(rows), tag
        for event, row in zip(found, rows):
            histogram = event.histogram_value
            assert event.step == row["step"]
            for ours, theirs in (("min", "min"), ("max", "max"), ("count", "num"), ("sum", "sum"),
                                 ("sum_of_squares", "sum_squares")):
                assert row[ours] == getattr(histogram, theirs), (tag, ours)
            assert list(histogram.bucket) == row["counts"], tag
            assert list(histogram.bucket_limit) == row["edges"][1:], tag
            compared += 1
    for tag in ("model", "graph"):
        (event,) = events.Tensors(tag)
        assert event.step == 1 and event.tensor_proto.string_val[0], tag
        compared += 1
    text = events.Tensors("graph")[0].tensor_proto.string_val[0].decode()
    assert "graph(" in text and "return" in text, text[:200]
    # Every wall time is of today, in order.
    times = [event.wall_time for event in events.Scalars("step/loss")]
    assert times == sorted(times) and times[0] > 1.7e9 and np.isfinite(times).all()
    print(f"TensorBoard reads {compared} scalars, histograms and texts as they were written")


if __name__ == "__main__":
    main(sys.argv[1])
