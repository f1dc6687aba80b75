"""PyTorch's peers: eager, with a fused optimizer, compiled, and compiled as a whole step.

ResNets are channels-last, which is faster on CPUs. Batches are tensors that share the memory of the
arrays."""
import torch

import torch_networks as networks
from runner import Runner

BETA1, BETA2, EPSILON, DECAY, MOMENTUM = 0.9, 0.999, 1e-8, 0.01, 0.9
# By workload; the best configurations that are known, and what users write first.
STACKS = {"mlp": ("eager", "eager_fused", "compile", "compile_whole"),
          "resnet": ("eager", "eager_fused", "compile"),
          "lstm": ("eager", "eager_fused"),
          "gpt": ("eager", "eager_fused", "compile", "compile_whole")}


def versions():
    return {"torch": torch.__version__}


def as_batches(workload, x, y):
    """Tensors on the arrays' own memory; labels as 64-bit integers, which PyTorch wants."""
    y = y if workload.loss == "binary" else y.astype("int64")
    xs, ys = torch.from_numpy(x), torch.from_numpy(y)
    if workload.network == "resnet":
        xs = xs.permute(0, 1, 4, 2, 3)  # each batch is channels-last in memory
    return list(zip(xs, ys))


def make_optimizer(workload, parameters, fused):
    options = {"lr": workload.learning_rate, **({"fused": True} if fused else {})}
    if workload.optimizer == "sgd":
        return torch.optim.SGD(parameters, momentum=MOMENTUM, **options)
    if workload.optimizer == "adamw":
        return torch.optim.AdamW(parameters, weight_decay=DECAY, eps=EPSILON, **options)
    return torch.optim.Adam(parameters, eps=EPSILON, **options)


class Eager(Runner):
    def __init__(self, workload, weights, batches, fused, compiled):
        super().__init__(batches)
        model = networks.network(workload, weights)
        if workload.network == "resnet":
            model = model.to(memory_format=torch.channels_last)
        model.train()
        self.optimizer = make_optimizer(workload, [p for p in model.parameters() if p.requires_grad],
                                        fused)

        def loss_of(x, y):
            return networks.loss(workload, model(x), y)

        self.loss_of = torch.compile(loss_of, fullgraph=True) if compiled else loss_of

    def step(self, x, y):
        loss = self.loss_of(x, y)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        return loss.detach()


class WholeStep(Runner):
    """Forward, backward and Adam (AdamW) in one compiled function."""

    def __init__(self, workload, weights, batches):
        super().__init__(batches)
        model = networks.network(workload, weights)
        self.parameters = {name: p.detach() for name, p in model.named_parameters()}
        self.means = {name: torch.zeros_like(p) for name, p in self.parameters.items()}
        self.squares = {name: torch.zeros_like(p) for name, p in self.parameters.items()}
        self.count = torch.zeros((), dtype=torch.float64)
        rate = workload.learning_rate
        keep = 1 - rate * DECAY if workload.optimizer == "adamw" else 1

        def loss_of(parameters, x, y):
            return networks.loss(workload, torch.func.functional_call(model, parameters, (x,)), y)

        def step(parameters, means, squares, count, x, y):
            gradients, loss = torch.func.grad_and_value(loss_of)(parameters, x, y)
            count += 1
            step_size = (rate / (1 - BETA1**count)).float()
            root = (1 - BETA2**count).sqrt().float()
            for name, gradient in gradients.items():
                mean, square, parameter = means[name], squares[name], parameters[name]
                mean.mul_(BETA1).add_(gradient, alpha=1 - BETA1)
                square.mul_(BETA2).addcmul_(gradient, gradient, value=1 - BETA2)
                parameter.mul_(keep).sub_(step_size * mean / (square.sqrt() / root + EPSILON))
            return loss

        self.compiled = torch.compile(step, fullgraph=True)

    def step(self, x, y):
        return self.compiled(self.parameters, self.means, self.squares, self.count, x, y)


def make(stack, workload, weights, x, y, threads):
    torch.set_num_threads(threads)
    kind = stack.split(".")[1]
    batches = as_batches(workload, x, y)
    if kind == "compile_whole":
        return WholeStep(workload, weights, batches)
    return Eager(workload, weights, batches, kind != "eager", kind == "compile")
