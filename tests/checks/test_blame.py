"""Which layer is to blame, from what each does in the free run and alone."""

import pytest

from parity.checks.blame import blame_backward, blame_forward, inherit
from parity.checks.verdict import Finding, Verdict
from tests.checks.made import finding

CALLS = ("layers.0", "hh[0]", "hh[1]", "pool", "out", "")
SAME, LESS, UNSURE, BAD = Verdict


def _run(**wrong: Verdict) -> list[Finding]:
    """Findings on all calls; those named differ. hh0 is short for hh[0], net for the network."""
    spelled = {"layers.0": "first", "hh[0]": "hh0", "hh[1]": "hh1", "": "net"}
    return [finding(call, wrong.get(spelled.get(call, call), SAME)) for call in CALLS]


def _alone(**wrong: Verdict) -> list[Finding]:
    """Gradients of calls alone, to their input and to a kernel; `wrong` names parts, as in `_run`."""
    inputs = [f for f in _run(**wrong) if f.name != "pool"]
    return [*inputs, *(finding(f"{f.name}:kernel", wrong.get(f"{f.name}_kernel", SAME)) for f in inputs)]


def test_nobody_is_blamed_where_nothing_is_wrong() -> None:
    assert blame_forward(_run(), _run()) is None
    assert blame_forward([], []) is None
    assert blame_backward([], [], _run(), [], _alone()) is None


@pytest.mark.parametrize("verdict", [UNSURE, BAD])
def test_a_layer_that_is_wrong_on_an_equal_input_is_blamed_itself(verdict: Verdict) -> None:
    blame = blame_forward(_run(hh1=BAD, out=BAD, net=BAD), _run(hh1=verdict))
    assert blame == (finding("hh[1]", verdict), "hh")


def test_a_layer_that_is_wrong_only_alone_is_blamed_too() -> None:
    assert blame_forward(_run(), _run(pool=BAD)) == (finding("pool", BAD), "pool")


def test_a_layer_that_is_right_alone_got_a_wrong_input() -> None:
    assert blame_forward(_run(hh1=BAD, net=BAD), _run()) == (finding("hh[1]", BAD), "input of hh")
    assert blame_forward(_run(net=BAD), _run()) == (finding("", BAD), "input of network")


def test_a_layer_that_could_not_be_fed_alone_is_blamed_itself() -> None:
    alone = [f for f in _run() if f.name not in ("pool", "")]
    assert blame_forward(_run(pool=BAD), alone) == (finding("pool", BAD), "pool")
    assert blame_forward(_run(net=BAD), alone) == (finding("", BAD), "network")


def test_the_first_in_order_is_blamed() -> None:
    blame = blame_forward(_run(hh0=BAD, pool=BAD, net=BAD), _run(pool=BAD, first=SAME))
    assert blame is not None
    assert blame[1] == "input of hh"
    blame = blame_forward(_run(pool=BAD, out=BAD), _run(out=BAD, pool=BAD))
    assert blame is not None
    assert blame[1] == "pool"


@pytest.mark.parametrize("lesser", [LESS, UNSURE])
def test_a_layer_that_is_only_less_accurate_does_not_take_the_blame_of_a_different_one(lesser: Verdict) -> None:
    blame = blame_forward(_run(first=lesser, out=BAD, net=BAD), _run(first=lesser, out=BAD))
    assert blame == (finding("out", BAD), "out")


def test_what_follows_from_a_call_without_a_ruling_cannot_be_different() -> None:
    passed = inherit(_run(hh0=BAD, hh1=UNSURE, pool=BAD, out=BAD, net=LESS), _run(out=BAD))
    assert [f.verdict for f in passed] == [SAME, BAD, UNSURE, UNSURE, BAD, LESS]
    assert passed[3].reason == "follows from hh[1]"
    assert passed[4] == finding("out", BAD)


def test_nothing_is_inherited_where_all_was_ruled_on() -> None:
    free = _run(hh0=BAD, pool=LESS, net=BAD)
    assert inherit(free, _run()) == free
    assert inherit([], []) == []


def test_the_last_wrong_layer_is_the_first_going_backward() -> None:
    blame = blame_backward([], [], _run(first=BAD, hh0=BAD), [], _alone(first=BAD, hh1=BAD))
    assert blame == (finding("hh[1]", BAD), "hh")


def test_a_wrong_parameter_gradient_alone_is_blamed_on_its_layer() -> None:
    blame = blame_backward([], [], _run(), [finding("out.kernel", BAD)], _alone(first=BAD, out_kernel=BAD))
    assert blame == (finding("out:kernel", BAD), "out")


def test_the_network_itself_has_a_name_going_backward() -> None:
    blame = blame_backward([], [], _run(), [], _alone(net=BAD))
    assert blame == (finding("", BAD), "network")


def test_layers_right_alone_blame_what_uses_the_output() -> None:
    blame = blame_backward([], [], _run(first=BAD, hh0=BAD, pool=BAD), [finding("layers.0.kernel", BAD)], _alone())
    assert blame == (finding("pool", BAD), "what uses the output of pool")
    blame = blame_backward([], [], _run(net=UNSURE), [], _alone())
    assert blame == (finding("", UNSURE), "what uses the output of network")


def test_then_the_ends_the_loss_and_what_the_optimizer_gets() -> None:
    end, loss, training = finding("input", BAD), finding("loss", BAD), finding("out.bias", BAD)
    assert blame_backward([loss], [training], _run(), [finding("out.bias"), end], _alone()) == (end, "input")
    assert blame_backward([loss], [training], _run(), [], _alone()) == (loss, "loss")
    assert blame_backward([finding("loss")], [training], _run(), [], _alone()) == (training, "training gradients")
