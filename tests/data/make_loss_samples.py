#!/usr/bin/env python3
"""Writes loss_samples.json (losses as PyTorch computes them) and metric_samples.json (metrics as
scikit-learn computes them over a whole data set).

    python3 -m pip install torch scikit-learn && python3 make_loss_samples.py

losses: {loss, prediction, target, sample_weight, sum, weight, gradient}, in f64; the sum is of the
losses times the weights of their samples. metrics: {metric, loss, prediction, target, value}.
"""
import json
import os

import numpy as np
import torch
import torch.nn.functional as F
from sklearn import metrics as sk

from layer_sample_writing import tensor

rng = np.random.default_rng(11)
FOLDER = os.path.dirname(os.path.abspath(__file__))


def floats(*shape, low=-2.0, high=2.0, gradient=True):
    return torch.tensor(np.round(rng.uniform(low, high, shape), 2)).requires_grad_(gradient)


def probabilities(*shape):
    return torch.softmax(floats(*shape), -1).detach().requires_grad_()


losses = []


def loss(name, prediction, target, values, weight=None, of_classes=None):
    """`values(prediction)`: one loss for each row or element. `of_classes`: the weights of the
    targets' classes, which are in the values already."""
    each = values(prediction)
    w = torch.ones_like(each)
    if weight is not None:
        w = w * weight.reshape(-1, *([1] * (each.dim() - 1)))
    total = (each * w).sum()
    losses.append({"loss": name, "prediction": tensor(prediction), "target": tensor(target),
                   "sample_weight": None if weight is None else tensor(weight),
                   "sum": tensor(total),
                   "weight": tensor((w if of_classes is None else w * of_classes).sum()),
                   "gradient": tensor(torch.autograd.grad(total, prediction)[0])})


def clipped(p):
    return p.clamp(1e-7, 1 - 1e-7)


def cross_entropies(weight):
    for smoothing, class_weights in ((0.1, None), (0.0, [0.5, 2.0, 1.25]), (0.3, [0.5, 2.0, 1.25])):
        options = f":label_smoothing={smoothing}" if smoothing else ""
        options += ":class_weights=0.5/2/1.25" if class_weights else ""
        c = torch.ones(3) if class_weights is None else torch.tensor(class_weights)
        labels = torch.tensor(rng.integers(0, 3, 5))
        soft = torch.softmax(floats(5, 3), -1).detach()
        logits, p = floats(5, 3), probabilities(5, 3)
        settings = {"weight": c, "label_smoothing": smoothing, "reduction": "none"}
        of_labels = None if class_weights is None else c[labels]
        of_soft = None if class_weights is None else soft @ c
        loss("sparse_categorical_cross_entropy_from_logits" + options, logits, labels,
             lambda x: F.cross_entropy(x, labels, **settings), weight, of_labels)
        loss("categorical_cross_entropy_from_logits" + options, logits, soft,
             lambda x: F.cross_entropy(x, soft, **settings), weight, of_soft)
        loss("sparse_categorical_cross_entropy" + options, p, labels,
             lambda x: smoothed(x, F.one_hot(labels, 3).double(), smoothing, c), weight, of_labels)
        loss("categorical_cross_entropy" + options, p, soft,
             lambda x: smoothed(x, soft, smoothing, c), weight, of_soft)


def smoothed(p, target, smoothing, class_weights):
    t = (1 - smoothing) * target + smoothing / target.shape[-1]
    return -(t * class_weights * clipped(p).log()).sum(-1)


