"""How a run says what it is doing where nobody has a terminal."""

from __future__ import annotations

import io
import re

from rich.console import Console

from impasse.flows.run import progress


def test_each_step_is_a_line_with_its_time() -> None:
    """A log tells when each step began, to the second and with the zone."""
    log = io.StringIO()
    with progress.progress_shown(Console(file=log), in_logs=True):
        progress.tell("comparing definitions", 1, 3)
        progress.tell("publishing", 2, 3)
    assert re.sub(r"\d", "0", log.getvalue()).replace("-00:00 ", "+00:00 ").splitlines() == [
        "0000-00-00 00:00:00+00:00 comparing definitions",
        "0000-00-00 00:00:00+00:00 publishing",
    ]


def test_short_commands_say_nothing_in_a_log() -> None:
    """Only what runs long is followed there."""
    log = io.StringIO()
    with progress.progress_shown(Console(file=log)):
        progress.tell("checking", 1, 2)
    assert log.getvalue() == ""


def test_rows_may_be_known_from_the_moment_they_are_read() -> None:
    """Until then an error is told in its own words, afterwards it is not; who does not say is taken to have read."""
    before = progress.is_reading()
    with progress.progress_shown(Console(file=io.StringIO())):
        begun = progress.is_reading()
        progress.begin_reading()
        read = progress.is_reading()
    assert (before, begun, read) == (True, False, True)
