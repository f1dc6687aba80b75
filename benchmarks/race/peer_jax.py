"""JAX's peers: the whole step jitted with donated arguments, and many steps in one call by scan."""
import functools

import jax
import jax.numpy as jnp
import optax

import jax_networks as networks
import workloads
from runner import Runner

STACKS = {"mlp": ("jit", "scan"), "resnet": ("jit",), "lstm": ("jit",), "gpt": ("jit",)}


def versions():
    return {"jax": jax.__version__, "optax": optax.__version__}


def make_optimizer(workload):
    if workload.optimizer == "sgd":
        return optax.sgd(workload.learning_rate, momentum=0.9)
    if workload.optimizer == "adamw":
        return optax.adamw(workload.learning_rate, weight_decay=0.01)
    return optax.adam(workload.learning_rate)


def loss_of_logits(workload, logits, y):
    if workload.loss == "binary":
        return optax.sigmoid_binary_cross_entropy(logits[..., 0], y).mean()
    return optax.softmax_cross_entropy_with_integer_labels(logits, y).mean()


def make_step(workload):
    network, optimizer = networks.NETWORKS[workload.network], make_optimizer(workload)

    def loss_of(parameters, statistics, x, y):
        outputs = network(workload.sizes, {**parameters, **statistics}, x)
        logits, moved = outputs if workload.network == "resnet" else (outputs, statistics)
        return loss_of_logits(workload, logits, y), moved

    def step(parameters, statistics, state, x, y):
        (loss, statistics), gradients = jax.value_and_grad(loss_of, has_aux=True)(parameters, statistics,
                                                                                  x, y)
        updates, state = optimizer.update(gradients, state, parameters)
        return optax.apply_updates(parameters, updates), statistics, state, loss

    return optimizer, step


class Jitted(Runner):
    def __init__(self, workload, weights, batches):
        super().__init__(batches)
        optimizer, step = make_step(workload)
        weights = {name: jnp.array(value) for name, value in networks.prepared(weights).items()}
        self.statistics = {n: v for n, v in weights.items() if networks.is_statistic(n)}
        self.parameters = {n: v for n, v in weights.items() if n not in self.statistics}
        self.state = optimizer.init(self.parameters)
        self.make(step)

    def make(self, step):
        self.jitted = jax.jit(step, donate_argnums=(0, 1, 2))

    def step(self, x, y):
        self.parameters, self.statistics, self.state, loss = self.jitted(
            self.parameters, self.statistics, self.state, x, y)
        return loss

    def synchronize(self):
        jax.block_until_ready((self.parameters, self.state))


class Scanned(Jitted):
    """Many steps in one call; the data is on the device. `batches`: (x, y) of all batches."""

    steps_per_call = workloads.STEPS_PER_CALL

    def make(self, step):
        x, y = self.batches
        self.count = len(x)
        self.data = jax.device_put(x), jax.device_put(y)

        @functools.partial(jax.jit, donate_argnums=(0, 1, 2))
        def steps(parameters, statistics, state, data, first):
            def one(carry, batch):
                *carry, loss = step(*carry, *batch)
                return tuple(carry), loss

            part = [jax.lax.dynamic_slice_in_dim(a, first, self.steps_per_call) for a in data]
            carry, losses = jax.lax.scan(one, (parameters, statistics, state), tuple(part))
            return *carry, losses

        self.jitted = steps

    def call(self):
        self.parameters, self.statistics, self.state, losses = self.jitted(
            self.parameters, self.statistics, self.state, self.data, self.position)
        self.position += self.steps_per_call
        if self.position + self.steps_per_call > self.count:
            self.position = 0
        return losses

    def run(self, calls):
        for _ in range(calls):
            self.call()
        self.synchronize()

    def losses(self, first, last):
        """Steps come in calls of many: the first call is made for step 1, later ones as needed."""
        if first == 1:
            self.known = []
        while len(self.known) < last:
            self.known += [float(loss) for loss in self.call()]
        return self.known[first - 1 : last]


def make(stack, workload, weights, x, y, threads):
    if stack == "jax.scan":
        return Scanned(workload, weights, (x, y))
    return Jitted(workload, weights, list(zip(x, y)))
