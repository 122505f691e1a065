"""The same random numbers for both sides' draws."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from parity.interface.observation import Drawn
from parity.interface.random import single
from parity.pair.arrays.layout import AS_IT_IS, TURNS, turn_back, turns
from parity.pair.passes.sides import MODES, SidePair

EDGE = 2.0**-10
"""Distance of the uniform numbers from 0 and 1, where logarithms and float32's rounding would tell more than the
networks do."""


class SharedNoise:
    """The same numbers for the n-th draw in PyTorch and the n-th in Flax.

    Args:
        seed: The seed of the numbers.
        turned: Number of a draw → how Flax's layout becomes PyTorch's, where they differ.
    """

    def __init__(self, seed: int, turned: dict[int, str]) -> None:
        self._seed, self._turned = seed, turned

    def torch(self, number: int, drawn: Drawn) -> NDArray:
        """The numbers of one of PyTorch's draws, float64 of the draw's shape.

        Args:
            number: The number of the draw, from 0, in the order in which the network draws.
            drawn: Its kind and shape.
        """
        return numbers(drawn, (self._seed, 12, number))

    def flax(self, number: int, drawn: Drawn) -> NDArray:
        """The same numbers in the layout of Flax's draw of that number, float64 of its shape.

        Args:
            number: The number of the draw, from 0, in the order in which the network draws.
            drawn: Its kind and shape.
        """
        turn = self._turned.get(number, AS_IT_IS)
        shape = TURNS[turn](np.empty(drawn.shape)).shape
        return turn_back(turn, self.torch(number, Drawn(drawn.kind, shape)), drawn.shape)


def share_noise(pair: SidePair) -> list[str]:
    """Give both networks the same numbers for their draws from now on, if they draw the same in both modes.

    Args:
        pair: The two sides.

    Returns:
        A note on it, if they do.

    Raises:
        UserCodeError: A network does not run.
    """
    turned: dict[int, str] = {}
    for mode in MODES:
        ours, theirs = pair.returned(pair.flax, mode).draws, pair.returned(pair.torch, mode).draws
        turns = paired_draws(ours, theirs)
        if turns is None or any(turned.get(number, turn) != turn for number, turn in turns.items()):
            return []
        turned |= turns
    if not turned:
        return []
    noise = SharedNoise(pair.seed, turned)
    pair.flax.share(noise.flax)
    pair.torch.share(noise.torch)
    return [f"both networks got the same numbers for {len(turned)} {'draw' if len(turned) == 1 else 'draws'}"]


def paired_draws(flax: Sequence[Drawn], torch: Sequence[Drawn]) -> dict[int, str] | None:
    """How the layout of each of Flax's draws becomes that of PyTorch's draw of the same number.

    Args:
        flax, torch: The draws of each side, in order.

    Returns:
        The number of a draw → the name of its turn, one of `TURNS`; None where they do not draw the same.
    """
    if [drawn.kind == "normal" for drawn in flax] != [drawn.kind == "normal" for drawn in torch]:
        return None  # the other kinds are functions of one uniform number
    turned = {}
    for number, (ours, theirs) in enumerate(zip(flax, torch, strict=True)):
        names = [name for name, _ in turns(ours.shape, theirs.shape) if name in TURNS]
        if not names:
            return None
        turned[number] = names[0]
    return turned


def numbers(drawn: Drawn, seed: Sequence[int]) -> NDArray:
    """The numbers of a draw, in float64.

    Exponential and Gumbel numbers are computed from the uniform ones of the same seed, as frameworks compute them: a
    Gumbel number is −log of an exponential one, which is −log of a uniform one. What float32 holds is drawn, so that
    both precisions start from the same.
    """
    generator = np.random.default_rng(seed)
    if drawn.kind == "normal":
        return single(generator.standard_normal(drawn.shape))
    uniform = single(generator.uniform(EDGE, 1 - EDGE, drawn.shape))
    if drawn.kind == "uniform":
        return uniform
    exponential = -np.log(uniform)
    return exponential if drawn.kind == "exponential" else -np.log(exponential)
