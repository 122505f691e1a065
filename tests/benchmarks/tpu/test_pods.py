"""The record of steps on many chips against arithmetic: no test needs libtpu."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import benchmarks.tpu.__main__ as command
from benchmarks.tpu import pod_record, record
from benchmarks.tpu.chips import CHIPS, SIZES, SLICES
from benchmarks.tpu.collectives import Collective
from benchmarks.tpu.pods import GLOBAL, STEPS, Memory, Pod, batches, expected, ring
from parity import recipes
from parity.errors import UsageError

RECORD = pod_record.read(command.newest("pods"))
PODS = pod_record.pods(RECORD)
WEAK = [one for one in PODS if one.batch == batches(one.workload, one.chips)["weak"]]
WIDTHS = (64, 128, 256, 256, 512, 512, 512, 512)
"""Of VGG's BatchNorms."""


def like_mlp(**changes: Any) -> Pod:
    about: dict[str, Any] = {
        "workload": "mlp",
        "chip": "v5e",
        "precision": "highest",
        "effort": "fast",
        "chips": 4,
        "batch": 512,
        "memory": Memory(argument=500, output=400, alias=300, temp=50),
        "argument_bytes": 490,
        "tiled_bytes": 500,
        "collectives": [Collective("all-reduce", "f32", 9, 100, 4), Collective("all-gather", "f32", 1, 8, 2, 3, 5)],
        "compile_seconds": 1.5,
    }
    return Pod(**{**about, **changes})


def test_the_recipe_says_what_a_step_needs() -> None:
    vgg, rnn = expected("vgg-32", 32), expected("rnn-5", 128)
    assert vgg.gradients == 4 * 9_231_114 and rnn.gradients == 4 * 17_930
    assert vgg.norms == 4 * 4 * sum(WIDTHS) and rnn.norms == 0
    adam = 3 * 9_231_114 + 2 * sum(WIDTHS) + 1
    assert vgg.arguments == 4 * (adam + 32 * (32 * 32 * 3 + 1) + 1)
    assert rnn.arguments == 4 * (2 * 17_930 + 128 * (5 + 1) + 1)
    assert rnn.outputs == 4 * 128 * (5 * 3 * 128 + 10)  # hx, hh and tanh at each step, logits once
    assert expected("mlp", 1).outputs == 4 * (3072 + 1024 + 512 + 256 + 10)


@pytest.mark.parametrize("step", STEPS)
def test_the_gradients_are_those_of_the_parameters_that_the_study_states(step: str) -> None:
    assert expected(step, 1).gradients == 4 * (recipes.load(step.partition("-")[0]).parameters or 0)


def test_a_pod_adds_up() -> None:
    one = like_mlp()
    assert one.needed_bytes == 500 + 400 - 300 + 50
    assert one.step_bytes == 100 + 8 * 3 * 5
    assert one.ring_bytes == 2 * 3 / 4 * 100 + 1 / 2 * 120
    assert ring(Collective("all-reduce", "f32", 1, 256, 256)) == 2 * 255


def test_every_network_is_there_at_every_size() -> None:
    assert RECORD["label"] == record.LABEL and RECORD["failures"] == []
    for effort in ("fast", "default"):
        seen = {(one.workload, one.chips) for one in WEAK if one.effort == effort and one.chip == "v5e"}
        assert seen == {(step, chips) for step in STEPS for chips in SIZES}
    strong = {(one.workload, one.chips) for one in PODS if one.batch == GLOBAL and one.effort == "fast"}
    assert strong == {(step, chips) for step in STEPS for chips in SIZES}


def test_slices_have_as_many_chips_as_they_are_said_to() -> None:
    for chip, names in SLICES.items():
        assert chip in CHIPS and tuple(names) == SIZES
        for chips, name in names.items():
            sides = [int(side) for side in name.partition(":")[2].split("x")]
            assert name.startswith(f"{chip}:") and chips == sides[0] * sides[1] * (sides[2] if len(sides) > 2 else 1)


