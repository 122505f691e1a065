"""Whatever is typed, the command does it or refuses in one clear line with exit code 2, and writes to its output."""

import io
import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import numpy as np
import pytest

from parity.cli.main import main, parser
from tests.fuzz.kinds import RUN
from tests.fuzz.sealed import Sealed

QUICK, LONG = 27, 3000
ODD = (
    "", " ", "-", "--", "---", "-1", "0", "1e309", "nan", "-inf", "²", "٣", "1_0", "0x10", "9" * 30, "9" * 5000,
    "1" * 300, "../cwd", "..", ".", "taken", "none/x", "a\nb", "\x1b[2J", "\udcff", "𝄞", "[red]", "%s%n", "{0}",
    "moons:pair", "pair.py:", "pair.py:none", "pair.py:three", "pair.py:nothing", ":", "*", "1-", "-3", "4-2", "1,,2",
    "2-4", "forward", "update,", "cifar10", "fashion-mnist", "moon", "mlp,vgg", "--no", "--seed", "--js", "--help",
    "--download=1", "--accept", "running_var_bias", "--repro", "--in-process", "w.safetensors", "map.json",
)  # fmt: skip
"""Words that some option does not expect."""
NOWHERE, STEPS, TAKEN = ("--json", "none/x.json"), ("--steps", "2"), ("--out", "taken")
COMMANDS: tuple[tuple[str, Sequence[str]], ...] = (
    (
        "check moons rnn --rungs 1-3 --seed 3 --device cpu --data digits --length 5 --weights w.safetensors "
        "--data-dir given",
        NOWHERE,
    ),
    (
        "check pair.py:three --accept running_var_bias --dropout off --map map.json --map-out new.json --html new.html "
        "--junit new.xml --no-probes --show-map --seed 1",
        NOWHERE,
    ),
    ("bugs bn-ddof adam-eps --seed 2", NOWHERE),
    (
        "train moons --backend numpy --out out --seed 3 --init randn --learning-rate 0.1 --batch-size 16 "
        "--evaluate-every 1 --checkpoint-every 1 --keep 2 --precision float64 --device cpu --devices 1 --timeout 9 "
        "--batch-norm synchronised",
        STEPS,
    ),
    ("train moons --backend numpy --resume run --out out --data-dir given --epochs 3", STEPS),
    ("convert pair.py:three --direction torch->flax --map map.json --out new.safetensors", ()),
    ("reproduce points circles --scale quick --device cpu --data digits --data-dir given", TAKEN),
    ("list", ()),
    ("conventions", ()),
)
"""What is typed, and what stands at its end: it lets the command do little, or nothing but look at the rest."""
NOTES = ("nothing is kept", "making the networks", "mapping weights")
"""What the command says on the way."""
PAIR = "def three():\n    return 'flax', 'torch', 'inputs'\n\n\ndef nothing():\n    return None\n"


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sealed]:
    with pytest.MonkeyPatch.context() as patch:
        made = Sealed(tmp_path_factory.mktemp("sealed"), patch)
        (made.cwd / "given").mkdir()
        for name, text in (("taken", ""), ("pair.py", PAIR), ("w.safetensors", "no"), ("map.json", json.dumps({}))):
            (made.cwd / name).write_text(text)
        said([*RUN, "--steps=1", "--out=run"])
        yield made


def said(argv: list[str]) -> tuple[int, str, str]:
    """Exit code, output and errors."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        try:
            code = main(argv)
        except SystemExit as stopped:  # argparse leaves by itself
            code = int(stopped.code or 0)
    return code, out.getvalue(), err.getvalue()


def mutated(argv: Sequence[str], rng: np.random.Generator) -> list[str]:
    """One to three words changed, gone, twice or more."""
    words = list(argv)
    for _ in range(int(rng.integers(1, 4))):
        place = int(rng.integers(len(words) + 1))
        odd = ODD[int(rng.integers(len(ODD)))]
        match int(rng.integers(5)):
            case 0:
                words[place : place + 1] = [odd]
            case 1:
                words[place : place + 1] = []
            case 2:
                words.insert(place, odd)
            case 3:
                words[place : place + 1] = 2 * words[place : place + 1]
            case _:
                words[place : place + 1] = [_misspelled(word, rng) for word in words[place : place + 1]]
    return words


def _misspelled(word: str, rng: np.random.Generator) -> str:
    place = int(rng.integers(max(1, len(word))))
    new = str(rng.choice(list("-=.:,_ 0aé\t")))
    return word[:place] + new * int(rng.integers(2)) + word[place + int(rng.integers(2)) :]


def _fuzz(sealed: Sealed, seeds: range) -> None:
    for seed in seeds:
        words, end = COMMANDS[seed % len(COMMANDS)]
        argv = [*mutated(words.split(), np.random.default_rng(seed)), *end]
        with sealed.unchanged(*_outputs(sealed.cwd, argv)):
            try:
                code, out, err = said(argv)
            except BaseException as error:
                raise AssertionError(f"seed {seed}: {argv}: {type(error).__name__}: {error}") from error
        lines = [line for line in err.splitlines() if not line.startswith(NOTES)]
        assert code in (0, 1, 2, 3), (seed, argv, code)
        if code == 2:
            assert out == "" and len(lines) == 1 and lines[0].startswith("parity"), (seed, argv, out, err)


def _outputs(cwd: Path, argv: list[str]) -> list[Path]:
    """Where the words say that the command writes; it is emptied."""
    try:
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            out = getattr(parser().parse_args(argv), "out", None)
    except SystemExit:
        return []
    place = Path(out).absolute() if out else None
    if place is None or not place.resolve().is_relative_to(cwd) or place.resolve() == cwd:
        return []
    if place.name != "run" and place.is_dir():
        shutil.rmtree(place)
    return [place]


def test_mutated_words_are_refused_or_done(sealed: Sealed) -> None:
    _fuzz(sealed, range(QUICK))


@pytest.mark.slow
def test_thousands_of_mutated_words_are_refused_or_done(sealed: Sealed) -> None:
    _fuzz(sealed, range(QUICK, QUICK + LONG))


@pytest.mark.parametrize("number", range(len(COMMANDS)))
def test_what_the_words_are_made_of_is_understood(number: int) -> None:
    words, end = COMMANDS[number]
    parser().parse_args([*words.split(), *end])
