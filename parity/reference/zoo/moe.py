"""The decoder with a mixture of experts by hand."""

from parity.reference.modules import Module
from parity.reference.zoo.layers.decoder import Decoder, DecoderBlock, GatedFeedForward
from parity.reference.zoo.layers.experts import RoutedFeedForward


class MoE(Decoder):
    """Tokens, decoder blocks, most of them with experts, a norm, and a head of its own.

    Its arguments are those of `jaxnets.MoE`, without `init` and `rngs`.

    Inputs are whole numbers (B, T); logits are (B, T, vocab_size).
    """

    def __init__(
        self,
        *,
        vocab_size: int = 102400,
        width: int = 2048,
        depth: int = 28,
        heads: int = 16,
        key_value_heads: int = 16,
        dense_blocks: int = 1,
        dense_hidden: int = 10944,
        experts: int = 64,
        experts_per_token: int = 6,
        hidden: int = 1408,
        shared_hidden: int = 2816,
        renormalize: bool = False,
        theta: float = 10000.0,
    ) -> None:
        blocks = []
        for place, path in enumerate(f"blocks.{i}" for i in range(depth)):
            mlp: Module = GatedFeedForward(f"{path}.mlp", width, dense_hidden)
            if place >= dense_blocks:
                mlp = RoutedFeedForward(
                    f"{path}.mlp",
                    width,
                    experts,
                    experts_per_token,
                    hidden,
                    shared_hidden=shared_hidden,
                    renormalize=renormalize,
                )
            blocks.append(DecoderBlock(path, width, heads, key_value_heads, mlp, theta=theta, eps=1e-6))
        super().__init__(vocab_size, width, blocks, 1e-6)
