"""What a person reads: the verdict, the rung, the layer, the values, and the answer last."""

from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console

from parity import recipes
from parity.checks.verdict import Finding, Rung, Verdict
from parity.interface.trace import spoken
from parity.report.pair import Report
from parity.report.terminal import answer, describe, evidence, show_recipes, show_results, subject
from tests.report.made import BAD, CAST, LAZY, SAME, UNSURE, WRONG, bad, good, of_recipe, result


def _console(width: int = 100) -> Console:
    return Console(file=StringIO(), width=width, highlight=False)


def _shown(*results: Report) -> str:
    out = _console()
    show_results(out, results)
    assert isinstance(out.file, StringIO)
    return out.file.getvalue()


def test_all_the_same_ends_with_the_answer() -> None:
    lines = _shown(result("moons"), result("vgg", good(3, 6.5))).splitlines()
    assert lines[-2:] == [
        "SAME: moons, vgg – the same function in Flax, PyTorch and NumPy",
        "16 comparisons; the largest gap is 6.5 × rounding, 1024 is the limit",
    ]
    row = next(line.split() for line in lines if line.strip().startswith("vgg"))
    assert row == ["vgg", *"========", "23", "/", "23", "1.5", "same"]


def test_what_is_different_is_told_with_rung_layer_and_values() -> None:
    text = _shown(result("vgg", bad(2, WRONG)), result("moons"))
    words = " ".join(text.split())
    assert "vgg: different on rung 2 (forward) at layer features.0.norm" in words
    assert "worst at [3, 5], 1.25 in flax, 1.5 in torch; 3.2e+07 × rounding (threshold 1024)" in words
    assert text.splitlines()[-3:-1] == [
        "DIFFERENT: vgg – not the same function",
        "SAME: moons – the same function in Flax, PyTorch and NumPy",
    ]
    assert "3.2e+07" in text.splitlines()[-1]


def test_what_differs_on_several_devices_is_told_with_its_cause() -> None:
    wrong = replace(bad(10, replace(WRONG, mode="flax, 4 devices against 1"), "norm"), cause="by design: a cause")
    words = " ".join(_shown(of_recipe("vgg", (*result("vgg").rungs, wrong))).split())
    assert "vgg: different, by design: a cause, on rung 10 (devices) at layer norm;" in words
    assert "(flax, 4 devices against 1): worst at [3, 5]" in words
    assert "DIFFERENT: vgg – not the same training on several devices as on one 9 comparisons" in words
    assert "8 data · 10 devices" in words


def test_marks_stand_in_the_column_of_their_rung() -> None:
    lines = _shown(result("vgg", bad(2, LAZY), bad(4, CAST), bad(5, WRONG))).splitlines()
    assert lines[0].split()[1:9] == [str(n) for n in range(1, 9)]
    assert lines[1].split()[1:9] == list("=≈=?≠===")
    assert lines[2].startswith("rungs: 1 structure · 2 forward")


@pytest.mark.parametrize(
    ("finding", "start", "reason"),
    [
        (LAZY, "SAME, LESS ACCURATE: mlp – the same function, but one framework is less accurate", "9 bits of 24"),
        (CAST, "INCONCLUSIVE: mlp – not ruled on", "computes this in float32"),
    ],
)
def test_the_other_verdicts_say_why(finding: Finding, start: str, reason: str) -> None:
    text = _shown(result("mlp", bad(2, finding)))
    assert text.splitlines()[-2] == start
    assert reason in " ".join(text.split())


def test_chosen_rungs_are_not_sold_as_all() -> None:
    made = of_recipe("rnn", (good(1), good(5)), 0.1, "palindromes")
    assert answer([made]).splitlines()[0].endswith("NumPy, as far as rungs 1, 5 tell")
    assert _shown(made).splitlines()[0].split()[:3] == ["network", "1", "5"]


def test_a_finding_in_words() -> None:
    isolated = Finding("output", "hh[3]", BAD, 2e3, {}, (), {"flax": 0.1, "torch": 0.2}, "torch", "", "training", True)
    assert evidence(isolated) == (
        "output hh[3] (training, fed the same input): worst at [], 0.1 in flax, 0.2 in torch; "
        "2.0e+03 × rounding (threshold 1024); torch is the odd one out"
    )
    assert evidence(Finding("output", "", UNSURE, reason="nothing was compared")) == (
        "output of the network: nothing was compared"
    )


def test_a_rung_that_did_not_run_says_why() -> None:
    text = describe(Rung(3, "gradients", UNSURE, reason="not run: no weights"))
    assert text == "inconclusive on rung 3 (gradients); not run: no weights"


def test_a_name_with_brackets_is_shown_whole() -> None:
    text = _shown(result("rnn", bad(2, Finding("output", "hh[3]", BAD, 2e3, index=(1, 2), values={"flax": 0.1}))))
    assert "at layer hh[3]" in text
    assert "worst at [1, 2]" in " ".join(text.split())


def test_infinite_shares_can_be_shown() -> None:
    found = Finding("output", "a", BAD, float("inf"), reason="shapes (2,) in flax against (3,) in torch")
    assert "largest gap is inf" in _shown(result("rnn", bad(2, found)))


def test_no_findings_at_all_can_be_shown() -> None:
    rung = Rung(1, "structure", UNSURE)
    lines = _shown(of_recipe("rnn", (rung,), 0.1, "palindromes")).splitlines()
    assert lines[-1].startswith("0 comparisons")
    assert lines[-2].startswith("INCONCLUSIVE: rnn")


def test_recipes_are_listed_with_their_claims() -> None:
    out = _console(width=200)
    show_recipes(out, [recipes.load("vgg")])
    assert isinstance(out.file, StringIO)
    text = out.file.getvalue()
    for part in ("vgg", "VGG", "9,231,114", "cifar10 (digits)", "adam", recipes.load("vgg").claim):
        assert part in text


def test_the_answer_is_one_line_a_verdict_however_narrow() -> None:
    out = _console(width=40)
    show_results(out, [result("moons")])
    assert isinstance(out.file, StringIO)
    assert out.file.getvalue().splitlines()[-2] == "SAME: moons – the same function in Flax, PyTorch and NumPy"
    assert result("moons").verdict is SAME


@pytest.mark.parametrize(
    ("name", "words"),
    [("3", "layer 3"), ("0.1[2]", "layer 0.1[2]"), ("", "the network"), ("conv1", "conv1"), ("layers.0", "layers.0")],
)
def test_layers_that_are_named_by_a_number_are_written_as_layers(name, words):
    assert spoken(name) == words
    assert f"of {words}" in subject(Finding("output", name, Verdict.DIFFERENT)) or words == name
