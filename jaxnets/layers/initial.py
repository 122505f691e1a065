"""Initialisers of the twins."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from flax import nnx

Initializer = Callable[..., jax.Array]


def uniform(bound: float) -> Initializer:
    """Initialiser U(−bound, bound)."""

    def init(key: jax.Array, shape: tuple[int, ...], dtype: jnp.dtype = jnp.float32) -> jax.Array:
        return jax.random.uniform(key, shape, dtype, -bound, bound)

    return init


def initializers(init: str, fan_in: int) -> tuple[Initializer, Initializer]:
    """Initialisers (kernel, bias) of a dense or convolutional layer.

    Args:
        init: "default" draws kernel and bias from U(−1/√fan_in, 1/√fan_in), as `torch.nn.Linear` and `Conv2d` do
            (differs from Flax's default, LeCun normal and zeros). "randn" draws the kernel from N(0, 0.1²) and
            sets the bias to 0, as the study's NumPy network does. "orthogonal" is "default" but for what
            `recurrent` makes; a network without any is the same in both. "normal" draws the kernel from N(0, 0.02²)
            and sets the bias to 0, as GPT-2, BERT and Llama do. "he" draws the kernel from N(0, 2/fan_in), which keeps
            the variance through ReLUs, and sets the bias to 0. "xavier" draws the kernel from
            U(−b, b), b = √(6/(fan_in + fan_out)), and sets the bias to 0, as DDPM and DiT do; "zero" sets both to 0.
        fan_in: inputs that one output sees.

    Raises:
        ValueError: `init` is none of them.
    """
    if init in ("default", "orthogonal"):
        return uniform(fan_in**-0.5), uniform(fan_in**-0.5)
    if init == "randn":
        return nnx.initializers.normal(0.1), nnx.initializers.zeros
    if init == "normal":
        return nnx.initializers.normal(0.02), nnx.initializers.zeros
    if init == "he":
        return nnx.initializers.normal((2 / fan_in) ** 0.5), nnx.initializers.zeros
    if init == "xavier":
        return nnx.initializers.xavier_uniform(), nnx.initializers.zeros
    if init == "zero":
        return nnx.initializers.zeros, nnx.initializers.zeros
    raise ValueError(f"init is {init!r}; expected 'default', 'randn', 'orthogonal', 'normal', 'he', 'xavier' or 'zero'")


def ending(init: str) -> str:
    """The initial distribution of a layer that ends a branch: "zero" in a network of "xavier", else the network's."""
    return "zero" if init == "xavier" else init


def table(shape: tuple[int, ...], *, init: str, rngs: nnx.Rngs) -> nnx.Param[jax.Array]:
    """Parameter of any shape that no layer holds: rows that are looked up, or added to every example.

    Args:
        shape: shape of the array.
        init: "normal" and "xavier" draw from N(0, 0.02²), "randn" from N(0, 0.1²), all others from N(0, 1), as
            `torch.nn.Embedding` does.
        rngs: source of the numbers.
    """
    return nnx.Param(nnx.initializers.normal(deviation(init))(rngs.params(), shape))


def stack(shape: tuple[int, int, int], *, init: str, rngs: nnx.Rngs) -> nnx.Param[jax.Array]:
    """Kernels (in, out) of dense layers without biases, stacked: (E, in, out); each is drawn as `initializers` says."""
    kernel_init, _ = initializers(init, shape[1])
    keys = jax.random.split(rngs.params(), shape[0])
    return nnx.Param(jax.vmap(lambda key: kernel_init(key, shape[1:]))(keys))


def embedding(rows: int, features: int, *, init: str, rngs: nnx.Rngs) -> nnx.Embed:
    """Rows that are looked up, (B, …) whole numbers → (B, …, features); drawn as `table` says.

    Differs from `nnx.Embed`, which gives rows of the dtype that its table had when it was made: here it is the dtype
    that the table has.
    """
    layer = nnx.Embed(rows, features, embedding_init=nnx.initializers.normal(deviation(init)), rngs=rngs)
    layer.dtype = None
    return layer


def deviation(init: str) -> float:
    """Standard deviation of the entries of a table."""
    return {"normal": 0.02, "xavier": 0.02, "randn": 0.1}.get(init, 1.0)


def orthogonal(key: jax.Array, shape: tuple[int, int], dtype: jnp.dtype = jnp.float32) -> jax.Array:
    """Initialiser of a kernel (H, k·H) whose k blocks (H, H) are orthogonal matrices, each uniform among all of them.

    The QR decomposition of a normal matrix is uniform (Haar) once R's diagonal is made positive. Source: Saxe et al.,
    https://arxiv.org/abs/1312.6120; Mezzadri, https://arxiv.org/abs/math-ph/0609050. Differs from
    `jax.nn.initializers.orthogonal`, which draws one matrix with orthonormal rows whatever its blocks are.
    """
    size, width = shape
    q, r = jnp.linalg.qr(jax.random.normal(key, (width // size, size, size), dtype))
    q = q * jnp.sign(jnp.diagonal(r, axis1=1, axis2=2))[:, None, :]
    return q.swapaxes(0, 1).reshape(shape)
