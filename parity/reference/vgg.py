"""The reduced VGG by hand."""

from collections.abc import Sequence
from typing import Any

from parity.reference.layers import Array
from parity.reference.modules import ConvBlock, Dense, Flatten, MaxPool, Module
from parity.reference.network import Network
from parity.reference.record import Gradients, Run

PLAN = (64, "M", 128, "M", 256, 256, "M", 512, 512, "M", 512, 512, "M")


class VGG(Network):
    """Blocks (3×3 conv with bias, batch norm, ReLU) and max-pools by a plan, then flatten and one dense layer.

    Args:
        plan: the entry i makes `features.<i>`: a width makes a block with that many output channels, "M" a
            max-pool of window 3, stride 2, padding 1, which halves the sides, rounded up.
        in_channels: channels of the images.
        num_classes: number of logits.
        image_size: side of the square images.

    Inputs are (B, image_size, image_size, in_channels); logits are (B, num_classes).

    Raises:
        ValueError: an entry of the plan is neither a positive width nor "M".
    """

    def __init__(
        self,
        plan: Sequence[int | str] = PLAN,
        in_channels: int = 3,
        num_classes: int = 10,
        image_size: int = 32,
    ) -> None:
        features: list[Module] = []
        for i, entry in enumerate(plan):
            if entry == "M":
                features.append(MaxPool(f"features.{i}"))
                image_size = (image_size + 1) // 2
            elif isinstance(entry, int) and entry > 0:
                features.append(ConvBlock(f"features.{i}", in_channels, entry))
                in_channels = entry
            else:
                raise ValueError(f"VGG: got plan entry {i} {entry!r}, expected a positive number of channels or 'M'")
        classifier = Dense("classifier", in_channels * image_size**2, num_classes)
        super().__init__([*features, Flatten("flatten"), classifier])

    def compute(self, run: Run, inputs: Array) -> tuple[Array, Any]:
        """Run forward; nothing lies between the modules, so there is nothing to cache."""
        for module in self.modules:
            inputs = module.forward(run, module.path, inputs)
        return inputs, None

    def derive(self, run: Run, gradients: Gradients, cotangent: Array) -> Array:
        """Run backward, last module first."""
        for module in reversed(self.modules):
            cotangent = module.backward(run, gradients, module.path, cotangent)
        return cotangent
