"""A decoder with a mixture of experts."""

import torch
from torch import nn

from torchnets.layers import (
    Decoder,
    DecoderBlock,
    GatedFeedForward,
    Generator,
    RoutedFeedForward,
    dense,
    embedding,
    rms_norm,
)


class MoE(Decoder):
    """Decoder-only transformer as Llama, most of whose feed-forward layers are a few experts of many, and a shared one.

    The defaults are DeepSeekMoE 16B, 16,375,728,128 parameters. Mixtral 8x7B, 46,702,792,704, is `MoE(vocab_size=32000,
    width=4096, depth=32, heads=32, key_value_heads=8, dense_blocks=0, experts=8, experts_per_token=2, hidden=14336,
    shared_hidden=0, renormalize=True, theta=1e6)` but for its norms' epsilon.

    Args:
        vocab_size: number of tokens, and of logits.
        width: features C of a position.
        depth: number of blocks.
        heads, key_value_heads: heads of the queries, and of the keys and values.
        dense_blocks, dense_hidden: number of blocks, the first ones, without experts, and the features inside theirs.
        experts, experts_per_token: number of experts of a layer, and how many of them a position goes through.
        hidden, shared_hidden: features inside each expert, and inside the one that all go through; 0 has none.
        renormalize: whether the chosen experts' shares are divided by their sum.
        theta: base of the rotary frequencies.
        init: "normal" (N(0, 0.02²)), "default" (PyTorch's `Linear` and `Embedding`) or "randn".
        generator: source of the initial weights.

    Differs from DeepSeek's code in the order of ties, which there is not said, and in its auxiliary loss, which is not
    added to a loss unasked: `balanced` gives it. Source: https://arxiv.org/abs/2401.06066; of Mixtral,
    https://arxiv.org/abs/2401.04088.
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
        init: str = "normal",
        generator: Generator = None,
    ) -> None:
        super().__init__()
        self.cached = (key_value_heads, width // heads)
        self.token = embedding(vocab_size, width, init=init, generator=generator)
        self.blocks = nn.ModuleList()
        for place in range(depth):
            mlp: nn.Module
            if place < dense_blocks:
                mlp = GatedFeedForward(width, dense_hidden, init=init, generator=generator)
            else:
                mlp = RoutedFeedForward(
                    width,
                    experts,
                    experts_per_token,
                    hidden,
                    shared_hidden,
                    renormalize=renormalize,
                    init=init,
                    generator=generator,
                )
            self.blocks.append(
                DecoderBlock(
                    width, heads, key_value_heads, mlp, theta=theta, epsilon=1e-6, init=init, generator=generator
                )
            )
        self.norm = rms_norm(width, epsilon=1e-6)
        self.head = dense(width, vocab_size, bias=False, init=init, generator=generator)

    def balanced(self, tokens: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Logits as of a call, and the sum of the routed layers' auxiliary losses, a scalar; see `load_balance`."""
        x = self.token(tokens)
        balance = x.new_zeros(())
        for block in self.blocks:
            x = x + block.attention(block.norm1(x))
            inputs = block.norm2(x)
            if isinstance(block.mlp, RoutedFeedForward):
                balance = balance + block.mlp.balance(inputs)
            x = x + block.mlp(inputs)
        return self.head(self.norm(x)), balance