def binary_cross_entropies(weight):
    for smoothing, pair in ((0.2, None), (0.0, (0.5, 3.0)), (0.2, (0.5, 3.0))):
        options = f":label_smoothing={smoothing}" if smoothing else ""
        options += ":class_weights=0.5/3" if pair else ""
        zero, one = pair or (1.0, 1.0)
        target = torch.tensor(rng.integers(0, 2, (5, 2)))
        t = target.double() * (1 - smoothing) + smoothing / 2
        of_classes = torch.where(target > 0, one, zero) if pair else None
        # pos_weight weighs class 1 against class 0.
        loss("binary_cross_entropy_from_logits" + options, floats(5, 2), target,
             lambda x: zero * F.binary_cross_entropy_with_logits(
                 x, t, reduction="none", pos_weight=torch.tensor(one / zero)), weight, of_classes)
        loss("binary_cross_entropy" + options, floats(5, 2, low=0.01, high=0.99), target,
             lambda x: -(one * t * clipped(x).log() + zero * (1 - t) * (1 - clipped(x)).log()),
             weight, of_classes)


def focal(ce, p, t, gamma, alpha):
    """torchvision.ops.sigmoid_focal_loss, reduction none."""
    p_t = p * t + (1 - p) * (1 - t)
    each = ce * (1 - p_t) ** gamma
    return each * (alpha * t + (1 - alpha) * (1 - t)) if alpha >= 0 else each


def focal_losses(weight):
    for gamma, alpha, options in ((2.0, -1, ""), (1.5, 0.25, ":gamma=1.5:alpha=0.25"),
                                  (0.0, -1, ":gamma=0"), (1.0, 0.5, ":gamma=1:alpha=0.5")):
        target = torch.tensor(rng.integers(0, 2, (5, 2)))
        t = target.double()
        loss("binary_focal_cross_entropy_from_logits" + options, floats(5, 2), target,
             lambda x: focal(F.binary_cross_entropy_with_logits(x, t, reduction="none"),
                             torch.sigmoid(x), t, gamma, alpha), weight)
        loss("binary_focal_cross_entropy" + options, floats(5, 2, low=0.01, high=0.99), target,
             lambda x: focal(F.binary_cross_entropy(clipped(x), t, reduction="none"), x, t, gamma,
                             alpha), weight)
    for gamma, options in ((2.0, ""), (3.5, ":gamma=3.5"), (0.0, ":gamma=0")):
        labels = torch.tensor(rng.integers(0, 3, 5))
        soft = torch.softmax(floats(5, 3), -1).detach()
        one_hot = F.one_hot(labels, 3).double()

        def categorical(p, t):
            return -(t * (1 - p) ** gamma * clipped(p).log()).sum(-1)

        logits, p = floats(5, 3), probabilities(5, 3)
        loss("sparse_categorical_focal_cross_entropy_from_logits" + options, logits, labels,
             lambda x: categorical(torch.softmax(x, -1), one_hot), weight)
        loss("sparse_categorical_focal_cross_entropy" + options, p, labels,
             lambda x: categorical(x, one_hot), weight)
        loss("categorical_focal_cross_entropy_from_logits" + options, logits, soft,
             lambda x: categorical(torch.softmax(x, -1), soft), weight)
        loss("categorical_focal_cross_entropy" + options, p, soft,
             lambda x: categorical(x, soft), weight)


def distances(weight):
    target = floats(5, 3, gradient=False)
    loss("mean_absolute_error", floats(5, 3), target,
         lambda x: F.l1_loss(x, target, reduction="none"), weight)
    for delta, options in ((1.0, ""), (0.25, ":delta=0.25")):
        loss("huber" + options, floats(5, 3), target,
             lambda x: F.huber_loss(x, target, reduction="none", delta=delta), weight)
    loss("cosine_similarity", floats(5, 3), target,
         lambda x: 1 - F.cosine_similarity(x, target), weight)
    signs = torch.tensor([[1.0], [-1.0], [-1.0], [1.0], [1.0]])
    scores = torch.tensor([[0.3], [0.45], [-1.7], [1.8], [-0.6]], requires_grad=True)
    for labels in (signs, (signs > 0).long()):
        # 0.5 MarginLoss of two classes is the hinge: x[y] - x[other] is the margin.
        loss("hinge", scores, labels,
             lambda x: 2 * F.multi_margin_loss(torch.cat([-x / 2, x / 2], 1),
                                               (signs[:, 0] > 0).long(), reduction="none")[:, None],
             weight)
    soft = torch.softmax(floats(5, 3), -1).detach()
    soft[0] = torch.tensor([0.0, 1.0, 0.0])
    loss("kl_divergence", probabilities(5, 3), soft,
         lambda x: F.kl_div(clipped(x).log(), soft, reduction="none").sum(-1), weight)
    loss("kl_divergence_from_logits", floats(5, 3), soft,
         lambda x: F.kl_div(F.log_softmax(x, -1), soft, reduction="none").sum(-1), weight)


