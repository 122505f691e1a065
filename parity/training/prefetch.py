"""Work done ahead of its use, in another thread."""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")
DEPTH = 2


def ahead(make: Callable[[K], V], keys: Iterable[K]) -> Generator[V, None, None]:
    """`map(make, keys)`, which makes the next values in another thread while the last one is used.

    The thread ends with the generator; close the generator where you may leave it before its end.
    """
    pool, waiting = ThreadPoolExecutor(1), deque[Future[V]]()
    try:
        for key in keys:
            waiting.append(pool.submit(make, key))
            if len(waiting) > DEPTH:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
