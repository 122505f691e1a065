"""`parity train`, as a person runs it."""

import io
import json
import math
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from rich.console import Console

from parity.cli.main import main
from parity.report.training import Bar
from parity.training import checkpoint
from parity.training.folder import CHECKPOINTS

MOONS = ("train", "moons", "--backend=numpy", "--steps=120")


def refused(capsys, *argv: str) -> str:
    """Run the command, which must refuse; its one line."""
    code: object
    try:
        code = main(argv)
    except SystemExit as stopped:  # argparse leaves by itself
        code = stopped.code
    captured = capsys.readouterr()
    lines = [line for line in captured.err.splitlines() if not line.startswith("nothing is kept")]
    assert (code, captured.out, len(lines)) == (2, "", 1), captured.err
    return lines[0]


def test_a_run_ends_with_its_summary_and_keeps_everything(parity, tmp_path: Path) -> None:
    out = tmp_path / "deep" / "run"
    found = parity(*MOONS, "--seed=3", f"--out={out}")
    assert found.returncode == 0, found.stderr
    assert found.stderr == ""
    *table, end = found.stdout.splitlines()
    assert [line.split()[0] for line in table] == ["split", "training", "train", "test"]
    assert end.startswith("moons on moons in numpy (float64, cpu), seed 3: 120 steps, ")
    summary = json.loads((out / "summary.json").read_text())
    assert f"{summary['test']['accuracy']:.4f}" in table[3] and "200" in table[3]
    assert summary["plan"]["recipe"]["name"] == "moons" and summary["versions"]["numpy"]
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    kinds = [(line["kind"], line["step"], line.get("split")) for line in lines]
    steps = (50, 100, 120)
    assert kinds == [
        each
        for step in steps
        for each in (("train", step, None), ("evaluation", step, "train"), ("evaluation", step, "test"))
    ]
    assert sorted(path.name for path in out.iterdir()) == ["checkpoints", "metrics.jsonl", "summary.json"]
    assert len(list((out / "checkpoints").iterdir())) == 3


def test_without_out_nothing_is_written_and_that_is_said(capsys, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(MOONS) == 0
    said = capsys.readouterr()
    assert said.err == "nothing is kept: --out DIR says where to keep metrics and checkpoints\n"
    assert "seed 0: 120 steps" in said.out
    assert list(tmp_path.iterdir()) == []


def test_a_run_resumed_in_another_framework_leaves_the_first_alone(capsys, tmp_path: Path) -> None:
    run = tmp_path / "run"
    assert main([*MOONS, f"--out={run}"]) == 0
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    capsys.readouterr()
    again = ("train", "moons", "--backend=torch", f"--resume={run}", "--steps=150")
    assert main(again) == 0
    said = capsys.readouterr()
    assert said.err.startswith("nothing is kept") and "in torch (float64, cpu), seed 0: 150 steps" in said.out
    assert main([*again, f"--out={tmp_path / 'on'}"]) == 0
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before
    assert json.loads((tmp_path / "on" / "summary.json").read_text())["resumed_at"] == 120


def test_a_resumed_run_keeps_its_own_options_and_may_be_longer(capsys, tmp_path: Path) -> None:
    new = ("--seed=5", "--learning-rate=0.5", "--batch-size=300", "--checkpoint-every=30", "--keep=2")
    assert main([*MOONS, *new, f"--out={tmp_path}"]) == 0
    assert main(["train", "moons", "--backend=numpy", "--epochs=50", f"--resume={tmp_path}"]) == 0
    found = checkpoint.load(checkpoint.latest(tmp_path))
    assert (found.plan.seed, found.plan.recipe.batch_size, found.state.step) == (5, 300, 150)
    assert found.plan.recipe.optimizer.learning_rate == 0.5
    assert [checkpoint.step_of(path) for path in checkpoint.files(tmp_path / CHECKPOINTS)] == [120, 150]


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        (["train", "moon", "--backend=numpy"], "did you mean moons"),
        (["train", "--backend=numpy"], "RECIPE"),
        (["train", "moons"], "--backend"),
        (["train", "moons", "--backend=tf"], "jax"),
        (["train", "mlp", "--backend=numpy", "--data=mnist"], "fashion-mnist"),
        (["train", "moons", "--backend=numpy", "--data=digits"], "--data does not fit moons"),
        (["train", "moons", "--backend=numpy", "--length=4"], "--length does not fit moons"),
        (["train", "rnn", "--backend=numpy", "--length=1"], "at least 2"),
        (["train", "rnn", "--backend=numpy", "--epochs=3"], "have no end"),
        (["train", "moons", "--backend=numpy", "--init=xavier"], "randn"),
        (["train", "moons", "--backend=numpy", "--steps=-1"], "whole number from 1"),
        (["train", "moons", "--backend=numpy", "--steps=0"], "whole number from 1"),
        (["train", "moons", "--backend=numpy", "--epochs=1.5"], "whole number from 1"),
        (["train", "moons", "--backend=numpy", "--steps=3", "--epochs=3"], "give one of them"),
        (["train", "moons", "--backend=numpy", "--batch-size=-2"], "whole number from 1"),
        (["train", "moons", "--backend=numpy", "--keep=0"], "whole number from 1"),
        (["train", "moons", "--backend=numpy", "--seed=-1"], "whole number from 0"),
        (["train", "moons", "--backend=numpy", "--seed=9999999999"], "seed"),
        (["train", "moons", "--backend=numpy", "--learning-rate=nan"], "a number from 0"),
        (["train", "moons", "--backend=numpy", "--learning-rate=-0.1"], "a number from 0"),
        (["train", "moons", "--backend=numpy", "--learning-rate=fast"], "a number from 0"),
        (["train", "moons", "--backend=numpy", "--precision=float32"], "float64 on cpu only"),
        (["train", "moons", "--backend=numpy", "--device=gpu"], "float64 on cpu only"),
        (["train", "mlp", "--backend=numpy", "--data=cifar10", "--data-dir=/none"], "--download"),
        (["train", "moons", "--backend=numpy", "--resume=/none"], "/none is not there"),
        (["train", "moons", "--backend=numpy", "--resume=/"], "holds no checkpoint"),
    ],
)
def test_a_wrong_word_is_told_with_the_right_ones(capsys, argv: list[str], expected: str, tmp_path: Path) -> None:
    assert expected in refused(capsys, *argv, *([] if "--resume" in argv[-1] else [f"--out={tmp_path / 'new'}"]))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        (["--seed=1", "--init=randn"], "--seed, --init cannot change in a resumed run"),
        (["--learning-rate=0.0"], "--learning-rate cannot change"),
        (["--steps=100"], "at step 120, beyond 100; give more steps"),
        (["--steps=130", "--epochs=130"], "give one of them"),
    ],
)
def test_what_a_resumed_run_cannot_do_is_told(capsys, more: list[str], expected: str, tmp_path: Path) -> None:
    assert main([*MOONS, f"--out={tmp_path}"]) == 0
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    capsys.readouterr()
    assert expected in refused(capsys, "train", "moons", "--backend=numpy", f"--resume={tmp_path}", *more)
    assert "is a checkpoint of moons, not of rnn" in refused(
        capsys, "train", "rnn", "--backend=numpy", f"--resume={tmp_path}"
    )
    assert "holds something already" in refused(capsys, *MOONS, f"--out={tmp_path}")
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


