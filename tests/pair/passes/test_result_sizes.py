"""Results of unlike shapes: as many numbers in another shape may be accepted, another number of them may not."""

import pytest

from parity.interface.observation import Leaf, Returned
from parity.pair.causes.explained import convention_of, sentence_of
from parity.pair.passes.compared import trees
from parity.pair.passes.result_pairs import pair_results


@pytest.mark.parametrize(
    ("flax", "torch", "convention"),
    [((3, 4), (3, 5), ""), ((3,), (3, 1), "output_shape"), ((3, 4), (12,), "output_shape")],
)
def test_only_as_many_numbers_are_a_matter_of_shape(
    flax: tuple[int, ...], torch: tuple[int, ...], convention: str
) -> None:
    returned = [Returned({"": Leaf("floating", shape)}) for shape in (flax, torch)]
    (finding,) = trees(pair_results(*returned), "evaluation")
    assert convention_of(finding) == convention
    assert ("not as many numbers on both sides" in sentence_of(finding)) == (not convention)
