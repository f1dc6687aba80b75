"""The networks of the race as PyTorch modules, with the weights that Tenon begins with."""
import torch
import torch.nn.functional as F
from torch import nn


def tensor(array):
    return torch.from_numpy(array.copy())


def linear(weights, path):
    kernel = weights[path + "/kernel"]
    layer = nn.Linear(*kernel.shape, bias=path + "/bias" in weights)
    with torch.no_grad():
        layer.weight.copy_(tensor(kernel).T)
        if layer.bias is not None:
            layer.bias.copy_(tensor(weights[path + "/bias"]))
    return layer


def counted(kind, number):
    """Tenon's names of layers: dense, dense_1, dense_2."""
    return f"{kind}_{number}" if number else kind


def mlp(sizes, weights):
    layers = []
    for number in range(len(sizes["hidden"]) + 1):
        layers += [linear(weights, counted("dense", number)), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


class ConvNorm(nn.Module):
    def __init__(self, weights, path, number=0, stride=1):
        super().__init__()
        kernel = weights[f"{path}{counted('conv2d', number)}/kernel"]
        size, _, inputs, outputs = kernel.shape
        self.conv = nn.Conv2d(inputs, outputs, size, stride, size // 2, bias=False)
        self.norm = nn.BatchNorm2d(outputs)  # momentum 0.1, epsilon 1e-5
        norm = path + counted("batch_norm", number)
        with torch.no_grad():
            self.conv.weight.copy_(tensor(kernel).permute(3, 2, 0, 1))
            for mine, name in ((self.norm.weight, "scale"), (self.norm.bias, "offset"),
                               (self.norm.running_mean, "mean"), (self.norm.running_var, "variance")):
                mine.copy_(tensor(weights[f"{norm}/{name}"]))

    def forward(self, x):
        return self.norm(self.conv(x))


class ResidualBlock(nn.Module):
    def __init__(self, weights, number):
        super().__init__()
        path = counted("residual", number) + "/"
        is_projected = path + "sequential_1/conv2d/kernel" in weights
        stride = 2 if is_projected else 1
        self.first = ConvNorm(weights, path + "sequential/", 0, stride)
        self.second = ConvNorm(weights, path + "sequential/", 1)
        self.shortcut = (ConvNorm(weights, path + "sequential_1/", 0, stride) if is_projected
                         else nn.Identity())

    def forward(self, x):
        h = F.relu(self.first(x), inplace=True)
        return F.relu(self.second(h) + self.shortcut(x), inplace=True)


class ResNet20(nn.Module):
    """Takes images [batch, channels, height, width]."""

    def __init__(self, sizes, weights):
        super().__init__()
        self.stem = ConvNorm(weights, "")
        self.blocks = nn.Sequential(*[ResidualBlock(weights, number) for number in range(9)])
        self.head = linear(weights, "dense")

    def forward(self, x):
        h = self.blocks(F.relu(self.stem(x), inplace=True))
        return self.head(h.mean((2, 3)))


class CharLstm(nn.Module):
    def __init__(self, sizes, weights):
        super().__init__()
        self.embedding = nn.Embedding.from_pretrained(tensor(weights["embedding/table"]), freeze=False)
        units = sizes["units"]
        self.lstm = nn.LSTM(sizes["embedding"], units[0], len(units), batch_first=True)
        self.head = linear(weights, "dense")
        with torch.no_grad():
            for number in range(len(units)):
                path = counted("lstm", number)
                for mine, name in ((f"weight_ih_l{number}", "kernel"),
                                   (f"weight_hh_l{number}", "recurrent_kernel"),
                                   (f"bias_ih_l{number}", "bias")):
                    getattr(self.lstm, mine).copy_(tensor(weights[f"{path}/{name}"]).T)
                # PyTorch's second bias stays at zero, so that both sides train the same weights.
                getattr(self.lstm, f"bias_hh_l{number}").zero_().requires_grad_(False)

    def forward(self, ids):
        return self.head(self.lstm(self.embedding(ids))[0])


def layer_norm(weights, path):
    layer = nn.LayerNorm(weights[path + "/scale"].shape[0])
    with torch.no_grad():
        layer.weight.copy_(tensor(weights[path + "/scale"]))
        layer.bias.copy_(tensor(weights[path + "/offset"]))
    return layer


class Block(nn.Module):
    def __init__(self, sizes, weights, number):
        super().__init__()
        self.heads = sizes["heads"]
        first = counted("residual", 2 * number) + "/sequential/"
        second = counted("residual", 2 * number + 1) + "/sequential/"
        attention = first + "multi_head_attention/"
        self.norm_1, self.norm_2 = (layer_norm(weights, part + "layer_norm") for part in (first, second))
        width = sizes["width"]
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        with torch.no_grad():
            for i, name in enumerate(("query", "key", "value")):
                rows = slice(i * width, (i + 1) * width)
                self.qkv.weight[rows] = tensor(weights[f"{attention}{name}_kernel"]).T
                self.qkv.bias[rows] = tensor(weights[f"{attention}{name}_bias"])
            self.out.weight.copy_(tensor(weights[attention + "output_kernel"]).T)
            self.out.bias.copy_(tensor(weights[attention + "output_bias"]))
        self.up, self.down = linear(weights, second + "dense"), linear(weights, second + "dense_1")

    def forward(self, x):
        batch, time, width = x.shape
        q, k, v = (part.view(batch, time, self.heads, -1).transpose(1, 2)
                   for part in self.qkv(self.norm_1(x)).split(width, 2))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(y.transpose(1, 2).reshape(batch, time, width))
        return x + self.down(F.gelu(self.up(self.norm_2(x)), approximate="tanh"))


class Gpt(nn.Module):
    def __init__(self, sizes, weights):
        super().__init__()
        self.words = nn.Embedding.from_pretrained(tensor(weights["embedding/table"]), freeze=False)
        self.positions = nn.Parameter(tensor(weights["learned_positions/table"]))
        self.blocks = nn.Sequential(*[Block(sizes, weights, i) for i in range(sizes["layers"])])
        self.norm = layer_norm(weights, "layer_norm")

    def forward(self, ids):
        h = self.words(ids) + self.positions[: ids.shape[1]]
        return F.linear(self.norm(self.blocks(h)), self.words.weight)


NETWORKS = {"mlp": mlp, "resnet": ResNet20, "lstm": CharLstm, "gpt": Gpt}


def network(workload, weights):
    return NETWORKS[workload.network](workload.sizes, weights)


def loss(workload, logits, y):
    if workload.loss == "binary":
        return F.binary_cross_entropy_with_logits(logits.squeeze(-1), y)
    return F.cross_entropy(logits.flatten(0, -2), y.flatten())