for sample_weight in (None, floats(5, low=0, high=2, gradient=False)):
    cross_entropies(sample_weight)
    binary_cross_entropies(sample_weight)
    focal_losses(sample_weight)
    distances(sample_weight)
# Far logits: certain predictions, right and wrong.
far = torch.tensor([[800.0, -800.0], [-800.0, 800.0]], requires_grad=True)
truth = torch.tensor([[1.0, 0.0], [1.0, 0.0]])
loss("binary_focal_cross_entropy_from_logits", far, truth,
     lambda x: focal(F.binary_cross_entropy_with_logits(x, truth, reduction="none"),
                     torch.sigmoid(x), truth, 2.0, -1))

metrics = []


def metric(name, of, prediction, target, value):
    metrics.append({"metric": name, "loss": of, "prediction": tensor(prediction),
                    "target": tensor(target), "value": float(value)})


N = 23
SPARSE = "sparse_categorical_cross_entropy_from_logits"
logits = np.round(rng.normal(size=(N, 6)), 3)
labels = rng.integers(0, 5, N)  # class 5 is never true
logits[:, 4] -= 9  # class 4 is never predicted
chosen = logits.argmax(-1)
for k in (1, 2, 3, 5):
    metric(f"top_k_accuracy:k={k}", SPARSE, logits, labels,
           sk.top_k_accuracy_score(labels, logits, k=k, labels=range(6)))
settings = {"average": "macro", "zero_division": 0}
metric("macro_precision", SPARSE, logits, labels, sk.precision_score(labels, chosen, **settings))
metric("macro_recall", SPARSE, logits, labels, sk.recall_score(labels, chosen, **settings))
metric("macro_f1", SPARSE, logits, labels, sk.f1_score(labels, chosen, **settings))
softmax = torch.softmax(torch.tensor(logits), -1).numpy()
for of, prediction in ((SPARSE, logits), ("sparse_categorical_cross_entropy", softmax),
                       (SPARSE + ":label_smoothing=0.1", logits)):
    metric("perplexity", of, prediction, labels, np.exp(sk.log_loss(labels, softmax,
                                                                    labels=range(6))))
metric("perplexity", "categorical_cross_entropy", softmax, np.eye(6)[labels],
       np.exp(sk.log_loss(labels, softmax, labels=range(6))))

truth = rng.integers(0, 2, N)
scores = np.round(np.clip(rng.normal(0.35 + 0.3 * truth, 0.3), 0, 1), 2)[:, None]
hits = (scores[:, 0] > 0.5).astype(int)
for target in (truth, truth.astype(float)[:, None]):
    of = "binary_cross_entropy"
    metric("precision", of, scores, target, sk.precision_score(truth, hits))
    metric("recall", of, scores, target, sk.recall_score(truth, hits))
    metric("f1", of, scores, target, sk.f1_score(truth, hits))
    metric("macro_f1", of, scores, target, sk.f1_score(truth, hits, average="macro"))
    metric("roc_auc:bins=101", of, scores, target, sk.roc_auc_score(truth, scores))
nothing = np.full((N, 1), 0.2)
metric("precision", "binary_cross_entropy", nothing, truth,
       sk.precision_score(truth, np.zeros(N), zero_division=0))
metric("f1", "binary_cross_entropy", nothing, truth, sk.f1_score(truth, np.zeros(N)))