def test_the_arguments_are_those_of_the_recipe_and_their_tiles_the_compilers() -> None:
    for one in PODS:
        assert one.argument_bytes == expected(one.workload, one.batch // one.chips).arguments, one
        assert one.tiled_bytes == one.memory.argument, one


def test_every_collective_is_an_all_reduce_of_all_chips() -> None:
    for one in PODS:
        assert {(each.kind, each.group) for each in one.collectives} == {("all-reduce", one.chips)}, one
        assert {each.types for each in one.collectives} == {"f32", "s32"}, one


def test_what_is_exchanged_is_what_the_recipe_says_but_for_what_the_page_explains() -> None:
    cell = 4 * (128 + 128 * 128 + 128)
    again = 4 * (2 * sum(WIDTHS) - sum(WIDTHS[:2]))  # a sum more backward in each, a mean more forward in six
    for one in PODS:
        surplus = one.step_bytes - expected(one.workload, 1).exchanged
        loop = 29 * cell if (one.workload, one.effort) == ("rnn-30", "fast") else 0
        assert surplus == (again if one.workload == "vgg-32" else loop), one


def test_what_a_chip_needs_does_not_grow_with_their_number() -> None:
    for one in WEAK:
        alike = [
            other.memory
            for other in WEAK
            if (other.workload, other.chip, other.effort, other.precision)
            == (one.workload, one.chip, one.effort, one.precision)
        ]
        assert set(alike) == {one.memory}, one


def test_runs_add_to_a_record(tmp_path: Path) -> None:
    kept = pod_record.empty()
    record.add(kept, [like_mlp(), like_mlp(chips=16, batch=2048)], "pods")
    record.add(kept, [like_mlp(compile_seconds=9.0)], "pods")
    record.write(kept, tmp_path / "pods.json", "pods")
    again = pod_record.read(tmp_path / "pods.json")
    assert again == json.loads(json.dumps(kept))
    assert pod_record.pods(again) == [like_mlp(compile_seconds=9.0), like_mlp(chips=16, batch=2048)]
    assert pod_record.read(tmp_path / "none.json") == pod_record.empty()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"batch": 511}, "511 on 4 chips"),
        ({"chips": 0}, "chips"),
        ({"workload": "gpt"}, "gpt"),
        ({"collectives": [{"kind": "telepathy"}]}, "collectives"),
        ({"memory": {"argument": 1}}, "memory"),
    ],
)
def test_what_is_no_pod_is_refused(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    kept = pod_record.empty()
    record.add(kept, [like_mlp()], "pods")
    kept["pods"][0] |= changes
    (tmp_path / "pods.json").write_text(json.dumps(kept))
    with pytest.raises(UsageError, match=message):
        pod_record.read(tmp_path / "pods.json")


def test_tables_say_what_is_found_and_how_often() -> None:
    (row,) = pod_record.table([like_mlp()]).splitlines()[2:]
    assert "| 650 B | 500 B | 50 B | 1 all-reduce, 3 all-gather 5 times | 220 B |" in row
    assert pod_record.counted([]) == "none"
    lines = pod_record.listed([like_mlp(), like_mlp(chips=16, batch=2048)]).splitlines()[2:]
    assert lines[0] == "| fast | 4, 16 | all-reduce | 1 | 1 | 9 | f32 | 100 |" and len(lines) == 2
    assert pod_record.ratio(2, 0) == "–"


def test_the_command_compiles_each_size_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked = []

    def ask_compiler(*arguments: str, compiler: str) -> list[tuple[str, Any]]:
        asked.append((compiler, *arguments))
        if arguments[1] == "4":
            return [("failure", "crashed")]
        return [("pod", record.asdict(like_mlp(chips=int(arguments[1]), batch=int(arguments[2]))))]

    monkeypatch.setattr(command, "find_spec", lambda name: name)
    monkeypatch.setattr(command, "version", lambda name: "0")
    monkeypatch.setattr(command, "ask_compiler", ask_compiler)
    kept = tmp_path / "pods.json"
    arguments = ["--pods", "--workload", "mlp", "--chips", "4", "--chips", "16", "--json", str(kept)]
    assert command.main([*arguments, "--scaling", "weak"]) == 1
    assert asked == [("pod_compiler", "v5e", n, b, "mlp", "fast", "highest") for n, b in (("4", "512"), ("16", "2048"))]
    found = pod_record.read(kept)
    assert [one.chips for one in pod_record.pods(found)] == [16]
    assert found["failures"] == ["v5e, 4, 512, mlp, fast, highest: crashed"]
    assert "--pods --workload mlp --chips 4 --chips 16 --scaling weak" in found["runs"][0]["command"]
    asked.clear()
    command.main(["--pods", "--workload", "mlp", "--chips", "16"])
    assert len(asked) == 1  # 128 a chip are 2,048 in all: one step, not two


def test_a_chip_that_is_not_sold_in_slices_here_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "find_spec", lambda name: name)
    assert command.main(["--pods", "--chip", "v4"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.slow
def test_the_compiler_still_says_what_is_on_record(tmp_path: Path) -> None:
    pytest.importorskip("libtpu", reason="the TPU compiler is not installed")
    kept = tmp_path / "pods.json"
    for chips in ("4", "256"):
        assert (
            command.main(["--pods", "--workload", "rnn-30", "--chips", chips, "--scaling", "weak", f"--json={kept}"])
            == 0
        )
    for one in pod_record.pods(pod_record.read(kept)):
        assert replace(one, compile_seconds=0.0) in [replace(other, compile_seconds=0.0) for other in PODS]
