"""The chip generations, as their maker's public pages describe them."""

from dataclasses import dataclass

GIB = 2**30


@dataclass(frozen=True)
class Chip:
    """One generation of chips.

    Args:
        topology: libtpu's name of one chip.
        kind: JAX's name of a device of it.
        devices: number of JAX devices on a chip. A step runs on one; of two, each has half of the chip's resources.
        peak_flops: FLOP/s of a chip in bfloat16.
        hbm_bandwidth: bytes/s of a chip's memory.
        hbm_bytes: bytes of a chip's memory.
        source: public page with these figures.
        config: libtpu's chip configuration; None is its default.
    """

    topology: str
    kind: str
    devices: int
    peak_flops: float
    hbm_bandwidth: float
    hbm_bytes: int
    source: str
    config: str | None = None

    @property
    def device_flops(self) -> float:
        """The FLOP/s of a device in bfloat16."""
        return self.peak_flops / self.devices

    @property
    def device_bandwidth(self) -> float:
        """The bytes/s of a device's memory."""
        return self.hbm_bandwidth / self.devices


PAGES = "https://docs.cloud.google.com/tpu/docs/"
CHIPS = {
    # Without its configuration libtpu shows the two cores of a v4 apart; a v4 in the cloud is one device.
    "v4": Chip("v4:1x1x1", "TPU v4", 1, 275e12, 1200e9, 32 * GIB, f"{PAGES}v4", config="megacore_dense"),
    "v5e": Chip("v5e:1x1", "TPU v5 lite", 1, 197e12, 819e9, 16 * GIB, f"{PAGES}v5e"),
    "v5p": Chip("v5p:1x1x1", "TPU v5", 1, 459e12, 2765e9, 95 * GIB, f"{PAGES}v5p"),
    "v6e": Chip("v6e:1x1", "TPU v6 lite", 1, 918e12, 1638e9, 32 * GIB, f"{PAGES}v6e"),
    "tpu7x": Chip("tpu7x:1x1x1", "TPU7x", 2, 2307e12, 7380e9, 192 * GIB, f"{PAGES}tpu7x"),
}
PASSES = {"default": 1, "high": 3, "highest": 6}
"""JAX's matmul precision → number of bfloat16 products that one float32 product is made of.
Source: https://docs.jax.dev/en/latest/jax.lax.html#jax.lax.Precision."""
SLICES = {
    "v5e": {4: "v5e:2x2", 16: "v5e:4x4", 64: "v5e:8x8", 256: "v5e:16x16"},
    "v5p": {4: "v5p:2x2x1", 16: "v5p:2x2x4", 64: "v5p:4x4x4", 256: "v5p:4x8x8"},
    "v6e": {4: "v6e:2x2", 16: "v6e:4x4", 64: "v6e:8x8", 256: "v6e:16x16"},
}
"""Chip → number of chips side by side → libtpu's name of them."""
SIZES = (4, 16, 64, 256)
