"""Llama."""

from torch import nn

from torchnets.layers import Decoder, DecoderBlock, GatedFeedForward, Generator, dense, embedding, rms_norm


class Llama(Decoder):
    """Decoder-only transformer with rotary positions, grouped attention, gated feed-forward layers and RMSNorm.

    The defaults are Llama 3 8B, 8,030,261,248 parameters.

    Args:
        vocab_size: number of tokens, and of logits.
        width: features C of a position.
        depth: number of blocks.
        heads, key_value_heads: heads of the queries, and of the keys and values.
        hidden: features inside each feed-forward layer.
        theta: base of the rotary frequencies.
        init: "normal" (N(0, 0.02²)), "default" (PyTorch's `Linear` and `Embedding`) or "randn".
        generator: source of the initial weights.

    Differs from Meta's code, whose rotary embedding pairs neighbouring features: here the halves are paired, as Hugging
    Face's Llama does. Source: https://arxiv.org/abs/2407.21783.
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
        init: str = "normal",
        generator: Generator = None,
    ) -> None:
        super().__init__()
        self.cached = (key_value_heads, width // heads)
        self.token = embedding(vocab_size, width, init=init, generator=generator)
        self.blocks = nn.ModuleList(
            DecoderBlock(
                width,
                heads,
                key_value_heads,
                GatedFeedForward(width, hidden, init=init, generator=generator),
                theta=theta,
                epsilon=1e-5,
                init=init,
                generator=generator,
            )
            for _ in range(depth)
        )
        self.norm = rms_norm(width, epsilon=1e-5)
        self.head = dense(width, vocab_size, bias=False, init=init, generator=generator)
