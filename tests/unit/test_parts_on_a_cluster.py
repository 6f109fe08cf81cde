"""How a part on a Dask cluster ends, also where its worker is lost just when it was done."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import CancelledError

import pytest

from impasse.flows.run import engines


class Future:
    """A part as Dask tells of it: at each look how it ended and its status, or TimeoutError where nothing is known."""

    def __init__(self, *looks: tuple[object, str] | type[TimeoutError]) -> None:
        self._looks: Iterator[tuple[object, str] | type[TimeoutError]] = iter(looks)
        self.status = "finished"

    def exception(self, timeout: float | None = None) -> object:
        """What it raised, none if nothing; no look may be without end."""
        assert timeout is not None
        look = next(self._looks)
        if look is TimeoutError:
            self.status = "pending"
            raise TimeoutError
        fault, self.status = look
        return fault


class Cluster:
    """One that has workers, or has none for longer than is waited."""

    def __init__(self, *, has_workers: bool = True) -> None:
        self._has_workers = has_workers

    def wait_for_workers(self, n_workers: int, timeout: float) -> None:
        """As Dask's client does."""
        if not self._has_workers:
            raise TimeoutError


def test_a_part_that_is_done_or_failed() -> None:
    """None, or what it raised."""
    fault = MemoryError()

    assert engines._fault(Cluster(), Future((None, "finished"))) is None
    assert engines._fault(Cluster(), Future(TimeoutError, (fault, "error"))) is fault


def test_a_part_whose_worker_is_lost_when_it_is_done_is_waited_for() -> None:
    """The scheduler has it done anew; that it had been done before is not the end."""
    assert engines._fault(Cluster(), Future((None, "pending"), TimeoutError, (None, "finished"))) is None


def test_a_cluster_without_workers_is_given_up_then_too() -> None:
    """It would be waited for without end."""
    with pytest.raises(TimeoutError):
        engines._fault(Cluster(has_workers=False), Future(TimeoutError))


def test_a_part_that_is_taken_back_is_none_that_is_done() -> None:
    """As when the scheduler is gone."""
    with pytest.raises(CancelledError):
        engines._fault(Cluster(), Future((None, "lost")))
