"""All of a run at once, or nothing.

When the manifest is written the run is whole, and its progress says so: from then on only a move is left, which can be
finished after whatever stopped it. On this machine what a run needs no longer is removed, the work folder becomes the
run's folder by one rename, `latest` leads to it, and the progress is removed last. On S3 nothing can be renamed: the
manifest is copied when everything else is there, and a folder without a manifest is no run; then `latest`, and the work
folder is removed, its progress last. `latest` leads to the run that was started last of those that are published.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path

from impasse.flows.files import keep, texts
from impasse.flows.files.folders import own_folder, remove, remove_all_but, rename
from impasse.flows.files.pointer import copy_whole, point_to, require_free
from impasse.flows.files.s3 import Address, Place
from impasse.flows.gate import endings
from impasse.flows.gate.redact import redact
from impasse.flows.run import unfinished
from impasse.flows.run.loading import Loaded
from impasse.flows.run.plan import Plan
from impasse.flows.run.progress import note
from impasse.flows.run.steps.manifests import released_manifest, write_manifests
from impasse.flows.run.steps.page_contents import validation_contents
from impasse.reports.pages.validation import render_validation
from impasse.schemas.errors import ImpasseError, NotAsWritten, PublicationStopped, RunInterrupted, lines_of

_PARTS = ("restricted", "release")
_KEPT = (*_PARTS, unfinished.STARTED, unfinished.LOCK, unfinished.PROGRESS)


def publish(plan: Plan, loaded: Loaded) -> Place:
    """Write the manifests, move the run into place, and let `latest` lead to it. Returns the run's folder."""
    if not is_whole(plan):
        _make_whole(plan, loaded)
    with _kept_if_not_moved(plan):
        require_free(plan.latest)
        keep.require_all_own(plan.home)
        if isinstance(plan.final, Address):
            _copy(plan, plan.final)
        else:
            _move(plan, plan.final)
        _point(plan)
    _clear_moved(plan)
    return plan.final


def is_whole(plan: Plan) -> bool:
    """Is there nothing left to do for the run but to move it into place?"""
    return plan.progress.exists() and texts.read_json(plan.progress, unfinished.Progress).is_whole


@keep.for_user_alone()
def _make_whole(plan: Plan, loaded: Loaded) -> None:
    keep.remove_asides(plan.work)
    write_manifests(plan, loaded)
    keep.settle(*(plan.work / part for part in _PARTS), within=plan.work)
    progress = texts.read_json(plan.progress, unfinished.Progress)
    texts.write_json(asdict(replace(progress, is_whole=True)), plan.progress)


def _move(plan: Plan, final: Path) -> None:
    """One rename makes the run visible; each step may be done again."""
    if plan.work.exists():
        remove_all_but(_KEPT, plan.work)
        keep.close(plan.work / "restricted")
        keep.open_up(plan.work / "release")
        rename(plan.work, final)
    keep.open_door(final)


def _copy(plan: Plan, final: Address) -> None:
    if (plan.work / _PARTS[0]).exists():  # else it was copied, and clearing away was stopped
        copy_whole(plan.work, _PARTS, final, released_manifest(plan.work))


@contextmanager
def _kept_if_not_moved(plan: Plan) -> Iterator[None]:
    """Where the move fails the run is kept, because only the move is left to be made."""
    try:
        yield
    except (ImpasseError, OSError) as error:
        what, where, expected, do = _fault(error)
        raise RunInterrupted(
            "The run is whole, but its publication could not be finished.",
            where=f"{plan.final}: {what} ({where})" if where else f"{plan.final}: {what}",
            expected=expected,
            do=f"{do} Then go on with --resume. The run is kept in {plan.home}, with rows of persons.",
        ) from None


def _fault(error: ImpasseError | OSError) -> tuple[str, str, str, str]:
    if isinstance(error, ImpasseError):
        return error.what, error.where, error.expected, error.do
    return f"{error.strerror}.", str(error.filename or ""), "", "Mend the cause."


def _point(plan: Plan) -> None:
    """Let `latest` lead to the run, unless it leads to one that was started later."""
    number, run_id = unfinished.started(plan.latest)
    if run_id != plan.run_id and (number, run_id) > (plan.number, plan.run_id):
        note(f"{plan.latest} still leads to {run_id}, which was started later than this run.")
    else:
        point_to(plan.latest, plan.final)


def _clear_moved(plan: Plan) -> None:
    """Take away what a published run needs no longer, its progress last: till then the move can be finished."""
    home = plan.home
    if isinstance(plan.final, Address):
        remove(home / _PARTS[0])  # first: while it is there the run may be copied again
        remove_all_but((unfinished.LOCK, unfinished.PROGRESS), home)
    for name in (unfinished.STARTED, unfinished.LOCK, unfinished.PROGRESS):
        remove(home / name)
    if isinstance(plan.final, Address):
        remove(home)


@contextmanager
def kept_if_resumable(plan: Plan, loaded: Loaded) -> Iterator[None]:
    """Around a run: one that is stopped is kept if it can be resumed, and cleared away if not.

    Of one that a critical check stopped the validation page is kept, and nothing else.
    """
    with endings.heard() as requests:
        try:
            try:
                yield
            finally:
                requests.hear_no_more()  # what is begun to be cleared away is cleared away
        except RunInterrupted:
            raise
        except NotAsWritten:
            clear(plan)
            raise
        except PublicationStopped as stop:
            page = _page_of(plan, loaded)
            clear(plan)
            where, expected = lines_of(stop.where), lines_of(stop.expected)
            raise PublicationStopped(stop.what, where=where, expected=expected, do=page) from None
        except BaseException:
            if plan.progress.exists():
                note(f"What is done is kept, with rows of persons, in\n{plan.home}\nGo on with --resume, or delete it.")
            else:
                clear(plan)
            raise


def _page_of(plan: Plan, loaded: Loaded) -> str:
    """Where the validation page of a stopped run is, or what kept it from being written."""
    try:
        return f"See {redact(keep_validation)(plan, loaded)}."
    except (ImpasseError, OSError) as error:
        what, where, *_ = _fault(error)
        return f"Correct the delivery. The page that says more could not be kept: {what} ({where})"


@keep.for_user_alone()
def keep_validation(plan: Plan, loaded: Loaded) -> Path:
    """The validation page of a run that was stopped, beside the published runs."""
    page = own_folder(own_folder(plan.folder / "stopped") / plan.run_id) / "validation.html"
    texts.write_text(render_validation(validation_contents(plan, loaded)), page)
    return page


def clear(plan: Plan) -> None:
    """Remove what an unpublished run left behind; first what would let it be resumed."""
    remove(plan.progress)
    remove(plan.work)
