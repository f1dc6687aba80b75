"""The networks for images and sounds of tenon/models in PyTorch, from Tenon's weights by their names.

Each takes the weights (name -> tensor) and samples [batch, ...] as Tenon's model sees them, and gives
predictions in the same shape. Inside, images are channels first.
"""
import torch
import torch.nn.functional as F

from pytorch_language_models import Part, attention, dense, layer_norm

MOMENTUM = 0.1


def first(x):
    """[batch, height, width(, channels)] -> [batch, channels, height, width]."""
    return x[:, None] if x.dim() == 3 else x.permute(0, 3, 1, 2)


def last(x):
    return x.permute(0, 2, 3, 1)


def convolved(part, x, kind="conv2d", stride=1, padding=0, groups=1):
    kernel, bias = part.layer(kind, "kernel", "bias")
    return F.conv2d(x, kernel.permute(3, 2, 0, 1), bias, stride, padding, 1, groups)


def transposed(part, x, stride):
    kernel, bias = part.layer("conv2d_transpose", "kernel", "bias")
    return F.conv_transpose2d(x, kernel.permute(2, 3, 0, 1), bias, stride)


def normalized(part, x):
    """Batch norm in training; moves the running statistics in place."""
    scale, offset, mean, variance = part.layer("batch_norm", "scale", "offset", "mean", "variance")
    return F.batch_norm(x, mean, variance, scale, offset, True, MOMENTUM, 1e-5)


