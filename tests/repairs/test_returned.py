"""What a network returns, written as another of its values."""

from pathlib import Path

from parity.interface.programs.undone import SourceValue, Spot, Undone
from tests.repairs.test_rules import HEAD, made, of

SOURCE = """class Net:
    def forward(self, x):
        y = 2.0 * x
        z = y.add_(1.0)
        kept = z
        return x, kept"""


def on(line: int, name: str) -> Spot:
    return Spot(name, f"pair.py:{HEAD.count(chr(10)) + line}")


def test_what_is_returned_is_written_otherwise(tmp_path: Path) -> None:
    add, mul = on(4, "add"), on(3, "mul")
    undone = Undone("torch", "returned", add, value=SourceValue(add), other=SourceValue(mul))
    texts = made(tmp_path, SOURCE, of(undone))
    assert any("kept = y\n" in text for text in texts) and any("return x, y" in text for text in texts)
    assert any("z = y.add(1.0)" in text for text in texts)
