"""PPO in both frameworks: the same steps, the same learning, and what a command says that does not fit."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from parity import recipes, weights
from parity.backends import twin_class
from parity.cli.main import main
from parity.recipes import Rollouts
from parity.training.policy import train_policy

SMALL = replace(
    recipes.load("actorcritic"),
    config={"hidden": (7,)},
    batch_size=13,
    steps=12,
    rollouts=Rollouts("CartPole-v1", environments=3, length=11, epochs=2),
)
"""33 steps a rollout, in batches of 13, 13 and 7, twice."""


def run(framework: str, precision: Any, out: Path) -> tuple[list[dict[str, Any]], Any, dict[str, Any]]:
    cls = twin_class(framework)
    twin = cls(cls.build(SMALL.network, SMALL.config, init=SMALL.init), precision=precision)
    told: list[dict[str, Any]] = []
    summary = train_policy(SMALL, twin, out=out, tell=told.append)
    assert told == [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    assert summary == json.loads((out / "summary.json").read_text())
    return told, weights.load(out / "weights.safetensors"), summary


def test_all_three_learn_the_same_from_the_same_steps(tmp_path: Path) -> None:
    pytest.importorskip("gymnasium")
    runs = {framework: run(framework, "float64", tmp_path / framework) for framework in ("flax", "torch", "numpy")}
    lines, trained, summary = runs["numpy"]
    assert [(line["step"], line["environment_steps"]) for line in lines] == [(6, 33), (12, 66)]
    assert summary["random_mean_return"] < 50 and summary["environment_steps"] == 66
    for framework in ("flax", "torch"):
        others, found, _ = runs[framework]
        assert [line["actions"] for line in others] == [line["actions"] for line in lines]
        assert [line["loss"] for line in others] == pytest.approx([line["loss"] for line in lines], rel=1e-9)
        for name, array in found.items():
            np.testing.assert_allclose(array, trained[name], rtol=1e-7, atol=1e-9, err_msg=name)


@pytest.mark.parametrize(
    ("option", "named"),
    [
        (["--data", "digits"], "--data"),
        (["--epochs", "2"], "--epochs"),
        (["--devices", "2", "--keep", "1"], "--devices, --keep"),
    ],
)
def test_options_of_other_runs_are_refused(option: list[str], named: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "actorcritic", "--backend", "numpy", *option]) == 2
    assert f"{named} does not fit actorcritic, whose data its own policy gathers" in capsys.readouterr().err


def test_the_command_says_what_a_random_policy_earns(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("gymnasium")
    assert main(["train", "actorcritic", "--backend", "torch", "--steps", "1", "--quiet"]) == 0
    said = capsys.readouterr()
    assert "mean return" in said.out and "of a random policy" in said.out and said.err == ""
