"""Batches are prepared in another thread, before the step that uses them."""

import threading
from collections.abc import Iterator

import pytest

from parity.training.prefetch import DEPTH, ahead


def preparing() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("ThreadPoolExecutor")]


@pytest.mark.parametrize("count", [0, 1, 2, 3, 10])
def test_every_value_comes_once_and_in_order(count) -> None:
    assert list(ahead(lambda n: n * n, range(count))) == [n * n for n in range(count)]
    assert not preparing()


def test_the_next_values_are_made_elsewhere_while_one_is_used() -> None:
    made, threads = [threading.Event() for _ in range(9)], set()

    def make(n: int) -> int:
        threads.add(threading.current_thread())
        made[n].set()
        return n

    values = ahead(make, range(9))
    assert next(values) == 0
    assert all(event.wait(timeout=30) for event in made[: DEPTH + 1])
    assert not made[DEPTH + 2].is_set()
    values.close()
    assert threads.isdisjoint({threading.main_thread()}) and len(threads) == 1


def test_keys_are_asked_for_only_as_far_ahead_as_needed() -> None:
    asked = []

    def keys() -> Iterator[int]:
        for n in range(100):
            asked.append(n)
            yield n

    values = ahead(lambda n: n, keys())
    next(values)
    assert len(asked) == DEPTH + 1
    values.close()


def test_an_error_comes_where_its_value_would_and_ends_the_thread() -> None:
    def make(n: int) -> int:
        if n == 2:
            raise OSError("unreadable")
        return n

    values = ahead(make, range(99))
    with pytest.raises(OSError, match="unreadable"):
        list(values)
    assert not preparing()
    assert list(values) == []


def test_leaving_early_ends_the_thread_and_drops_what_waits() -> None:
    made = []
    values = ahead(lambda n: made.append(n), range(1000))
    next(values)
    values.close()
    assert not preparing() and len(made) <= DEPTH + 1
