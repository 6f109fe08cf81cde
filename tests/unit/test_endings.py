"""Requests to end a process: heard as exceptions, until what stands at the end of a block is done."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from impasse.flows.gate import endings

HEARD = [signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGALRM, signal.SIGXCPU, signal.SIGRTMIN]


@pytest.fixture(autouse=True)
def as_by_default() -> Iterator[None]:
    """What signals do in a process of its own; whoever starts the tests may have set them otherwise."""
    before = {number: signal.signal(number, signal.SIG_DFL) for number in HEARD}
    before[signal.SIGINT] = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", HEARD)
def test_a_request_to_end_is_an_exception(number: int) -> None:
    """With the exit code by which a shell knows the signal; afterwards the signal does what it did before."""
    with pytest.raises(SystemExit) as ended, endings.heard():
        signal.raise_signal(number)

    assert ended.value.code == 128 + number
    assert signal.getsignal(number) == signal.SIG_DFL


def test_an_interrupt_stays_one() -> None:
    """Ctrl-C is told as it was."""
    with pytest.raises(KeyboardInterrupt), endings.heard():
        signal.raise_signal(signal.SIGINT)

    assert signal.getsignal(signal.SIGINT) == signal.default_int_handler


@pytest.mark.parametrize("number", [*HEARD, signal.SIGINT])
def test_nothing_is_heard_of_who_comes_later(number: int) -> None:
    """From when it is said on, to the end of the block."""
    with endings.heard() as requests:
        requests.hear_no_more()
        signal.raise_signal(number)


def test_what_others_listen_to_is_theirs_until_nothing_is_heard() -> None:
    """Prefect hears TERM itself, to say how a flow ended."""
    heard: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: heard.append(number))
    with endings.heard() as requests:
        signal.raise_signal(signal.SIGTERM)
        requests.hear_no_more()
        signal.raise_signal(signal.SIGTERM)
    signal.raise_signal(signal.SIGTERM)

    assert heard == [signal.SIGTERM, signal.SIGTERM]


def test_what_was_to_be_ignored_is_ignored() -> None:
    """As of a command under nohup, and of a window that changes its size."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with endings.heard():
        signal.raise_signal(signal.SIGHUP)
        signal.raise_signal(signal.SIGWINCH)
