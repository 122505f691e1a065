"""Exponents and crossings of made times, what a record says of them, and a short run from end to end."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.__main__ import main
from benchmarks.contestants import workload
from benchmarks.growth import measure as growth
from benchmarks.growth import page as growth_page
from benchmarks.growth.fit import Crossing, crossings, fit
from benchmarks.speed import record
from parity.errors import UsageError

SIZES = [4**k for k in range(6)]
PROVEN = {"verdict": "same", "share": 1.0, "where": "logits", "reason": "", "steps": 3}


def power(floor: float, coefficient: float, exponent: float) -> list[float]:
    return [floor + coefficient * size**exponent for size in SIZES]


def made(times: dict[str, list[float]], rounds: int = 3, **changed: Any) -> dict[str, Any]:
    """A record whose rounds differ by a per cent."""
    names = [f"mlp:batch={size}" for size in SIZES]
    turns = [
        {
            "contestant": contestant,
            "round": number,
            "place": 0,
            "points": {
                name: {"seconds_per_step": [seconds * (1 + 0.01 * number)], "others": 0.0}
                for name, seconds in zip(names, values, strict=True)
            },
        }
        for number in range(rounds)
        for contestant, values in times.items()
    ]
    sizes = dict(zip(names, SIZES, strict=True))
    part = {"title": "MLP", "axis": "batch", "sizes": sizes, "proofs": dict.fromkeys(times, PROVEN), "turns": turns}
    about = {
        "schema": record.SCHEMA,
        "kind": "growth",
        "command": "",
        "request": {},
        "environment": record.environment("cpu"),
        "busy": False,
    }
    return {**about, "series": {"mlp-batch": {**part, **changed}}}


@pytest.mark.parametrize(
    ("floor", "coefficient", "exponent"), [(1e-3, 1e-4, 1.0), (1e-4, 1e-5, 1.7), (5e-3, 1e-3, 0.5)]
)
def test_the_exponent_and_the_knee_are_found(floor: float, coefficient: float, exponent: float) -> None:
    found = fit(SIZES, power(floor, coefficient, exponent))
    assert found is not None and found.low is not None and found.high is not None
    assert found.exponent == pytest.approx(exponent, abs=0.01)
    assert found.low <= found.exponent <= found.high
    assert found.knee == pytest.approx((floor / coefficient) ** (1 / exponent), rel=0.05)
    np.testing.assert_allclose(found.seconds(SIZES), power(floor, coefficient, exponent), rtol=0.01)


def test_a_power_law_without_a_floor_has_no_knee_among_the_sizes() -> None:
    found = fit(SIZES, power(0.0, 1e-4, 2.0))
    assert found is not None and found.exponent == pytest.approx(2.0, abs=0.01) and found.knee < SIZES[0]


def test_scatter_widens_the_interval_which_still_holds_the_exponent() -> None:
    scattered = np.array(power(1e-3, 1e-4, 1.0)) * np.exp(0.05 * np.random.default_rng(0).standard_normal(6))
    exact, found = fit(SIZES, power(1e-3, 1e-4, 1.0)), fit(SIZES, list(scattered))
    assert exact is not None and found is not None
    assert found.low is not None and found.high is not None and exact.low is not None and exact.high is not None
    assert found.low < 1.0 < found.high
    assert found.high - found.low > 10 * (exact.high - exact.low)


def test_few_points_and_flat_times_tell_no_exponent() -> None:
    assert fit(SIZES[:3], power(1e-3, 1e-4, 1.0)[:3]) is None
    assert fit(SIZES, [1.0, 1.0, 1.1, 1.2, 1.3, 1.9]) is None


def test_two_power_laws_cross_where_they_are_equal() -> None:
    [found] = crossings(SIZES, power(0.0, 1e-3, 1.0), power(0.0, 8e-3, 0.5), ("a", "b"))
    assert found == Crossing(found.at, "a", "b") and found.at == pytest.approx(64.0)
    assert crossings(SIZES, power(0, 1, 1), power(0, 2, 1), ("a", "b")) == []


def test_all_crossings_are_told_in_order() -> None:
    found = crossings([1, 2, 4], [1.0, 2.0, 1.0], [2.0, 1.0, 2.0], ("a", "b"))
    assert [(one.below, one.above) for one in found] == [("a", "b"), ("b", "a")]
    assert 1 < found[0].at < 2 < found[1].at < 4


def test_the_tables_say_exponent_and_crossing() -> None:
    said = growth.markdown(made({"flax-tuned": power(1e-4, 1e-5, 1.0), "torch-eager": power(1e-3, 5e-6, 1.0)}))
    assert "| 1,024 | " in said and "grows as batch to the power of 1.00" in said
    assert (
        "flax-tuned and torch-eager cross at batch" in said
        and "(flax-tuned is faster below, torch-eager above)" in said
    )
    said = growth.markdown(made({"flax-tuned": power(0, 1, 1), "torch-eager": power(0, 2, 1)}))
    assert "none, flax-tuned is faster everywhere" in said and "0.50 × (0.50–0.50)" in said


def test_what_failed_or_was_not_proven_is_told() -> None:
    found = made({"flax-tuned": power(0, 1, 1)})
    part = found["series"]["mlp-batch"]
    part["turns"].append({"contestant": "torch-eager", "round": 0, "error": "out of memory"})
    part["proofs"]["torch-tuned"] = {**PROVEN, "verdict": "different", "where": "weights layers.0.kernel"}
    said = growth.markdown(found)
    assert "torch-eager: failed: out of memory" in said
    assert "torch-tuned: no number, for it is different (weights layers.0.kernel)" in said


def test_the_figure_is_log_log_with_a_line_where_the_faster_changes() -> None:
    figure = growth.figure(made({"flax-tuned": power(1e-4, 1e-5, 1.0), "torch-eager": power(1e-3, 5e-6, 1.0)}))
    [axes] = [axes for axes in figure.axes if axes.get_visible()]
    assert (axes.get_xscale(), axes.get_yscale(), axes.get_xlabel()) == ("log", "log", "batch")
    dotted = [line.get_xdata()[0] for line in axes.lines if line.get_linestyle() == ":"]
    part = made({"flax-tuned": power(1e-4, 1e-5, 1.0), "torch-eager": power(1e-3, 5e-6, 1.0)})["series"]["mlp-batch"]
    assert dotted == [one.at for one in growth_page.crossed(part, "flax-tuned", "torch-eager")] != []


def test_records_are_kept_by_kind_and_only_with_proofs(tmp_path: Path) -> None:
    found = made({"flax-tuned": power(0, 1, 1)})
    path = record.save(found, tmp_path / "growth.json")
    assert record.load(path, "growth") == json.loads(json.dumps(found))
    with pytest.raises(UsageError, match="kind growth; expected run"):
        record.load(path)
    found["series"]["mlp-batch"]["proofs"] = {}
    with pytest.raises(UsageError, match="flax-tuned on mlp-batch, which was not proven"):
        record.save(found, tmp_path / "other.json")


def test_a_workload_at_another_size_has_it() -> None:
    def sizes(name: str) -> Any:
        return workload.load(name).recipe.config["sizes"]

    assert workload.load("mlp:batch=4").recipe.batch_size == 4
    assert workload.load("rnn-5:length=16").recipe.length == 16
    assert workload.load("rnn-5:width=16").shapes["hh.kernel"] == (16, 16)
    assert sizes("mlp:width=512") == (3072, 512, 256, 128, 10)
    assert sizes("points:parameters=102") == (2, 7, 7, 2)
    for name in ("mlp:batch", "mlp:batch=0", "mlp:depth=3", "mlp:length=3", "rnn-5:parameters=100", "none:batch=3"):
        with pytest.raises(UsageError):
            workload.load(name)


def test_a_number_of_parameters_is_that_of_the_network() -> None:
    assert growth._size("parameters", "points:parameters=100") == 93
    assert growth._size("batch", "mlp:batch=64") == 64


def test_every_series_keeps_its_ends_however_few_points() -> None:
    for series in growth.SERIES.values():
        names = series.names(None)
        assert len(names) == 6 and series.names(2) == [names[0], names[-1]]
        assert series.names(4)[::3] == [names[0], names[-1]] and len(series.names(4)) == 4
        assert workload.load(names[-1]).recipe.batch_size > 0


def test_a_short_run_from_proof_to_record(tmp_path: Path, capsys) -> None:
    out = tmp_path / "growth.json"
    short = ["--points=2", "--rounds=1", "--blocks=1", "--seconds=0.01", "--threads=1", "--contestant=torch-eager"]
    assert main(["growth", "--series", "rnn-width", *short, "--out", str(out)]) == 0
    assert "| 512 | " in capsys.readouterr().out
    part = record.load(out, "growth")["series"]["rnn-width"]
    assert {proof["verdict"] for proof in part["proofs"]["torch-eager"]["points"].values()} == {"same"}
    [turn] = part["turns"]
    assert [len(point["seconds_per_step"]) for point in turn["points"].values()] == [1, 1]
    assert main(["growth", "--series", "mlp-batch", "--out", str(out)]) == 2
    assert main(["growth", "--series", "mlp-depth"]) == 2
    assert main(["growth", "--points", "1"]) == 2
