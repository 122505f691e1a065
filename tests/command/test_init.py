"""`parity init`: a starting file that runs, or says what is to be filled in."""

from pathlib import Path

import pytest

from parity.cli.main import main
from parity.cli.pairs import starting
from parity.cli.pairs.starting import array
from parity.errors import UsageError

LINEN = """
import flax.linen as nn


class Net(nn.Module):
    width: int

    @nn.compact
    def __call__(self, x, train):
        x = nn.relu(nn.Conv(self.width, (3, 3), padding=1)(x))
        return nn.Dense(4)(x.mean((1, 2)))
"""
NNX = """
from flax import nnx


class Net(nnx.Module):
    def __init__(self, *, rngs):
        self.table = nnx.Embed(20, 3, rngs=rngs)

    def __call__(self, tokens, scale):
        return self.table(tokens) * scale
"""
TORCH = """
import torch


class Net(torch.nn.Module):
    def __init__(self, width, classes=4):
        super().__init__()
        self.a, self.b = torch.nn.Conv2d(3, width, 3, padding=1), torch.nn.Linear(width, classes)

    def forward(self, x):
        return self.b(self.a(x).relu().mean((2, 3)))


class Table(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.table = torch.nn.Embedding(20, 3)

    def forward(self, tokens, scale):
        return self.table(tokens) * scale


def made():
    return Table()
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with networks; its modules have names that no other test's have."""
    for name, text in {"linen": LINEN, "nnx": NNX, "torch": TORCH}.items():
        (tmp_path / f"nets_{name}_{tmp_path.name}.py").write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def words(folder: Path, flax: str, torch: str, *inputs: str) -> list[str]:
    places = [f"nets_{flax.replace(':', f'_{folder.name}.py:')}", f"nets_{torch.replace(':', f'_{folder.name}:')}"]
    return ["init", "--flax", places[0], "--torch", places[1], *(w for shape in inputs for w in ("--input", shape))]


def test_the_file_of_linen_and_images_is_written_and_runs(folder: Path, capsys) -> None:
    assert main(words(folder, "linen:Net(8)", "torch:Net(width=8)", "2x8x8x3")) == 0
    said = capsys.readouterr()
    assert "SAME" in said.out and "written: port.py" in said.err
    text = (folder / "port.py").read_text()
    assert "variables = flax_model.init(jax.random.key(0), inputs, train=False)" in text and "NHWC->NCHW" in text
    assert main(words(folder, "linen:Net(8)", "torch:Net(width=8)", "2x8x8x3")) == 2
    assert "port.py is there already" in capsys.readouterr().err


def test_the_file_of_nnx_with_two_inputs_and_a_function_runs(folder: Path, capsys) -> None:
    assert main([*words(folder, "nnx:Net", "torch:made", "2x5:int32<20", "2x5x1"), "--out", "it.py"]) == 0
    assert "SAME" in capsys.readouterr().out
    text = (folder / "it.py").read_text()
    assert "rngs=nnx.Rngs(0)" in text and 'rng.integers(20, size=(2, 5), dtype="int32")' in text
    assert "import jax\n" not in text and "to_torch" not in text


def test_what_only_the_user_knows_is_to_be_filled_in(folder: Path, capsys) -> None:
    assert main(words(folder, "linen:Net", "torch:Net", "2x8x8x3")) == 0
    assert capsys.readouterr().out == "fill in width in port.py, then say parity check port.py:pair\n"
    assert (folder / "port.py").read_text().count("width=...") == 2


def test_a_person_at_a_terminal_is_asked(folder: Path, capsys, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = iter([f"nets_nnx_{folder.name}:Net", f"nets_torch_{folder.name}:Table", "2x5:int32<20 2x5x1"])
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda question: next(asked))
    assert main(["init"]) == 0
    assert "SAME" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("flax", "torch", "shape", "expected"),
    [
        ("linen:Nett", "torch:Table", "2x3", "did you mean Net?"),
        ("torch:Table", "torch:Table", "2x3", "which is a network of PyTorch"),
        ("nnx:Net", "nnx:Net", "2x3", "which is a network of Flax"),
        ("gone:Net", "torch:Table", "2x3", "there is no file nets_gone_"),
        ("nnx:Net(", "torch:Table", "2x3", "expected package.module:Class"),
        ("nnx:3", "torch:Table", "2x3", "expected package.module:Class"),
        ("nnx:Net", "gone:Table", "2x3", "cannot be imported: ModuleNotFoundError"),
        ("nnx:Net", "torch:Table", "2,3", "expected a shape such as 2x32x32x3"),
    ],
)
def test_bad_input_is_one_clear_line_and_writes_nothing(
    flax: str, torch: str, shape: str, expected: str, folder: Path, capsys
) -> None:
    assert main(words(folder, flax, torch, shape)) == 2
    assert expected in capsys.readouterr().err and not (folder / "port.py").exists()


def test_a_missing_word_is_told(folder: Path, capsys) -> None:
    assert main(["init"]) == 2
    assert capsys.readouterr().err.startswith("parity: --flax is missing; give Flax's network")
    (folder / "below").mkdir()
    assert main([*words(folder, "nnx:Net", "torch:Table", "2x3"), "--out", "below/port.py"]) == 2
    assert "name another file with --out" in capsys.readouterr().err


def test_an_input_is_a_shape_and_perhaps_a_dtype() -> None:
    assert array("7") == 'rng.standard_normal((7,)).astype("float32")'
    assert array("2x3:bool") == "rng.random((2, 3)) < 0.5"
    assert array("2x3:float16") == 'rng.standard_normal((2, 3)).astype("float16")'
    for odd in ("", "x", "2x", "2x3:", "2x3<4", "-2"):
        with pytest.raises(UsageError):
            array(odd)


def test_a_class_that_is_named_after_its_framework_keeps_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "named.py").write_text(
        "import torch\nfrom flax import nnx\n\n\nclass FlaxNet(nnx.Module): ...\n\n\nclass Net(torch.nn.Module): ...\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    flax, torch = (
        starting.network(side, f"named:{name}", tmp_path / "port.py")
        for side, name in (("flax", "FlaxNet"), ("torch", "Net"))
    )
    assert (flax.line, flax.call) == ("from named import FlaxNet", "FlaxNet()")
    assert (torch.line, torch.call) == ("from named import Net as TorchNet", "TorchNet()")
