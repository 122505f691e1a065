"""A recipe: the data, the network, the optimizer and the length of one experiment."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Self

Init = Literal["default", "randn", "orthogonal", "normal", "he", "xavier", "ppo"]


@dataclass(frozen=True)
class Optimizer:
    """An optimizer with all its hyperparameters; those that its kind does not have are ignored.

    Args:
        kind: "adam" (L2 decay), "rmsprop" or "sgd".
        learning_rate: step size.
        betas: decay of Adam's first and of its second moment.
        eps: number that Adam and RMSprop add to the root of the second moment.
        weight_decay: factor of Adam's L2 decay: weight_decay · parameter is added to the gradient.
        alpha: decay of RMSprop's mean square.
        momentum: decay of SGD's momentum buffer; 0 has no buffer.
        clip_norm: largest global norm of the gradients before the optimizer sees them; None does not clip.
    """

    kind: Literal["adam", "rmsprop", "sgd"]
    learning_rate: float
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    weight_decay: float = 0.0
    alpha: float = 0.99
    momentum: float = 0.0
    clip_norm: float | None = None

    @property
    def moments(self) -> tuple[str, ...]:
        """PyTorch's names of the arrays that the optimizer keeps for every parameter."""
        if self.kind == "sgd":
            return ("momentum_buffer",) if self.momentum else ()
        return ("exp_avg", "exp_avg_sq") if self.kind == "adam" else ("square_avg",)


@dataclass(frozen=True)
class Rollouts:
    """How an agent gathers what it learns from: again and again some steps, which it then goes over several times.

    Args:
        environment: gymnasium's name of the environment.
        environments: number of copies of it that are stepped together.
        length: steps in each copy before the agent learns.
        epochs: times that it goes over them.
        discount: what a reward counts for each step that it comes later, γ.
        trace: what an error of the value counts for each step that it comes later, besides, λ of the advantages.
    """

    environment: str
    environments: int
    length: int
    epochs: int
    discount: float = 0.99
    trace: float = 0.95


@dataclass(frozen=True)
class Recipe:
    """One experiment, of the study or beyond it.

    Args:
        name: what the command calls it.
        claim: what the study says of it, or what we measured, in one line.
        source: page and heading of the repository that say what the study specifies, as a link from the root; with
            "beyond" before it, the recipe is ours and goes beyond that part.
        network: class name in jaxnets, torchnets and parity.reference.
        config: the class's keywords.
        parameters: learnable parameters that the study states (or the layers add up to), None if nobody does.
        data: data set of the study.
        offline_data: data set that stands in for it where the study's cannot be had; None when the study's always can.
        length: length T of the palindromes.
        encoding: form of the palindromes' inputs, "digits" (also None) or "one-hot".
        check_length: length T in the parity check, whose program grows with it; None is `length`.
        batch_size, check_batch_size: examples a step, in training and in the parity check.
        steps, epochs: how long the study trains; one of the two.
        evaluate_every: steps between evaluations; None is an epoch.
        evaluate_on: splits that are evaluated then. All but "train" are evaluated at the end of training.
        log_every: steps that one line of the training's metrics sums up.
        augment: whether training images are cropped and flipped at random.
        optimizer: the optimizer with the study's hyperparameters.
        init: initial weights, see `parity.interface.random.draw`; the study's are those of its PyTorch version.
        check_config: what the parity check changes in `config`, to be quick; it checks a network of `check_parameters`
            parameters then.
        rollouts: how the data come about that the network's own policy gathers; None where they are there beforehand.
    """

    name: str
    claim: str
    source: str
    network: str
    config: Mapping[str, Any]
    parameters: int | None
    data: str
    batch_size: int
    check_batch_size: int
    optimizer: Optimizer
    offline_data: str | None = None
    length: int | None = None
    encoding: Literal["digits", "one-hot"] | None = None
    check_length: int | None = None
    steps: int | None = None
    epochs: int | None = None
    init: Init = "default"
    evaluate_every: int | None = None
    evaluate_on: tuple[str, ...] = ("test",)
    log_every: int = 10
    augment: bool = False
    check_config: Mapping[str, Any] = field(default_factory=dict)
    check_parameters: int | None = None
    rollouts: Rollouts | None = None

    @property
    def classes(self) -> int:
        """Numbers that the network gives for an example: its logits, all that an autoencoder gives, or an image's
        channels; an agent's logits have the value at their end."""
        if "actions" in self.config:
            return int(self.config["actions"]) + 1
        if "latent" in self.config:
            pixels = self.config["image_size"] ** 2 * self.config["in_channels"]
            return int(pixels + 2 * self.config["latent"])
        known = (self.config[word] for word in ("out_channels", "num_classes", "vocab_size") if word in self.config)
        return int(next(known, self.config.get("sizes", (10,))[-1]))

    @property
    def at_check_size(self) -> Self:
        """The recipe with the network that the parity check looks at unless it is asked for the true one."""
        if not self.check_config:
            return self
        config = {**self.config, **self.check_config}
        return replace(self, config=config, parameters=self.check_parameters, check_config={}, check_parameters=None)

    @property
    def check_data(self) -> str:
        """Data set of the parity check: the study's, or what stands in for it offline."""
        return self.offline_data or self.data
