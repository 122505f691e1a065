"""Bugs in the networks of the zoo, each planted in a small one."""

from parity.bugs.catalogue.bug import Bug, control

ZOO: tuple[Bug, ...] = (
    Bug("vit-gelu", "GELU by tanh, Flax's default, for x·Φ(x)", "flax", "vit", 2, "input of blocks.0.mlp.out", "51",
        "small or large inputs"),
    Bug("vit-heads-last", "the heads are parted along the last axis", "flax", "vit", 2, "input of blocks.0.attention.out",
        "12", "one head"),
    Bug("vit-norm-epsilon", "LayerNorm's epsilon is PyTorch's default 1e-5, not 1e-6", "torch", "vit", 2, "blocks.0.norm1",
        "47", "large variance"),
    Bug("vit-scaled-before", "queries are scaled before their projection, whose bias then is not", "torch", "vit", 2,
        "input of blocks.0.attention.query", "20", "zero biases"),
    Bug("vit-pool", "the classes are read from the mean of all tokens, not from the class token", "torch", "vit", 2,
        "input of head", "3", "one token"),
    control("vit-by-hand", "attention written out, not fused", "torch", "vit", "C0"),
)  # fmt: skip
