"""Runs one function over all chunks of a population, on several threads, and hands results back in order."""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from simulation.engine.streams import CHUNK, chunk_count

T = TypeVar("T")


def in_order(run: Callable[[int, int], T], patients: int, threads: int) -> Iterator[T]:
    """Yield ``run(chunk, size)`` for chunk 0, 1, 2, … whatever the order in which they finish.

    Kernels release the interpreter lock, so threads run side by side. No more chunks are in flight than
    twice the number of threads: a caller that folds the results keeps memory independent of the number of patients.

    Parameters
    ----------
    run : callable
        Takes the number of a chunk and how many of its patients are wanted.
    patients, threads : int
        At least 1.

    Raises
    ------
    ValueError
        If there are no patients or no threads.
    """
    if patients < 1 or threads < 1:
        raise ValueError("patients and threads must be at least 1")
    sizes = [min(CHUNK, patients - chunk * CHUNK) for chunk in range(chunk_count(patients))]
    if threads == 1 or len(sizes) == 1:
        for chunk, size in enumerate(sizes):
            yield run(chunk, size)
        return
    with ThreadPoolExecutor(threads) as pool:
        waiting: deque[Future[T]] = deque()
        for chunk, size in enumerate(sizes):
            waiting.append(pool.submit(run, chunk, size))
            if len(waiting) > 2 * threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
