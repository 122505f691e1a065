"""Llama by hand."""

from parity.reference.zoo.layers.decoder import Decoder, DecoderBlock, GatedFeedForward


class Llama(Decoder):
    """Tokens, decoder blocks, a norm, and a head of its own.

    Its arguments are those of `jaxnets.Llama`, without `init` and `rngs`.

    Inputs are whole numbers (B, T); logits are (B, T, vocab_size).
    """

    def __init__(
        self,
        *,
        vocab_size: int = 128256,
        width: int = 4096,
        depth: int = 32,
        heads: int = 32,
        key_value_heads: int = 8,
        hidden: int = 14336,
        theta: float = 500000.0,
    ) -> None:
        blocks = []
        for path in (f"blocks.{i}" for i in range(depth)):
            mlp = GatedFeedForward(f"{path}.mlp", width, hidden)
            blocks.append(DecoderBlock(path, width, heads, key_value_heads, mlp, theta=theta, eps=1e-5))
        super().__init__(vocab_size, width, blocks, 1e-5)
