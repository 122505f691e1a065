"""Scripts that show a difference on one recurrent layer, attention or embedding alone."""

from parity.pair.weightmap.pairing.pairings import LayerPairing

ACTIVATIONS = frozenset({"sigmoid", "hard_sigmoid", "tanh", "hard_tanh", "relu", "soft_sign", "silu", "gelu", "elu"})
"""Functions of `jax.nn` that a script can name."""
CELLS = {"lstm": ("OptimizedLSTMCell", "LSTM"), "gru": ("GRUCell", "GRU"), "rnn": ("SimpleCell", "RNN")}
COPIED = """cell = flax_layer.cell
own = {name: array.detach().numpy() for name, array in torch_layer.named_parameters()}
cell.dense_i.kernel[...] = jnp.asarray(own["weight_ih_l0"].T)
cell.dense_h.kernel[...] = jnp.asarray(own["weight_hh_l0"].T)
"""
CALLED = """y = np.asarray(flax_layer(jnp.asarray(x)))
t = torch_layer(torch.tensor(x))[0].detach().numpy()
"""


def recurrent(layer: LayerPairing) -> str:
    """The lines between the input and the comparison; "" where the cells are declared alike, or a function of theirs
    has no name: then it is something else that differs."""
    flax, torch = layer.flax.settings, layer.torch.settings
    gate, activation = flax.get("gate", ""), flax.get("activation", "")
    apart = bool(gate) or activation != torch.get("activation", "")
    if not apart or not {gate, activation} - {""} <= ACTIVATIONS:
        return ""
    kernel = next((array for array in layer.arrays if array.role == "input_kernel"), None)
    if kernel is None:
        return ""
    (cell, module), sizes = CELLS[layer.torch.kind], f"{kernel.shape[0]}, {torch['features']}"
    functions = f"gate_fn=jax.nn.{gate}, " if gate else ""
    functions += f"activation_fn=jax.nn.{activation}, " if activation else ""
    other = f", nonlinearity={torch['activation']!r}" if "activation" in torch else ""
    return (
        f"cell = nnx.{cell}({sizes}, {functions}dtype=jnp.float64, param_dtype=jnp.float64,\n"
        f"    rngs=nnx.Rngs(0))\n"
        f"flax_layer = nnx.RNN(cell)\n"
        f"torch_layer = torch.nn.{module}({sizes}, batch_first=True{other}).double()\n{COPIED}{_bias(layer.torch.kind)}"
        f"{CALLED}"
    )


def _bias(kind: str) -> str:
    """Flax holds the sum of PyTorch's two; of a GRU's second, which it does not have, nothing is left."""
    if kind == "lstm":
        return 'cell.dense_h.bias[...] = jnp.asarray(own["bias_ih_l0"] + own["bias_hh_l0"])\n'
    last = "torch_layer.bias_hh_l0.data.zero_()\n" if kind == "gru" else ""
    added = "" if kind == "gru" else ' + own["bias_hh_l0"]'
    return f'{last}cell.dense_i.bias[...] = jnp.asarray(own["bias_ih_l0"]{added})\n'


def attention(layer: LayerPairing) -> str:
    """The lines; "" where both have as many heads: then it is something else that differs."""
    heads = layer.flax.settings.get("heads"), layer.torch.settings.get("heads")
    kernel = next((array for array in layer.arrays if array.role == "kernel"), None)
    if None in heads or heads[0] == heads[1] or kernel is None:
        return ""
    size = kernel.shape[0]
    return (
        f"# without a rate, though nothing is dropped, Flax's softmax is in float32\n"
        f"flax_layer = nnx.MultiHeadAttention(num_heads={heads[0]}, in_features={size}, decode=False,\n"
        f"    dropout_rate=0.5, deterministic=True, param_dtype=jnp.float64, rngs=nnx.Rngs(0))\n"
        f"torch_layer = torch.nn.MultiheadAttention({size}, {heads[1]}, batch_first=True).double()\n"
        f"kernels = np.split(torch_layer.in_proj_weight.detach().numpy(), 3)\n"
        f"parts = flax_layer.query, flax_layer.key, flax_layer.value, flax_layer.out\n"
        f"for part, kernel in zip(parts, [*kernels, torch_layer.out_proj.weight.detach().numpy()]):\n"
        f"    part.kernel[...] = jnp.asarray(kernel.T.reshape(part.kernel.shape))  # both begin with zeros as biases\n"
        f"y = np.asarray(flax_layer(jnp.asarray(x)))\n"
        f"t = torch_layer(*[torch.tensor(x)] * 3)[0].detach().numpy()\n"
    )


def embedding(layer: LayerPairing) -> str:
    """The lines, of the gradient of the table; "" where no row of PyTorch's is without one."""
    row = layer.torch.settings.get("padding_idx")
    table = next((array for array in layer.arrays if array.role == "table"), None)
    if row is None or table is None:
        return ""
    sizes = f"{table.shape[0]}, {table.shape[1]}"
    return (
        f"tokens = np.arange({table.shape[0]})\n"
        f"flax_layer = nnx.Embed({sizes}, param_dtype=jnp.float64, rngs=nnx.Rngs(0))\n"
        f"torch_layer = torch.nn.Embedding({sizes}, padding_idx={row}).double()\n"
        "gradients = nnx.grad(lambda layer: (layer(jnp.asarray(tokens)) * x).sum())(flax_layer)\n"
        "(torch_layer(torch.tensor(tokens)) * torch.tensor(x)).sum().backward()\n"
        "y, t = np.asarray(gradients.embedding[...]), torch_layer.weight.grad.numpy()\n"
    )
