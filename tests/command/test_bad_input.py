"""Bad input: one clear line, exit code 2, nothing written."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from parity import weights
from parity.cli.main import main
from parity.interface import random as initial
from parity.reference import RNN
from tests.data.pictures import lay, pictures

SHAPES = RNN().shapes()


def _refuse(capsys, *argv: str) -> str:
    """Run the command, which must refuse; its one line."""
    code: object
    try:
        code = main(argv)
    except SystemExit as stopped:  # argparse leaves by itself
        code = stopped.code
    captured = capsys.readouterr()
    said = [line for line in captured.err.splitlines() if not line.startswith(("rnn:", "mlp:", "vgg:", "moons:"))]
    assert code == 2
    assert captured.out == ""
    assert len(said) == 1, said
    assert "Traceback" not in captured.err
    return said[0]


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        (["check", "vg"], "did you mean vgg"),
        (["check", "xyzzy"], "known: actorcritic"),
        (["chekc"], "check"),
        (["check", "--rungs", "9"], "8 data"),
        (["check", "--rungs", "4-2"], "4-2"),
        (["check", "--rungs", "forwards"], "2 forward"),
        (["check", "--seed", "-1"], "whole number"),
        (["check", "--seed", "²"], "whole number"),
        (["check", "moons", "a\nb"], "a\\nb"),
        (["check", "--device", "tpu"], "cpu"),
        (["check", "rnn", "--device", "gpu"], "no gpu device"),
        (["check", "--data", "mnist"], "fashion-mnist"),
        (["check", "moons", "--data", "digits"], "fits none of moons"),
        (["check", "rnn", "--length", "1"], "at least 2"),
        (["check", "rnn", "--length", "ten"], "ten"),
        (["check", "mlp", "--length", "5"], "fits none of mlp"),
        (["check", "--weights", "w.safetensors"], "name the one"),
        (["bugs", "bn-ddoff"], "did you mean bn-ddof"),
    ],
)
def test_a_wrong_word_is_told_with_the_right_ones(capsys, argv: list[str], expected: str) -> None:
    assert expected in _refuse(capsys, *argv)


def test_no_file_is_written_where_the_check_could_not_run(capsys, tmp_path: Path) -> None:
    _refuse(capsys, "check", "rnn", "--length", "1", "--json", str(tmp_path / "result.json"))
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_told_before_the_work(capsys, tmp_path: Path) -> None:
    assert "folder that exists" in _refuse(capsys, "check", "rnn", "--json", str(tmp_path / "no" / "result.json"))
    assert "folder that exists" in _refuse(capsys, "check", "rnn", "--json", str(tmp_path))


@pytest.mark.parametrize("name", ["fashion-mnist", "cifar10"])
def test_missing_data_says_how_to_get_it(capsys, tmp_path: Path, name: str) -> None:
    line = _refuse(capsys, "check", "mlp", "--data", name, "--data-dir", str(tmp_path))
    assert str(tmp_path) in line
    assert "--download" in line


def test_images_of_your_own_need_their_place_and_fit_the_network(capsys, tmp_path: Path) -> None:
    assert "--data-dir" in _refuse(capsys, "check", "mlp", "--data", "folder")
    many = lay(tmp_path / "pets", pictures(train=2, test=1, classes=tuple("abcdefghijk")))
    for command in (["check", "mlp"], ["train", "mlp", "--backend", "torch"]):
        line = _refuse(capsys, *command, "--data", "folder", "--data-dir", str(many))
        assert "has 11 classes, and the network tells 10 apart" in line
    (many / "test" / "a" / "0.png").write_text("hello")
    assert "test/a/0.png is no image" in _refuse(capsys, "check", "vgg", "--data", "folder", "--data-dir", str(many))


def test_an_altered_data_file_is_refused(capsys, tmp_path: Path) -> None:
    for kind in ("images-idx3", "labels-idx1"):
        for split in ("train", "t10k"):
            (tmp_path / f"{split}-{kind}-ubyte.gz").write_bytes(gzip.compress(b"\0\0\x08\x01\0\0\0\x02\x05\x06"))
    assert "ubyte" in _refuse(capsys, "check", "mlp", "--data", "fashion-mnist", "--data-dir", str(tmp_path))


def _spoiled(what: str) -> dict[str, np.ndarray]:
    good = initial.draw(SHAPES, "default", 0)
    match what:
        case "missing":
            del good["hh.bias"]
        case "extra":
            good["hx.bias"] = np.zeros(128)
        case "shape":
            good["ph.kernel"] = good["ph.kernel"].T
        case "NaN":
            good["hh.kernel"][3, 5] = np.nan
    return good


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        ("missing", "missing hh.bias (128,)"),
        ("extra", "extra hx.bias (128,)"),
        ("shape", "ph.kernel has shape (10, 128), expected (128, 10)"),
        ("NaN", "NaN or infinity in hh.kernel"),
    ],
)
def test_weights_that_do_not_fit_are_listed(capsys, tmp_path: Path, what: str, expected: str) -> None:
    weights.save(_spoiled(what), tmp_path / "w.safetensors")
    assert expected in _refuse(capsys, "check", "rnn", "--weights", str(tmp_path / "w.safetensors"))


def test_weights_that_are_no_real_numbers_are_refused(capsys, tmp_path: Path) -> None:
    drawn = initial.draw(SHAPES, "default", 0)
    weights.save({**drawn, "hh.bias": drawn["hh.bias"].astype(np.complex64)}, tmp_path / "w.safetensors")
    assert "type complex64" in _refuse(capsys, "check", "rnn", "--weights", str(tmp_path / "w.safetensors"))


def test_half_a_weight_file_is_refused(capsys, tmp_path: Path) -> None:
    whole = tmp_path / "w.safetensors"
    weights.save(initial.draw(SHAPES, "default", 0), whole)
    whole.write_bytes(whole.read_bytes()[:-100])
    assert "not a whole safetensors file" in _refuse(capsys, "check", "rnn", "--weights", str(whole))
