"""An operation that is written as another: what each rule writes for the line."""

from pathlib import Path

import pytest

from parity.repairs.rules.expressions import in_words
from tests.repairs.test_rules import changed, made, of


@pytest.mark.parametrize(
    ("line", "name", "means", "side", "expected"),
    [
        ("mask = i[:, None] > i[None, :]", "gt", ("compare", ">="), "torch", "mask = i[:, None] >= i[None, :]"),
        ("y = torch.argmax(x, 1)", "argmax", ("call", "argmin"), "torch", "y = torch.argmin(x, 1)"),
        ("y = x.argmax(1)", "argmax", ("call", "argmin"), "torch", "y = x.argmin(1)"),
        ("s = h.amax(dim=(2, 3))", "amax", ("reduce", "the mean"), "torch", "s = h.mean(dim=(2, 3))"),
        ("s = jnp.mean(h, axis=1)", "div", ("reduce", "the largest"), "flax", "s = jnp.max(h, axis=1)"),
        ("y = x.mean(1)", "mean", ("reduce", "the first", "1"), "torch", "y = x[:, 0]"),
        ("y = f(x)[:, -1]", "getitem", ("reduce", "the mean", "1"), "torch", "y = f(x).mean(1)"),
        ("h = (h + b) * a", "mul", ("swap",), "torch", "h = (h * a) + b"),
        ("h = x / torch.sqrt(v + 1e-5)", "sqrt", ("swap",), "torch", "h = x / (torch.sqrt(v) + 1e-5)"),
        ("h = x / (torch.sqrt(v) + 1e-5)", "add", ("swap",), "torch", "h = x / torch.sqrt(v + 1e-5)"),
        ("h = F.relu(self.norm(x))", "relu", ("swap",), "torch", "h = self.norm(F.relu(x))"),
    ],
)
def test_a_line_is_rewritten(
    tmp_path: Path, line: str, name: str, means: tuple[str, ...], side: str, expected: str
) -> None:
    assert expected in made(tmp_path, line, of(changed(name, *means, side=side)))


def test_a_line_without_the_operation_is_left_alone(tmp_path: Path) -> None:
    assert made(tmp_path, "y = x + 1", of(changed("gt", "compare", ">="))) == []
    assert made(tmp_path, "y = x.softmax(1)", of(changed("amax", "reduce", "the mean"))) == []


@pytest.mark.parametrize(
    ("means", "words"),
    [
        (("dealt", "-3", "3"), "bring every number that is 3 places apart along axis -3 together"),
        (("times", "0.3333333333333333", "1/3"), "multiply with 1/3"),
        (("times", "2.0"), "multiply with 2.0"),
        (("part", "[:, 1:]"), "take the part [:, 1:]"),
        (("not",), "negate the mask"),
        (("ordered", "-3", "(0, 2, 1, 3)"), "put the parts along axis -3 in the order (0, 2, 1, 3)"),
    ],
)
def test_a_change_is_told_in_words(means: tuple[str, ...], words: str) -> None:
    assert in_words(means) == words
