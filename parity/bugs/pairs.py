"""Small versions of the study's networks and of the zoo's, in which bugs are planted.

Sizes are distinct primes, so that no wrong permutation fits; grids are even and larger than 1×1, so that padding and
flatten order show.
"""

from dataclasses import replace

from parity.recipes import Optimizer, Recipe, load, zoo_names

_POINTS, _MLP, _VGG, _RNN = (load(name) for name in ("moons", "mlp", "vgg", "rnn"))
_ONE_HOT, _GRU = (replace(load(name), length=6, check_length=None) for name in ("rnn_orthogonal", "gru"))

OTHERWISE = {"lstm": "lstm, packed"}
"""Recipe of the zoo → name of its pair, where a brought pair has the recipe's."""

PAIRS: dict[str, Recipe] = {
    "points": _POINTS,
    "points, randn": replace(_POINTS, init="randn"),
    "points, momentum": replace(_POINTS, optimizer=Optimizer(kind="sgd", learning_rate=0.01, momentum=0.9)),
    "mlp": replace(_MLP, config={"sizes": (3072, 13, 11, 10)}, parameters=40_223, check_batch_size=17),
    "vgg": replace(_VGG, config={"plan": (5, "M", 7, "M")}, parameters=4_976, check_batch_size=7),
    "vgg, 1×1": replace(_VGG, config={"plan": (5, "M", 7, "M", "M", "M", "M")}, parameters=566, check_batch_size=7),
    "rnn": replace(_RNN, config={"hidden_size": 23}, parameters=815, length=6, check_batch_size=19),
    "rnn, one-hot": replace(
        _ONE_HOT, config={"input_size": 10, "hidden_size": 23}, parameters=1_022, check_batch_size=19
    ),
    "gru": replace(_GRU, config={"hidden_size": 23}, parameters=2_034, check_batch_size=19, init="orthogonal"),
    **{OTHERWISE.get(name, name): load(name).at_check_size for name in zoo_names()},
}