def conv_norm(part, x, size=3, stride=1, activation=F.relu, depthwise=False):
    kind, groups = ("depthwise_conv2d", x.shape[1]) if depthwise else ("conv2d", 1)
    y = normalized(part, convolved(part, x, kind, stride, size // 2, groups))
    return activation(y) if activation else y


def mlp(weights, x, layers=3):
    model, h = Part(weights), x.flatten(1)
    for i in range(layers):
        h = dense(model, h)
        if i + 1 < layers:
            h = F.relu(h)
    return h


def lenet(weights, x, layers=3):
    model = Part(weights)
    h = F.max_pool2d(F.relu(convolved(model, first(x), padding=2)), 2)
    h = F.max_pool2d(F.relu(convolved(model, h)), 2)
    h = last(h).flatten(1)
    for i in range(layers):
        h = dense(model, h)
        if i + 1 < layers:
            h = F.relu(h)
    return h


def residual(model, x, stride, bottleneck, projected):
    block = model.part("residual")
    body = block.part("sequential")
    if bottleneck:
        h = conv_norm(body, x, 1)
        h = conv_norm(body, h, 3, stride)
        h = conv_norm(body, h, 1, activation=None)
    else:
        h = conv_norm(body, x, 3, stride)
        h = conv_norm(body, h, 3, activation=None)
    shortcut, side = x, block.part("sequential")
    if stride > 1 or x.shape[1] != h.shape[1]:
        if projected:
            shortcut = conv_norm(side, x, 1, stride, None)
        else:
            shortcut = F.pad(x[:, :, ::stride, ::stride], (0, 0, 0, 0, 0, h.shape[1] - x.shape[1]))
    return F.relu(shortcut + h)


def stages(model, h, blocks, bottleneck, projected):
    for stage, count in enumerate(blocks):
        for i in range(count):
            h = residual(model, h, 2 if stage > 0 and i == 0 else 1, bottleneck, projected)
    return dense(model, h.mean((2, 3)))


def small_resnet(weights, x, blocks, projected=False):
    model = Part(weights)
    return stages(model, conv_norm(model, first(x)), [blocks] * 3, False, projected)


def resnet(weights, x, blocks, bottleneck, small=False):
    model = Part(weights)
    if small:
        h = conv_norm(model, first(x))
    else:
        h = F.max_pool2d(conv_norm(model, first(x), 7, 2), 3, 2, 1)
    return stages(model, h, blocks, bottleneck, True)


def mobilenet_v2(weights, x, stages, blocks, small):
    """`stages`: (expansion, channels, blocks, stride), as many as there are."""
    model = Part(weights)
    h = conv_norm(model, first(x), 3, 1 if small else 2, F.relu6)
    for number, (expansion, channels, count, stride) in enumerate(stages):
        for i in range(min(count, blocks)):
            step = stride if i == 0 and not (small and number == 1) else 1
            has_shortcut = step == 1 and h.shape[1] == channels
            body = model.part("residual", "sequential") if has_shortcut else model.part("sequential")
            y = h
            if expansion != 1:
                y = conv_norm(body, y, 1, 1, F.relu6)
            y = conv_norm(body, y, 3, step, F.relu6, depthwise=True)
            y = conv_norm(body, y, 1, 1, None)
            h = h + y if has_shortcut else y
    h = conv_norm(model, h, 1, 1, F.relu6)
    return dense(model, h.mean((2, 3)))


def unet_level(part, x, levels):
    h = conv_norm(part, conv_norm(part, x))
    if levels == 0:
        return h
    inside = part.part("skip_concat", "sequential")
    y = unet_level(inside, F.max_pool2d(h, 2), levels - 1)
    h = torch.cat([h, transposed(inside, y, 2)], 1)
    return conv_norm(part, conv_norm(part, h))


def unet(weights, x, depth):
    model = Part(weights)
    return last(convolved(model, unet_level(model, first(x), depth)))


def vit(weights, x, patch, layers, heads, class_token=True):
    model = Part(weights)
    h = convolved(model, first(x), stride=patch).flatten(2).transpose(1, 2)
    if class_token:
        token, = model.layer("class_token", "token")
        h = torch.cat([token.expand(len(h), 1, -1), h], 1)
    table, = model.layer("learned_positions", "table")
    h = h + table
    for _ in range(layers):
        branch = model.part("residual", "sequential")
        h = h + attention(branch, layer_norm(branch, h, 1e-6), heads, False)
        branch = model.part("residual", "sequential")
        h = h + dense(branch, F.gelu(dense(branch, layer_norm(branch, h, 1e-6))))
    h = layer_norm(model, h, 1e-6)
    return dense(model, h[:, 0] if class_token else h.mean(1))


def autoencoder(weights, x, layers):
    model, h = Part(weights), x.flatten(1)
    for i in range(1, layers + 1):
        h = dense(model, h)
        if i not in (layers // 2, layers):  # the code and the output are linear
            h = F.relu(h)
    return h.reshape(x.shape)


def conv_autoencoder(weights, x, layers):
    model, h = Part(weights), first(x)
    for _ in range(layers):
        h = F.relu(convolved(model, F.pad(h, (0, 1, 0, 1)), stride=2))  # the odd pixel after
    for i in range(layers):
        extent = 2 * h.shape[2], 2 * h.shape[3]
        h = transposed(model, h, 2)[:, :, :extent[0], :extent[1]]
        if i + 1 < layers:
            h = F.relu(h)
    return h[:, 0] if x.dim() == 3 else last(h)


def vae(weights, x, hidden, beta=1.0):
    """Without noise: the prediction, and what the divergence adds to the loss."""
    model, h = Part(weights), x.flatten(1)
    for _ in range(hidden):
        h = F.relu(dense(model, h))
    mean, log_variance = dense(model, h).chunk(2, 1)
    divergence = -0.5 * (1 + log_variance - mean**2 - log_variance.exp()).sum(1).mean()
    h = mean
    for _ in range(hidden):
        h = F.relu(dense(model, h))
    return dense(model, h).reshape(x.shape), beta / x[0].numel() * divergence


def mel_filters(frequencies, bands, rate, dtype):
    """Triangles in the HTK mel scale, as torchaudio.functional.melscale_fbanks has them."""
    def mel(f):
        return 2595 * torch.log10(1 + f / 700)

    top = mel(torch.tensor(rate / 2, dtype=torch.float64))
    points = 700 * (10 ** (torch.linspace(0, 1, bands + 2, dtype=torch.float64) * top / 2595) - 1)
    f = torch.linspace(0, rate / 2, frequencies, dtype=torch.float64)[:, None]
    rising = (f - points[:-2]) / (points[1:-1] - points[:-2])
    falling = (points[2:] - f) / (points[2:] - points[1:-1])
    return torch.minimum(rising, falling).clamp(min=0).to(dtype)


def log_mel(x, rate, bands, fft, hop, window, floor=1e-6):
    """Frames of `fft` samples with the window in the middle, without padding."""
    spectrum = torch.stft(x, fft, hop, window, torch.hann_window(window, dtype=x.dtype), center=False,
                          return_complex=True)
    power = spectrum.abs() ** 2
    return torch.log((power.transpose(1, 2) @ mel_filters(fft // 2 + 1, bands, rate, x.dtype))
                     .clamp(min=floor))


def same(x, size, strides):
    """Zeros around images, so that ceil(extent / stride) windows fit, the odd one after."""
    amounts = []
    for extent, window, stride in zip(x.shape[2:], size, strides):
        total = max(0, (-(-extent // stride) - 1) * stride + window - extent)
        amounts = [total // 2, total - total // 2] + amounts
    return F.pad(x, amounts)


def speech_commands(weights, x, blocks, rate, bands, fft, hop, window):
    model = Part(weights)
    h = log_mel(x, rate, bands, fft, hop, window)
    h = normalized(model, h.transpose(1, 2)).transpose(1, 2)[:, None]
    h = F.relu(normalized(model, convolved(model, same(h, (10, 4), (2, 2)), stride=2)))
    for _ in range(blocks):
        h = conv_norm(model, h, 3, depthwise=True)
        h = conv_norm(model, h, 1)
    return dense(model, h.mean((2, 3)))
