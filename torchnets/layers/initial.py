"""Initial parameters of the twins."""

import math

import torch
from torch import nn

Generator = torch.Generator | None


def uniform(shape: tuple[int, ...], bound: float, generator: Generator) -> nn.Parameter:
    """Parameter drawn from U(−bound, bound)."""
    return nn.Parameter((2 * torch.rand(shape, generator=generator) - 1) * bound)


def initialize(layer: nn.Linear | nn.Conv2d | nn.ConvTranspose2d, init: str, fan_in: int, generator: Generator) -> None:
    """Draw the weight and bias of a dense or convolutional layer.

    Args:
        layer: its parameters are replaced.
        init: "default" draws weight and bias from U(−1/√fan_in, 1/√fan_in), as `torch.nn.Linear` and `Conv2d` do.
            "randn" draws the weight from N(0, 0.1²) and sets the bias to 0, as the study's NumPy network does.
            "orthogonal" is "default" but for what `recurrent` makes; a network without any is the same in both.
            "normal" draws the weight from N(0, 0.02²) and sets the bias to 0, as GPT-2, BERT and Llama do. "he" draws
            the weight from N(0, 2/fan_in), which keeps the variance through ReLUs, and sets the bias to 0. "xavier"
            draws the weight from U(−b, b), b = √(6/(fan_in + fan_out)), and sets the bias to 0, as DDPM and DiT do;
            "zero" sets both to 0.
        fan_in: inputs that one output sees.
        generator: source of randomness; None is PyTorch's global one.

    Raises:
        ValueError: `init` is none of them.
    """
    layer.weight = kernel(tuple(layer.weight.shape), init, fan_in, generator)
    if layer.bias is not None:
        width = tuple(layer.bias.shape)
        flat = init not in ("default", "orthogonal")
        layer.bias = nn.Parameter(torch.zeros(width)) if flat else uniform(width, fan_in**-0.5, generator)


def kernel(shape: tuple[int, ...], init: str, fan_in: int, generator: Generator) -> nn.Parameter:
    """The weight of a layer of any shape; see `initialize`."""
    if init in ("default", "orthogonal"):
        return uniform(shape, fan_in**-0.5, generator)
    if init in ("randn", "normal", "he"):
        spread = (2 / fan_in) ** 0.5 if init == "he" else deviation(init)
        return nn.Parameter(spread * torch.randn(shape, generator=generator))
    if init == "xavier":
        return uniform(shape, (6 / (fan_in + shape[0] * math.prod(shape[2:]))) ** 0.5, generator)
    if init == "zero":
        return nn.Parameter(torch.zeros(shape))
    raise ValueError(f"init is {init!r}; expected 'default', 'randn', 'orthogonal', 'normal', 'he', 'xavier' or 'zero'")


def ending(init: str) -> str:
    """The initial distribution of a layer that ends a branch: "zero" in a network of "xavier", else the network's."""
    return "zero" if init == "xavier" else init


def stack(shape: tuple[int, int, int], *, init: str, generator: Generator) -> nn.Parameter:
    """Kernels (in, out) of dense layers without biases, stacked: (E, in, out); each is drawn as `initialize` says.

    Differs from the weight of `torch.nn.Linear`, (out, in).
    """
    count, inputs, outputs = shape
    kernels = [kernel((outputs, inputs), init, inputs, generator).detach().T for _ in range(count)]
    return nn.Parameter(torch.stack(kernels))


def table(shape: tuple[int, ...], *, init: str, generator: Generator) -> nn.Parameter:
    """Parameter of any shape that no layer holds: rows that are looked up, or added to every example.

    Args:
        shape: shape of the array.
        init: "normal" and "xavier" draw from N(0, 0.02²), "randn" from N(0, 0.1²), all others from N(0, 1), as
            `torch.nn.Embedding` does.
        generator: source of the numbers; None is PyTorch's global one.
    """
    return nn.Parameter(deviation(init) * torch.randn(shape, generator=generator))


def embedding(rows: int, features: int, *, init: str, generator: Generator) -> nn.Embedding:
    """Rows that are looked up, (B, …) whole numbers → (B, …, features); drawn as `table` says."""
    layer = nn.utils.skip_init(nn.Embedding, rows, features, padding_idx=None, max_norm=None)
    layer.weight = table((rows, features), init=init, generator=generator)
    return layer


def deviation(init: str) -> float:
    """Standard deviation of the entries of a table."""
    return {"normal": 0.02, "xavier": 0.02, "randn": 0.1}.get(init, 1.0)


def orthogonal(shape: tuple[int, int], generator: Generator) -> nn.Parameter:
    """Parameter (k·H, H) whose k blocks (H, H) are orthogonal matrices, each uniform among all of them.

    The QR decomposition of a normal matrix is uniform (Haar) once R's diagonal is made positive. Source: Saxe et al.,
    https://arxiv.org/abs/1312.6120; Mezzadri, https://arxiv.org/abs/math-ph/0609050. Differs from
    `torch.nn.init.orthogonal_`, which draws one matrix with orthonormal columns whatever its blocks are.
    """
    height, size = shape
    q, r = torch.linalg.qr(torch.randn((height // size, size, size), generator=generator))
    q = q * r.diagonal(dim1=1, dim2=2).sign()[:, None, :]
    return nn.Parameter(q.reshape(shape))


def semi_orthogonal(shape: tuple[int, int], gain: float, generator: Generator) -> nn.Parameter:
    """Parameter whose rows or columns, whichever are fewer, are orthogonal and of norm `gain`; uniform among all such.

    The function of `torch.nn.init.orthogonal_`, which writes into its argument. Source: as of `orthogonal`.
    """
    q, r = torch.linalg.qr(torch.randn((max(shape), min(shape)), generator=generator))
    q = gain * q * r.diagonal().sign()
    return nn.Parameter((q if shape[0] >= shape[1] else q.T).contiguous())
