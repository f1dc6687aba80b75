"""Events as TensorBoard's own protocol buffers serialise them: tests/data/event_samples.json.

Needs the PyPI package tensorboard."""
import io
import json
import os

from tensorboard.summary.writer.record_writer import RecordWriter
from tensorboard.compat.proto import event_pb2, summary_pb2, tensor_pb2, tensor_shape_pb2


def histogram(**fields):
    return summary_pb2.HistogramProto(**fields)


def with_value(wall_time, step, value):
    return event_pb2.Event(wall_time=wall_time, step=step,
                           summary=summary_pb2.Summary(value=[value]))


def text(wall_time, step, tag, content):
    tensor = tensor_pb2.TensorProto(
        dtype=7, string_val=[content],
        tensor_shape=tensor_shape_pb2.TensorShapeProto(
            dim=[tensor_shape_pb2.TensorShapeProto.Dim(size=1)]))
    metadata = summary_pb2.SummaryMetadata(
        plugin_data=summary_pb2.SummaryMetadata.PluginData(plugin_name="text"))
    return with_value(wall_time, step,
                      summary_pb2.Summary.Value(tag=tag, tensor=tensor, metadata=metadata))


Value = summary_pb2.Summary.Value
events = {
    "version": event_pb2.Event(wall_time=1700000000.25, file_version="brain.Event:2"),
    "restart": event_pb2.Event(wall_time=2.5, step=300,
                               session_log=event_pb2.SessionLog(status=event_pb2.SessionLog.START)),
    "scalar": with_value(1700000000.5, 7, Value(tag="loss", simple_value=0.1)),
    "zero": with_value(1.0, 0, Value(tag="a/b", simple_value=0.0)),
    "nan": with_value(1.0, 2**40, Value(tag="loss", simple_value=float("nan"))),
    "histogram": with_value(3.0, 128, Value(tag="dense/kernel", histo=histogram(
        min=-1.5, max=2.0, num=6, sum=0.75, sum_squares=9.0,
        bucket_limit=[-0.5, 0.5, 2.0], bucket=[1, 2, 3]))),
    "empty histogram": with_value(3.0, 1, Value(tag="none", histo=histogram())),
    "text": text(4.0, 0, "summary", ("é" * 100).encode()),
}
samples = {name: event.SerializeToString() for name, event in events.items()}
frames = io.BytesIO()
writer = RecordWriter(frames)
writer.write(b"")
writer.write(samples["scalar"])
samples["frames of nothing and scalar"] = frames.getvalue()
path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "event_samples.json")
with open(path, "w") as file:
    json.dump({name: sample.hex() for name, sample in samples.items()}, file, indent=1)
    file.write("\n")
