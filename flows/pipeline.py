"""The run, as a sentence.

Read the delivery unedited; check that it looks like one; clean and validate it; cut it into parts by
person; in each, build episodes once and judge them under every definition; add up, compare all with
all; hide what may not be shown; check what is to be released; say it; publish all of it at once.

Tasks exchange paths and counts. What Prefect keeps (parameters, artifacts, states) holds no row.
"""

from __future__ import annotations

from pathlib import Path

from prefect import flow, task
from prefect.utilities.annotations import quote

from impasse.flows.files.s3 import Place
from impasse.flows.gate.redact import redact
from impasse.flows.run import artifacts, engines, retries, unfinished
from impasse.flows.run.loading import Loaded, load
from impasse.flows.run.parts import classify_all
from impasse.flows.run.plan import Plan, make_plan, taken
from impasse.flows.run.progress import begin_reading, tell
from impasse.flows.run.steps import comparing, publication, reading, rendering

read_delivery = task(redact(reading.read_delivery), name="read, clean and check the delivery", **retries.AGAIN)
compare = task(redact(comparing.compare), name="compare definitions", **retries.AGAIN)
render = task(redact(rendering.render_pages), name="write the pages", **retries.AGAIN)
publish = task(redact(publication.publish), name="publish", **retries.ONCE)  # a half-done move is not tried again


@flow(name="impasse", flow_run_name="{study_path}", persist_result=False, validate_parameters=True)
@redact
def run_study(
    study_path: str,
    out: str | None = None,
    buckets: int | None = None,
    memory: str | None = None,
    engine: str | None = None,
    address: str | None = None,
    workers: int | None = None,
    resume: bool = False,
) -> str:
    """Run a study file and publish the result; returns the published run's folder.

    What is stated here holds over the study file's own. `resume` goes on with a run whose parts could not all be
    classified, or that was killed after its delivery was read.
    """
    requested = {"buckets": buckets, "memory": memory, "kind": engine, "address": address, "workers": workers}
    plan = make_plan(Path(study_path), out, resume, **requested)
    loaded = load(plan.study_path)
    unfinished.note_left_over(plan.folder, plan.run_id, plan.made_of())
    with taken(plan, resume), publication.kept_if_resumable(plan, loaded):
        engines.require_engine(plan.engine)
        return str(_finish(plan, loaded) if publication.is_whole(plan) else _run(plan, loaded))


def _run(plan: Plan, loaded: Loaded) -> Place:
    tell("reading and checking the delivery", 0, 1)
    begin_reading()
    counts = reading.delivery_read_before(plan) or read_delivery(plan, quote(loaded))
    artifacts.show_rows(counts.tables)
    last = counts.parts + 4
    classify_all(plan, counts, last)
    tell("comparing definitions", last - 3, last)
    artifacts.show_verdicts(compare(plan, quote(loaded)))
    tell("writing the pages", last - 2, last)
    render(plan, quote(loaded))
    return _finish(plan, loaded, last)


def _finish(plan: Plan, loaded: Loaded, last: int = 1) -> Place:
    tell("publishing", last - 1, last)
    folder = publish(plan, quote(loaded))
    artifacts.show_folder(folder)
    return folder
