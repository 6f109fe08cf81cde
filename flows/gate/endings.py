"""Requests to end: a signal becomes an exception, so that what stands at the end of a block is done, undisturbed.

Whatever ends a process by default is heard, Ctrl-C and a terminal that is closed as well as a limit on its time; what
was set to be ignored stays so, and what others listen to is theirs. A fault in the process itself, and what nobody can
hear (KILL, a power cut), is no request.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_FAULTS = {"SIGABRT", "SIGBUS", "SIGEMT", "SIGFPE", "SIGILL", "SIGSEGV", "SIGSYS", "SIGTRAP"}
_UNHEARD = {"SIGKILL", "SIGSTOP"}
_END_NOTHING = {"SIGCHLD", "SIGCONT", "SIGINFO", "SIGTSTP", "SIGTTIN", "SIGTTOU", "SIGURG", "SIGWINCH"}
_NO_REQUESTS = {getattr(signal, name, None) for name in _FAULTS | _UNHEARD | _END_NOTHING}
_REQUESTS = sorted(signal.valid_signals() - _NO_REQUESTS)
_BY_DEFAULT = (signal.SIG_DFL, signal.default_int_handler)


class Requests:
    """The requests to end this process; they are heard until nobody is to be disturbed."""

    def __init__(self) -> None:
        self._are_heard = True
        self._before: dict[int, object] = {}

    def listen(self) -> None:
        """Hear what would end the process; no thread but the main one may say what a signal does."""
        self._take([number for number in _REQUESTS if signal.getsignal(number) in _BY_DEFAULT])

    def hear_no_more(self) -> None:
        """Let nothing disturb what is done from here on, whoever listened."""
        self._are_heard = False
        others = (*_BY_DEFAULT, signal.SIG_IGN, self._end, None)
        self._take([number for number in _REQUESTS if signal.getsignal(number) not in others])

    def give_back(self) -> None:
        """Let signals do what they did before."""
        for number, before in self._before.items():
            signal.signal(number, before)

    def _take(self, numbers: list[int]) -> None:
        if threading.current_thread() is threading.main_thread():
            for number in numbers:
                self._before.setdefault(number, signal.signal(number, self._end))

    def _end(self, number: int, _frame: FrameType | None) -> None:
        if self._are_heard:
            raise KeyboardInterrupt if number == signal.SIGINT else SystemExit(128 + number)


@contextmanager
def heard() -> Iterator[Requests]:
    """Let requests to end be exceptions in a block, until it says that it hears no more."""
    requests = Requests()
    try:
        requests.listen()
        yield requests
    finally:
        requests.give_back()
