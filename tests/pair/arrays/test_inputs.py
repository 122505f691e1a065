import numpy as np
import pytest
import torch

from parity.errors import UsageError
from parity.interface.observation import Inputs
from parity.interface.tree import leaves
from parity.pair.arrays.inputs import adapt, as_inputs, parse_layout


def test_one_array_a_tuple_and_a_dict() -> None:
    x = np.zeros((2, 3))
    assert len(as_inputs(x).args) == 1
    assert len(as_inputs((x, x)).args) == 2
    assert set(as_inputs({"ids": x}).kwargs) == {"ids"}


def test_arrays_of_other_libraries_become_copies() -> None:
    given = torch.zeros(2)
    got = as_inputs(given).args[0]
    given += 1
    assert isinstance(got, np.ndarray) and (got == 0).all()


def test_a_layout_turns_the_arrays_of_its_rank_only() -> None:
    images, ids = np.zeros((2, 5, 7, 3)), np.zeros((2, 4))
    turned = adapt(Inputs((images, ids)), "NHWC->NCHW")
    assert [a.shape for a in turned.args] == [(2, 3, 5, 7), (2, 4)]


def test_a_function_makes_keywords() -> None:
    got = adapt(as_inputs(np.zeros(3)), lambda x: {"src": x + 1})
    assert (got.kwargs["src"] == 1).all()


@pytest.mark.parametrize("layout", ["NHWC", "NHWC->NCH", "NNWC->NNCW", "->"])
def test_a_layout_that_is_none_is_refused(layout: str) -> None:
    if layout == "->":
        assert parse_layout(layout) == ()
        return
    with pytest.raises(UsageError, match="same letters"):
        parse_layout(layout)


def test_inputs_without_an_array_are_refused() -> None:
    with pytest.raises(UsageError, match="no array"):
        as_inputs({"train": True})


def test_leaves_have_names() -> None:
    tree = {"a": [1, (2, None)], "b": Inputs((3,))}
    assert dict(leaves(tree)) == {"['a'][0]": 1, "['a'][1][0]": 2, "['b'].args[0]": 3}
    assert list(leaves(5)) == [("", 5)]
