"""Fourth step: the pages of a run, and the definitions and the layout it was made by."""

from __future__ import annotations

from impasse.flows.definitions.catalogue import case_files, methods_contents
from impasse.flows.files import kept, texts
from impasse.flows.files.keep import for_user_alone
from impasse.flows.run.as_planned import program_fingerprint
from impasse.flows.run.loading import Loaded
from impasse.flows.run.plan import Plan
from impasse.flows.run.program import rendering
from impasse.flows.run.steps.manifests import OWN_LISTS_RELEASED, layout_file
from impasse.flows.run.steps.page_contents import report_contents, validation_contents
from impasse.flows.run.steps.release_tables import read_release
from impasse.reports.pages.methods import render_methods
from impasse.reports.pages.report import render_report, sentences
from impasse.reports.pages.validation import render_validation
from impasse.schemas.errors import ImpasseError
from impasse.schemas.tables import RELEASE
from impasse.transforms.disclose.sentences import check_sentences
from impasse.transforms.kernels.compiled import KEPT_IN

METHODS = "methods.html"


@for_user_alone()
def render_pages(plan: Plan, loaded: Loaded) -> None:
    """The three pages, and the definitions and the layout as they were read."""
    for definition, text in loaded.texts.items():
        texts.write_text(text, plan.work / "release" / "definitions" / f"{definition}.toml")
    for name, text in loaded.own_lists.items():
        texts.write_text(text, plan.work / OWN_LISTS_RELEASED / name)
    if layout := layout_file(loaded):
        texts.write_text(loaded.layout_text, plan.work / layout)
    texts.write_text(_methods_page(plan, loaded), plan.work / "release" / METHODS)
    report, validation = report_contents(plan, loaded, METHODS), validation_contents(plan, loaded)
    expected = [text for row in validation.expectations for text in (row["expectation"], row["observed"])]
    check_sentences([*sentences(report), *expected], {name: read_release(plan, name) for name in RELEASE})
    texts.write_text(render_validation(validation), plan.work / "release" / "validation.html")
    texts.write_text(render_report(report), plan.work / "release" / "report.html")


def _methods_page(plan: Plan, loaded: Loaded) -> str:
    """The compared definitions with their worked cases; a page that is the same for every run of them."""
    shown, codes = loaded.definitions, loaded.codes
    try:
        cases = case_files([plan.base / folder for folder in loaded.study.definitions.folders])
        written = [(d.id, loaded.texts[d.id], cases.get(d.id)) for d in shown]
        made_of = (program_fingerprint(), rendering(), written, loaded.own_lists)
        return kept.kept_page(made_of, lambda: render_methods(methods_contents(shown, codes, cases)), KEPT_IN)
    except ImpasseError:  # a user's case that cannot be read must not stop a run; `impasse definitions lint` tells it
        return render_methods(methods_contents(shown, codes))