y = np.round(rng.normal(3, 2, (N, 3)), 2)
found = np.round(y + rng.normal(0, 1, y.shape), 2)
of = "mean_squared_error"
metric("mean_absolute_error", of, found, y, sk.mean_absolute_error(y, found))
metric("mean_squared_error", of, found, y, sk.mean_squared_error(y, found))
metric("root_mean_squared_error", of, found, y, np.sqrt(sk.mean_squared_error(y, found)))
metric("r2", of, found, y, sk.r2_score(y, found))
metric("r2", of, found[:, :1], y[:, 0], sk.r2_score(y[:, 0], found[:, 0]))
level = np.full((N, 1), 0.5)
metric("r2", of, found[:, :1], level, sk.r2_score(level, found[:, :1]))
metric("r2", of, level, level, sk.r2_score(level, level))
matrix = {"prediction": tensor(logits), "target": tensor(labels), "loss": SPARSE,
          "counts": tensor(sk.confusion_matrix(labels, chosen, labels=range(6)).astype("float32"))}

agreements = {
    "balanced_accuracy": lambda t, p: sk.balanced_accuracy_score(t, p),
    "matthews_correlation": sk.matthews_corrcoef,
    "cohen_kappa": sk.cohen_kappa_score,
    "mean_iou": lambda t, p: sk.jaccard_score(t, p, average="macro", zero_division=0),
    "dice": lambda t, p: sk.f1_score(t, p, average="macro", zero_division=0)}
pixels = np.round(rng.normal(size=(5, 3, 4, 3)), 3)
of_pixels = rng.integers(0, 3, (5, 3, 4))
for name, value in agreements.items():
    metric(name, SPARSE, logits, labels, value(labels, chosen))
    metric(name, SPARSE, pixels, of_pixels, value(of_pixels.ravel(), pixels.argmax(-1).ravel()))
    metric(name, "binary_cross_entropy", scores, truth, value(truth, hits))
    # Everything of one class: some of these have no meaning, which is 0 here.
    if name in ("balanced_accuracy", "mean_iou", "dice"):
        metric(name, "binary_cross_entropy", nothing, np.zeros(N, int),
               value(np.zeros(N, int), np.zeros(N, int)))
for name in ("matthews_correlation", "cohen_kappa"):
    metric(name, "binary_cross_entropy", nothing, np.zeros(N, int), 0)
metric("specificity", "binary_cross_entropy", scores, truth,
       sk.recall_score(truth, hits, pos_label=0))
metric("specificity", "binary_cross_entropy", nothing, np.ones(N, int), 0)
metric("pr_auc:bins=101", "binary_cross_entropy", scores, truth,
       sk.average_precision_score(truth, scores))
metric("pr_auc", "binary_cross_entropy", scores, np.zeros(N, int), 0)
metric("log_loss", SPARSE + ":label_smoothing=0.1", logits, labels,
       sk.log_loss(labels, softmax, labels=range(6)))
metric("log_loss", "binary_cross_entropy", np.clip(scores, 1e-7, 1 - 1e-7), truth,
       sk.log_loss(truth, np.clip(scores[:, 0], 1e-7, 1 - 1e-7)))
metric("accuracy", SPARSE, logits, labels, sk.accuracy_score(labels, chosen))
metric("accuracy", SPARSE, pixels, of_pixels,
       sk.accuracy_score(of_pixels.ravel(), pixels.argmax(-1).ravel()))
metric("accuracy", "categorical_cross_entropy", softmax, np.eye(6)[labels],
       sk.accuracy_score(labels, chosen))
metric("accuracy", "binary_cross_entropy", scores, truth, sk.accuracy_score(truth, hits))

for name, content in (("loss_samples.json", {"losses": losses}),
                      ("metric_samples.json", {"metrics": metrics, "confusion_matrix": matrix})):
    with open(os.path.join(FOLDER, name), "w") as file:
        json.dump(content, file, separators=(",", ":"))
        file.write("\n")
print(len(losses), "losses,", len(metrics), "metrics")
