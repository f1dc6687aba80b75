#!/usr/bin/env python3
"""Writes transfer/*.safetensors and transfer_samples.json: weights as PyTorch and Hugging Face write
them, inputs, and the logits of their own networks.

    python3 -m pip install torch torchvision safetensors transformers && python3 make_transfer_samples.py

The networks are torchvision's and Hugging Face's, narrow. Weights are f16 or bf16 where the name of
the file says so; the logits are of the numbers that were written, in f64.
"""
import json
import os

import torch
from safetensors.torch import save_file
from torchvision.models.mobilenetv2 import MobileNetV2
from torchvision.models.resnet import BasicBlock, Bottleneck, ResNet
from torchvision.models.vision_transformer import VisionTransformer
from transformers import BertConfig, BertForMaskedLM, GPT2Config, GPT2LMHeadModel

HERE = os.path.dirname(os.path.abspath(__file__))
records, inputs = [], {}


def narrow_resnet(block, layers, width, classes):
    """A torchvision ResNet with `width` filters in its first stage instead of 64."""
    network = ResNet(block, layers, num_classes=classes)
    network.inplanes = width
    network.conv1 = torch.nn.Conv2d(3, width, 7, 2, 3, bias=False)
    network.bn1 = torch.nn.BatchNorm2d(width)
    for stage in range(4):
        name = f"layer{stage + 1}"
        setattr(network, name, network._make_layer(block, width << stage, layers[stage], 1 if stage == 0 else 2))
    network.fc = torch.nn.Linear((width << 3) * block.expansion, classes)
    return network


def randomize(network, seed):
    generator = torch.Generator().manual_seed(seed)
    for name, tensor in list(network.named_parameters()) + list(network.named_buffers()):
        if not tensor.is_floating_point():
            continue
        noise = torch.randn(tensor.shape, generator=generator)
        if name.endswith("running_var"):
            tensor.data = 0.5 + noise.abs()
        elif tensor.dim() == 1:
            tensor.data = (1.0 if "weight" in name else 0.0) + 0.1 * noise
        else:
            tensor.data = noise * (1.5 / max(1, tensor[0].numel())) ** 0.5


def numbers(x):
    kinds = {torch.float32: "f32", torch.float64: "f64", torch.int32: "i32"}
    return {"type": kinds[x.dtype], "shape": list(x.shape), "data": x.flatten().tolist()}


def record(name, model, map_name, network, x, apply, kind=torch.float32, rename=lambda n: n):
    tensors = {}
    for key, tensor in network.state_dict().items():
        if tensor.is_floating_point():
            tensor.copy_(tensor.to(kind).to(tensor.dtype))
        tensors[rename(key)] = (tensor.to(kind) if tensor.is_floating_point() else tensor).clone().contiguous()
    os.makedirs(f"{HERE}/transfer", exist_ok=True)
    save_file(tensors, f"{HERE}/transfer/{name}.safetensors")
    network.double().eval()
    with torch.no_grad():
        y = apply(network, x.double() if x.is_floating_point() else x)
    what = "pictures" if x.is_floating_point() else "ids"
    inputs[what] = numbers(x)
    records.append({"file": f"{name}.safetensors", "model": model, "map": map_name, "x": what, "y": numbers(y)})


def image(network, x):
    return network(x.permute(0, 3, 1, 2))


torch.manual_seed(1)
pictures = torch.rand(2, 32, 32, 3).mul(64).round().div(64)
for name, model, block, layers, width, kind in (
        ("resnet_basic", "resnet18:blocks=1/2/1/1:width=2", BasicBlock, [1, 2, 1, 1], 2, torch.float32),
        ("resnet_bottleneck_f16", "resnet50:blocks=1/2/1/1:width=2", Bottleneck, [1, 2, 1, 1], 2, torch.float16)):
    network = narrow_resnet(block, layers, width, 5)
    randomize(network, 2)
    record(name, model, "torchvision-resnet", network, pictures, image, kind)

network = MobileNetV2(num_classes=5, width_mult=0.1, dropout=0.0,
                      inverted_residual_setting=[[1, 16, 1, 1], [6, 24, 2, 2]])
# A short one: the last layer is 1280 wide in both.
randomize(network, 3)
record("mobilenet_bf16", "mobilenet-v2:width=0.1:stages=2", "torchvision-mobilenet-v2", network, pictures, image,
       torch.bfloat16)

network = VisionTransformer(image_size=32, patch_size=16, num_layers=2, num_heads=2, hidden_dim=8, mlp_dim=12,
                            num_classes=5)
randomize(network, 4)
record("vit", "vit:patch=16:width=8:layers=2:heads=2:hidden=12", "torchvision-vit", network, pictures, image)

ids = torch.randint(1, 20, (2, 6), dtype=torch.int32)
network = GPT2LMHeadModel(GPT2Config(vocab_size=20, n_positions=8, n_embd=8, n_layer=2, n_head=2,
                                     resid_pdrop=0, embd_pdrop=0, attn_pdrop=0))
randomize(network, 5)
network.tie_weights()
record("gpt2", "gpt:layers=2:heads=2:width=8:context=8", "huggingface-gpt2", network, ids,
       lambda n, x: n(x.long()).logits)

network = BertForMaskedLM(BertConfig(vocab_size=20, hidden_size=8, num_hidden_layers=2, num_attention_heads=2,
                                     intermediate_size=12, max_position_embeddings=8,
                                     hidden_dropout_prob=0, attention_probs_dropout_prob=0))
randomize(network, 6)
network.tie_weights()
record("bert", "bert:masks=0:layers=2:heads=2:width=8:hidden=12:context=8", "huggingface-bert", network, ids,
       lambda n, x: n(x.long()).logits)

path = f"{HERE}/transfer_samples.json"
with open(path, "w") as file:
    json.dump({"inputs": inputs, "networks": records}, file, separators=(",", ":"))
    file.write("\n")
print(path, os.path.getsize(path), "bytes;",
      {f: os.path.getsize(f"{HERE}/transfer/{f}") for f in sorted(os.listdir(f"{HERE}/transfer"))})
