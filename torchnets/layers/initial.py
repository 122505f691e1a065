"""Initial parameters of the twins."""

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
            the weight from N(0, 2/fan_in), which keeps the variance through ReLUs, and sets the bias to 0.
        fan_in: inputs that one output sees.
        generator: source of randomness; None is PyTorch's global one.

    Raises:
        ValueError: `init` is none of them.
    """
    shape = tuple(layer.weight.shape)
    if init in ("default", "orthogonal"):
        layer.weight = uniform(shape, fan_in**-0.5, generator)
        if layer.bias is not None:
            layer.bias = uniform(tuple(layer.bias.shape), fan_in**-0.5, generator)
    elif init in ("randn", "normal", "he"):
        spread = (2 / fan_in) ** 0.5 if init == "he" else deviation(init)
        layer.weight = nn.Parameter(spread * torch.randn(shape, generator=generator))
        if layer.bias is not None:
            layer.bias = nn.Parameter(torch.zeros(layer.bias.shape))
    else:
        raise ValueError(f"init is {init!r}; expected 'default', 'randn', 'orthogonal', 'normal' or 'he'")


def table(shape: tuple[int, ...], *, init: str, generator: Generator) -> nn.Parameter:
    """Parameter of any shape that no layer holds: rows that are looked up, or added to every example.

    Args:
        shape: shape of the array.
        init: "normal" draws from N(0, 0.02²), "randn" from N(0, 0.1²), all others from N(0, 1), as
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
    return {"normal": 0.02, "randn": 0.1}.get(init, 1.0)


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
