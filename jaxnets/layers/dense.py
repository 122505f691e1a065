"""Affine maps, with every default spelled."""

from flax import nnx

from jaxnets.layers.initial import initializers, orthogonal


def dense(in_features: int, out_features: int, *, bias: bool = True, init: str, rngs: nnx.Rngs) -> nnx.Linear:
    """Affine map (…, in) → (…, out); kernel (in, out)."""
    kernel_init, bias_init = initializers(init, in_features)
    return nnx.Linear(in_features, out_features, use_bias=bias, kernel_init=kernel_init, bias_init=bias_init, rngs=rngs)


def orthogonal_dense(in_features: int, out_features: int, *, gain: float, init: str, rngs: nnx.Rngs) -> nnx.Linear:
    """Affine map (…, in) → (…, out), as PPO's implementations begin it with init "ppo".

    The kernel's rows or columns, whichever are fewer, are orthogonal and of norm `gain` then, and the bias is 0.
    All other words are as of `dense`. Source: https://arxiv.org/abs/1312.6120.
    """
    layer = dense(in_features, out_features, init="default" if init == "ppo" else init, rngs=rngs)
    if init == "ppo":
        shape = (in_features, out_features)
        layer.kernel = nnx.Param(nnx.initializers.orthogonal(scale=gain)(rngs.params(), shape))
        layer.bias = nnx.Param(nnx.initializers.zeros(rngs.params(), (out_features,)))
    return layer


def recurrent(hidden_size: int, *, gates: int, init: str, rngs: nnx.Rngs) -> nnx.Linear:
    """Affine map of a hidden state (B, H) → (B, gates·H); kernel (H, gates·H).

    With init "orthogonal" the kernel of each gate is a random orthogonal matrix and the bias is 0, so that the state
    keeps its norm where tanh is nearly linear.
    """
    if init == "orthogonal":
        kernel_init, bias_init = orthogonal, nnx.initializers.zeros
    else:
        kernel_init, bias_init = initializers(init, hidden_size)
    return nnx.Linear(
        hidden_size,
        gates * hidden_size,
        use_bias=True,
        kernel_init=kernel_init,
        bias_init=bias_init,
        rngs=rngs,
    )
