"""A drawn pair as one source file, which `parity check FILE:pair` and `parity repair FILE:pair` read."""

from benchmarks.evidence.drawn.mutate import Mutant
from benchmarks.evidence.drawn.network import VOCABULARY, Network
from benchmarks.evidence.drawn.text import flax, torch

ACCEPTED = "running_var_bias"


def source_of(network: Network, mutant: Mutant | None = None) -> str:
    """The source of both sides, the inputs and the options; a bug is in the text of its side."""
    sides = {side: mutant.network if mutant and mutant.side == side else network for side in ("flax", "torch")}
    return "\n".join(
        [
            f"import numpy as np\n{flax.IMPORTS}{torch.IMPORTS}\nimport parity\n\n",
            f"{flax.written(sides['flax'])}\n",
            f"{torch.written(sides['torch'])}\n",
            _pair(network),
        ]
    )


def _pair(network: Network) -> str:
    """The function that gives the pair; its inputs are those by which a drawn network is judged."""
    shape = (network.batch, *network.shape)
    if network.blocks[0].kind == "embedding":
        x = f"rng.integers(0, {VOCABULARY}, {shape})"
    else:
        x = f'rng.standard_normal({shape}).astype("float32")'
    options = f'"checks": parity.Checks(accept=("{ACCEPTED}",), probes=False)'
    if len(network.shape) == 3:
        options = f'"to_torch": "NHWC->NCHW", {options}'
    time = network.shape[0]
    mask = [f'    mask = (rng.integers(1, {time}, ({network.batch}, 1)) > np.arange({time})).astype("{network.mask}")']
    lines = [
        "def pair():",
        "    rng = np.random.default_rng(1)",
        f"    x = {x}",
        *(mask if network.mask else ()),
        f"    return FlaxNet(nnx.Rngs(0)), TorchNet(), {'(x, mask)' if network.mask else 'x'}, {{{options}}}",
    ]
    return "\n".join(lines) + "\n"