LISTENING = """import signal, sys; from parity.cli.main import main
signal.signal(signal.SIGINT, signal.default_int_handler)  # what was started in the background ignores it
sys.exit(main(sys.argv[1:]))"""


def test_an_interrupted_run_says_how_to_go_on(tmp_path: Path) -> None:
    argv = [
        sys.executable,
        "-c",
        LISTENING,
        "train",
        "moons",
        "--backend=numpy",
        "--steps=9999999",
        f"--out={tmp_path}",
    ]
    with subprocess.Popen(argv, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        while len(checkpoint.files(tmp_path / CHECKPOINTS)) < 2:
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    step = checkpoint.step_of(checkpoint.latest(tmp_path))
    said = err.splitlines()[-1]
    assert (process.returncode, out) == (130, "") and "Traceback" not in err
    assert said == f"parity: stopped; the last checkpoint is that of step {step}: --resume {tmp_path}"


def test_at_a_terminal_a_bar_shows_loss_accuracy_speed_and_time_left() -> None:
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=150)
    with Bar(console, "moons numpy", steps=100) as bar:
        bar.trained({"step": 40, "loss": 0.25, "accuracy": 0.875, "samples_per_second": 12345.6})
        bar.evaluated({"step": 40, "split": "test", "loss": 0.5, "accuracy": 0.75})
        bar.trained({"step": 60, "loss": 0.125, "accuracy": 0.9, "samples_per_second": 12345.6})
    for part in ("moons numpy", "60/100", "loss 0.1250", "accuracy 0.900", "12,346/s", "test 0.750", "0:0"):
        assert part in out.getvalue()


def test_elsewhere_a_line_now_and_then(monkeypatch) -> None:
    clock = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: clock[0])
    out = io.StringIO()
    with Bar(Console(file=out, width=150), "moons numpy", steps=100, first=20) as bar:
        for step, at in ((30, 5.0), (40, 11.0), (50, 12.0), (60, 400.0)):
            clock[0] = at
            bar.trained({"step": step, "loss": math.pi, "accuracy": 0.5, "samples_per_second": 10.0})
    assert out.getvalue().splitlines() == [
        "moons numpy 40/100: loss 3.1416 accuracy 0.500 10/s, 33 s left",
        "moons numpy 60/100: loss 3.1416 accuracy 0.500 10/s, 7 min left",
    ]
