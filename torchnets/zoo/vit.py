"""Vision transformer."""

import torch
from torch import nn

from torchnets.layers import Block, Generator, conv, dense, layer_norm, table


class ViT(nn.Module):
    """Vision transformer: patches and a class token, blocks, and a dense layer on the token.

    The defaults are ViT-S/16 on ImageNet, 22,050,664 parameters.

    Args:
        image_size: height and width of the images, which `patch_size` divides.
        patch_size: height and width of a patch.
        in_channels: channels of the image.
        num_classes: number of logits.
        width: features C of a token.
        depth: number of blocks.
        heads: heads of each attention.
        hidden: features inside each feed-forward layer.
        init: "normal" (N(0, 0.02²) and zero biases), "default" (PyTorch's `Linear` and `Embedding`) or "randn".
        generator: source of the initial weights.

    Differs from the paper's code: the first weights are normal, not cut at two deviations. Source:
    https://arxiv.org/abs/2010.11929; the sizes of S are those of https://arxiv.org/abs/2012.12877.
    """

    def __init__(
        self,
        *,
        image_size: int = 224,
        patch_size: int = 16,
        in_channels: int = 3,
        num_classes: int = 1000,
        width: int = 384,
        depth: int = 12,
        heads: int = 6,
        hidden: int = 1536,
        init: str = "normal",
        generator: Generator = None,
    ) -> None:
        super().__init__()
        tokens = (image_size // patch_size) ** 2 + 1
        self.patches = conv(
            in_channels, width, size=patch_size, stride=patch_size, padding=0, bias=True, init=init, generator=generator
        )
        self.class_token = table((width,), init=init, generator=generator)
        self.position = table((tokens, width), init=init, generator=generator)
        self.blocks = nn.ModuleList(
            Block(width, heads, hidden, causal=False, epsilon=1e-6, approximate=False, init=init, generator=generator)
            for _ in range(depth)
        )
        self.norm = layer_norm(width, epsilon=1e-6)
        self.head = dense(width, num_classes, init=init, generator=generator)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits (B, classes) of images (B, C, H, W)."""
        x = self.patches(x).flatten(2).transpose(1, 2)
        token = self.class_token.expand(x.shape[0], 1, -1)
        x = torch.cat([token, x], dim=1) + self.position
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x)[:, 0])
