"""The workloads of the race: networks, sizes, losses, optimizers, and what Tenon must reach."""
import dataclasses
import math

STEPS_PER_CALL = 64  # of the rows that take many steps in one call
TENON, TENON_MANY = "tenon", "tenon.many"  # names of rows
SIZES_OF_BATCHES = (24, 48, 96)  # of shapes drawn at random


@dataclasses.dataclass(frozen=True)
class Workload:
    id: str
    title: str
    network: str  # mlp, resnet, lstm, gpt
    sizes: dict
    loss: str  # binary or classes
    optimizer: str  # adam, adamw, sgd (with momentum 0.9)
    learning_rate: float
    batch: int
    data: str  # points, digits, pictures, text or tokens: see arrays.py
    batches: int  # distinct ones, cycled; at least 64
    seconds: float  # of one turn of a round
    loss_steps: tuple = (1, 10, 100)  # steps whose losses are compared
    # The kernel of the last layer begins this many times as large as Tenon draws it.
    head_scale: float = 1
    # Times as fast as the best peer, by "call" (one step per call) and "many" (many steps per call);
    # "cold" and "warm": seconds to the end of the first step; "memory": bytes, where there is a limit.
    targets: dict = dataclasses.field(default_factory=dict)

    def tenon_model(self):
        s = self.sizes
        if self.network == "mlp":
            return "mlp:hidden=" + "/".join(str(n) for n in s["hidden"])
        if self.network == "resnet":
            return f"resnet20:projected=1:width={s['width']}"
        if self.network == "lstm":
            return f"char-lstm:embedding={s['embedding']}:units=" + "/".join(str(n) for n in s["units"])
        return f"gpt:context={s['context']}:layers={s['layers']}:heads={s['heads']}:width={s['width']}"

    def data_arguments(self, folder):
        """Network and data, for every command of Tenon."""
        return ["--model", self.tenon_model(), "--data", f"npz:{folder}/data.npz", "--normalize", "none",
                "--batch-size", str(self.batch), "--no-shuffle"]

    def tenon_arguments(self, folder):
        """What `tenon train` and `tenon bench` both take."""
        loss = {"binary": "binary_cross_entropy_from_logits",
                "classes": "sparse_categorical_cross_entropy_from_logits"}[self.loss]
        momentum = ["--momentum", "0.9"] if self.optimizer == "sgd" else []
        return [*self.data_arguments(folder), "--loss", loss, "--optimizer", self.optimizer, *momentum,
                "--learning-rate", str(self.learning_rate)]


def gpt_sizes(layers=4, heads=4, width=128, time=64, context=64, vocabulary=65):
    return {"layers": layers, "heads": heads, "width": width, "time": time, "context": context,
            "vocabulary": vocabulary}


WORKLOADS = [
    Workload("C1", "MLP 8-10-1, binary cross entropy, Adam, batch 32", "mlp",
             {"features": 8, "hidden": (10,), "outputs": 1}, "binary", "adam", 1e-3, 32, "points", 1024,
             0.5, targets={"call": 10, "many": 3, "cold": 0.3, "warm": 0.1}),
    Workload("C2-32", "MLP 784-128-64-10, softmax cross entropy, Adam, batch 32", "mlp",
             {"features": 784, "hidden": (128, 64), "outputs": 10}, "classes", "adam", 1e-3, 32, "digits",
             1856, 0.7, targets={"call": 1.9, "many": 1.7, "cold": 0.3, "warm": 0.1}),
    Workload("C2-128", "MLP 784-128-64-10, softmax cross entropy, Adam, batch 128", "mlp",
             {"features": 784, "hidden": (128, 64), "outputs": 10}, "classes", "adam", 1e-3, 128, "digits",
             448, 0.7, targets={"call": 1.6, "many": 1.45, "cold": 0.3, "warm": 0.1}),
    Workload("C3", "ResNet-20 on 32x32x3, SGD with momentum, batch 128", "resnet",
             {"width": 16, "image": 32, "outputs": 10}, "classes", "sgd", 0.02, 128, "pictures", 64, 1.6,
             # Rounding grows through batch norm and rectifiers: to 1e-3 of the loss at step 10, in every
             # stack. A head that begins small keeps it at 1e-5 there.
             loss_steps=(1, 10), head_scale=0.1, targets={"call": 1.2, "cold": 1.5, "warm": 0.1}),
    Workload("C4", "two LSTM layers of 256 over 64 characters, Adam, batch 32", "lstm",
             {"embedding": 128, "units": (256, 256), "time": 64, "vocabulary": 65}, "classes", "adam", 1e-3,
             32, "text", 512, 1.2, targets={"call": 1.05, "cold": 1.5, "warm": 0.1}),
    Workload("C5", "GPT of 4 layers, width 128, over 64 characters, AdamW, batch 12", "gpt", gpt_sizes(),
             "classes", "adamw", 1e-3, 12, "text", 1024, 1.2,
             targets={"call": 1.5, "cold": 1.5, "warm": 0.1}),
    Workload("C6", "GPT-2 124M over 64 of 1024 positions, AdamW, batch 4", "gpt",
             gpt_sizes(12, 12, 768, 64, 1024, 50304), "classes", "adamw", 1e-4, 4, "tokens", 64, 6.0,
             loss_steps=(1, 10), targets={"call": 1.15, "cold": 2, "warm": 0.8, "memory": 2.2e9}),
]
USUAL = ("C1", "C2", "C3", "C4", "C5")


