"""The frameworks' own layers as blocks, each drawn for the shape of its input."""

from collections.abc import Callable
from math import gcd, prod

from benchmarks.evidence.drawn.network import ACTIVATIONS, RECURRENT, Block, Choose, Shape


def _activation(choose: Choose, shape: Shape, keeps: bool) -> tuple[Block, Shape]:
    del keeps
    return Block("activation", {"function": choose(ACTIVATIONS)}), shape


def _dense(choose: Choose, shape: Shape, keeps: bool) -> tuple[Block, Shape]:
    out = shape[-1] if keeps else choose((4, 3, 7))
    return Block("dense", {"in": shape[-1], "out": out, "bias": choose((True, False))}), (*shape[:-1], out)


def _layer_norm(choose: Choose, shape: Shape, keeps: bool) -> tuple[Block, Shape]:
    del keeps
    return Block("layer norm", {"features": shape[-1], "eps": choose((1e-5, 1e-6, 1e-3))}), shape


def _rms_norm(choose: Choose, shape: Shape, keeps: bool) -> tuple[Block, Shape]:
    del keeps
    return Block("rms norm", {"features": shape[-1], "eps": choose((1e-6, 1e-5))}), shape


def _batch_norm(choose: Choose, shape: Shape, keeps: bool) -> tuple[Block, Shape]:
    del keeps
    settings = {"features": shape[-1], "eps": choose((1e-5, 1e-3)), "keep": choose((0.9, 0.99))}
    return Block("batch norm", {**settings, "affine": choose((True, False))}), shape


def _group_norm(choose: Choose, shape: Shape, keeps: bool) -> tuple[Block, Shape]:
    del keeps
    groups = choose([n for n in (1, 2, 4, shape[-1]) if shape[-1] % n == 0])
    settings = {"features": shape[-1], "groups": groups, "eps": choose((1e-5, 1e-6)), "places": prod(shape[:-1])}
    return Block("group norm", settings), shape


def _conv(choose: Choose, shape: Shape, keeps: bool) -> tuple[Block, Shape]:
    """Draw a convolution, whose kernel may have unequal sides, with stride, padding, dilation and groups."""
    height, width, channels = shape
    if keeps:
        kernel, stride, dilation, padding, out = (k := choose((3, 1)), k), 1, 1, k // 2, channels
    else:
        kernel = (choose((3, 1, 2)), choose((3, 2, 1)))
        stride, dilation, padding = choose((1, 2)), choose((1, 2)), choose((1, 0))
        out = choose((4, 6, 2))
    size = [_after(n, k, stride, padding, dilation) for n, k in zip((height, width), kernel, strict=True)]
    if min(size) < 1:  # too large a window
        return _dense(choose, shape, keeps)
    groups = choose([n for n in (1, 2, channels) if gcd(channels, out) % n == 0])
    settings = {
        "in": channels, "out": out, "kernel": kernel, "stride": stride, "padding": padding, "dilation": dilation,
        "groups": groups, "bias": choose((True, False)),
    }  # fmt: skip
    return Block("conv", settings), (*size, out)


def _transposed(choose: Choose, shape: Shape, keeps: bool) -> tuple[Block, Shape]:
    del keeps
    height, width, channels = shape
    kernel, stride = (choose((3, 2)), choose((2, 3))), choose((2, 1))
    padding, more = choose((0, 1)), choose((0, 1)) if stride == 2 else 0
    size = [(n - 1) * stride + k - 2 * padding + more for n, k in zip((height, width), kernel, strict=True)]
    if min(size) < 1:
        return _dense(choose, shape, False)
    settings = {
        "in": channels, "out": (out := choose((4, 3))), "kernel": kernel, "stride": stride, "padding": padding,
        "more": more, "bias": choose((True, False)),
    }  # fmt: skip
    return Block("transposed conv", settings), (*size, out)


def _pool(choose: Choose, shape: Shape, keeps: bool) -> tuple[Block, Shape]:
    del keeps
    kind, window, stride = choose(("max", "mean")), choose((2, 3)), choose((2, 1))
    padding = choose((0, 1))
    size = [_after(n, window, stride, padding, 1) for n in shape[:2]]
    if min(size) < 1:
        return _activation(choose, shape, True)
    settings = {"window": window, "stride": stride, "padding": padding, "inner": choose((False, True))}
    return Block(f"{kind} pool", settings), (*size, shape[-1])


def _resize(choose: Choose, shape: Shape, keeps: bool) -> tuple[Block, Shape]:
    del keeps
    size = (2 * shape[0], choose((2, 3)) * shape[1])
    return Block("resize", {"size": size, "method": choose(("bilinear", "nearest"))}), (*size, shape[-1])


def _flatten(choose: Choose, shape: Shape, keeps: bool) -> tuple[Block, Shape]:
    del choose, keeps
    return Block("flatten", {"shape": shape}), (prod(shape),)


def _mean(choose: Choose, shape: Shape, keeps: bool) -> tuple[Block, Shape]:
    del choose, keeps
    return Block("mean"), shape[-1:]


def _attention(choose: Choose, shape: Shape, keeps: bool) -> tuple[Block, Shape]:
    features = shape[-1]
    heads = [n for n in (2, 1, 3) if features % n == 0]
    return Block("attention", {"features": features, "heads": choose(heads)}), shape


def _recurrent(choose: Choose, shape: Shape, keeps: bool) -> tuple[Block, Shape]:
    out = shape[-1] if keeps else choose((5, 3))
    return Block(choose(RECURRENT), {"in": shape[-1], "out": out}), (shape[0], out)


def _after(size: int, window: int, stride: int, padding: int, dilation: int) -> int:
    return (size + 2 * padding - dilation * (window - 1) - 1) // stride + 1


MAKERS: dict[str, Callable[[Choose, Shape, bool], tuple[Block, Shape]]] = {
    "activation": _activation,
    "dense": _dense,
    "layer norm": _layer_norm,
    "rms norm": _rms_norm,
    "batch norm": _batch_norm,
    "group norm": _group_norm,
    "conv": _conv,
    "transposed conv": _transposed,
    "pool": _pool,
    "resize": _resize,
    "flatten": _flatten,
    "mean": _mean,
    "attention": _attention,
    "recurrent": _recurrent,
}