def choose(names):
    """Workloads by id; C2 stands for both batches. ValueError that lists the ids."""
    chosen = []
    for name in names:
        found = [w for w in WORKLOADS if w.id == name or w.id.split("-")[0] == name]
        if not found:
            known = ", ".join(w.id for w in WORKLOADS)
            raise ValueError(f"unknown workload {name!r}; known: {known} (C2 for both)")
        chosen += [w for w in found if w not in chosen]
    return chosen


def near(rng, size):
    """A whole number within an eighth of `size`, and at least 1 from it where an eighth is less."""
    reach = max(size // 8, 1)
    return int(rng.integers(size - reach, size + reach + 1))


def at_drawn_shape(workload, rng, number):
    """The workload with another batch and widths, time steps or pixels."""
    s, batch = dict(workload.sizes), int(rng.choice(SIZES_OF_BATCHES))
    if workload.network == "mlp":
        s["hidden"] = tuple(near(rng, n) for n in s["hidden"])
        if workload.data == "points":
            s["features"] = near(rng, s["features"])
        text = "-".join(str(n) for n in (s["features"], *s["hidden"], s["outputs"]))
    elif workload.network == "resnet":
        s["width"], s["image"] = near(rng, s["width"]), near(rng, s["image"])
        text = f"width {s['width']}, {s['image']} pixels"
    elif workload.network == "lstm":
        s["embedding"], s["time"] = near(rng, s["embedding"]), near(rng, s["time"])
        s["units"] = (near(rng, s["units"][0]),) * len(s["units"])
        text = f"{s['embedding']}, units {s['units'][0]}, {s['time']} steps"
    else:
        s["width"] = s["heads"] * near(rng, s["width"] // s["heads"])
        s["time"] = s["context"] = near(rng, s["time"])
        text = f"width {s['width']}, {s['time']} steps"
    samples = workload.batch * workload.batches
    batches = max(STEPS_PER_CALL, min(workload.batches, samples // batch))
    if workload.network == "mlp":
        batches -= batches % STEPS_PER_CALL
    targets = {"call": workload.targets["call"]}
    return dataclasses.replace(workload, id=f"{workload.id}~{number}", sizes=s, batch=batch,
                               batches=batches, targets=targets,
                               title=f"{workload.id} with {text}, batch {batch}")


def draw_shapes(workloads, seed, each):
    """`each` drawn shapes of every workload; the same for the same seed."""
    import numpy as np

    rng = np.random.default_rng(seed)
    return [at_drawn_shape(workload, rng, number + 1) for workload in workloads
            for number in range(each)]


def from_json(entry):
    """What dataclasses.asdict and JSON made of a workload."""
    entry = dict(entry)
    entry["loss_steps"] = tuple(entry["loss_steps"])
    entry["sizes"] = {k: tuple(v) if isinstance(v, list) else v for k, v in entry["sizes"].items()}
    return Workload(**entry)


def geometric_mean(values):
    return math.exp(sum(math.log(v) for v in values) / len(values))
