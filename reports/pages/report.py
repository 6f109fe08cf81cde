"""The disagreement report: the released tables of one run in, one self-contained HTML page out.

The page answers first (how far the definitions are apart), then shows each disorder's prevalence, agreement and
attrition, what may explain resistance, what was never tried, how staging systems spread episodes, then what the
register cannot see, the definitions as prose, and where the numbers come from. It holds released tables only. Nothing
is computed here: rows are chosen, ordered, numbered and written out.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import Any

import polars as pl
from jinja2 import Environment, PackageLoader
from markupsafe import Markup

from impasse.reports.display import figures, tables
from impasse.reports.display.delivery_tables import reconciliation_table, rule_table
from impasse.reports.display.figures import Share
from impasse.reports.display.parts import Figure, Numbered, Option, first_and_all
from impasse.reports.display.published import published_part, unlike_counts
from impasse.reports.display.responses import response_part
from impasse.reports.display.risks import risk_parts
from impasse.reports.display.undetermined import undetermined_part
from impasse.reports.words import characteristics
from impasse.reports.words.lead import Answer, agreement_sentence, answer, left_after_steps
from impasse.reports.words.limits import few_sentence, limit_sentences, rounded_sentence
from impasse.reports.words.names import capital, confidence, words
from impasse.reports.words.prose import describe, summary
from impasse.reports.words.resistance import follow_up
from impasse.schemas.definition import DISORDERS, Definition
from impasse.schemas.published import PublishedFigure

WIDEST_PAIRS = 10
MOST_PAIRS = 100


@dataclass(frozen=True)
class ReportContents:
    """Everything the report shows.

    `rules`: table, rule, n. `verdicts`: disorder, definition_id, verdict, n, share (of the disorder's episodes), every
    verdict of every definition in a row; null where suppressed. `options`: the options of each disorder, in order.
    `rounded_to`: what rounded numbers are multiples of. `provenance`: two mappings, versions
    and parameters. `rule_meanings`: a sentence per quarantine rule. `methods`: the file beside the
    page that holds every setting of the definitions; without one the settings are written out here.
    `figures`: what papers published for definitions, of this run or not.
    """

    study_name: str
    study_title: str
    run_id: str
    date_text: str
    definitions: list[Definition]
    prevalence: pl.DataFrame
    agreement: pl.DataFrame
    agreement_overall: pl.DataFrame
    attrition: pl.DataFrame
    profile: pl.DataFrame
    responses: pl.DataFrame
    undetermined: pl.DataFrame
    risks: pl.DataFrame
    reconciliation: pl.DataFrame
    rules: pl.DataFrame
    verdicts: pl.DataFrame
    observes: frozenset[str]
    options: dict[str, list[Option]]
    rounded_to: int
    absent_tables: tuple[str, ...]
    notes: list[str]
    provenance: dict[str, dict[str, Any]]
    rule_meanings: dict[str, str] = field(default_factory=dict)
    methods: str = ""
    figures: tuple[PublishedFigure, ...] = ()


@dataclass(frozen=True)
class Delivery:
    """What was delivered, and where the numbers come from, as tables."""

    reconciliation: Markup
    rules: Markup
    provenance: list[Markup]


def render_report(contents: ReportContents) -> str:
    """The report as one HTML page."""
    known = sorted(contents.definitions, key=lambda d: d.id)
    view = {
        "title": contents.study_title or contents.study_name,
        "study": contents.study_name,
        "run_id": contents.run_id,
        "date": contents.date_text,
        "disorders": [_disorder(contents, disorder) for disorder in _disorders(contents)],
        "limits": limit_sentences(contents.observes, contents.absent_tables),
        "notes": contents.notes,
        "rounded": rounded_sentence(contents.rounded_to),
        "few": few_sentence(tables.few(contents.rounded_to)),
        "methods": contents.methods,
        "definitions": [_definition(d) for d in known if d.gives == "verdict"],
        "staging": [_definition(d) for d in known if d.gives != "verdict"],
        "are_many": len(known) > figures.MANY,
        "this": delivery_view(contents.reconciliation, contents.rules, contents.rule_meanings, contents.provenance),
    }
    return page_of("report.html", view)


def sentences(contents: ReportContents) -> list[str]:
    """What the page says of each disorder in words."""
    told = []
    for disorder in _disorders(contents):
        numbered = _numbered(contents, disorder)
        if numbered.order:
            said = _answer(contents, numbered)
            told += [said.lead, *said.then, agreement_sentence(_overall(contents, disorder))]
    return told


def page_of(template: str, view: dict[str, Any]) -> str:
    """A template filled in; every text is escaped unless this package made it as markup."""
    environment = Environment(
        loader=PackageLoader("impasse.reports"), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template(template).render(view)


def delivery_view(
    reconciliation: pl.DataFrame, rules: pl.DataFrame, meanings: dict[str, str], provenance: dict[str, dict[str, Any]]
) -> Delivery:
    """The tables that the report and the validation page share."""
    made = [
        tables.pairs_of(provenance.get("parameters", {}), "Parameter", "Value", "Parameters of the run", "parameters"),
        tables.pairs_of(provenance.get("versions", {}), "Program", "Version", "Versions", "versions"),
    ]
    return Delivery(
        reconciliation=Markup(reconciliation_table(reconciliation, "Rows per table", "reconciliation")),
        rules=Markup(rule_table(rules, meanings, "Rows set aside, by rule", "rules")),
        provenance=[Markup(table) for table in made],
    )


def _disorders(contents: ReportContents) -> list[str]:
    levels = contents.prevalence.filter(pl.col("stratum") == "disorder")["level"]
    found = {*levels, *contents.agreement_overall["disorder"], *characteristics.staged(contents)}
    return [disorder for disorder in DISORDERS if disorder in found]


def _numbered(contents: ReportContents, disorder: str) -> Numbered:
    shares = contents.prevalence.filter(
        pl.col("denominator_id") == "eligible", pl.col("stratum") == "disorder", pl.col("level") == disorder
    ).sort("bound_low", "bound_high", "definition_id", descending=[True, True, False], nulls_last=True)
    titles = {d: d for d in contents.prevalence["definition_id"]} | {d.id: d.title for d in contents.definitions}
    order = shares["definition_id"].to_list()
    shown = set(_disorders(contents))
    wide = {d.id for d in contents.definitions if len(shown & set(d.eligible.disorders)) > 1}
    return Numbered(disorder, order, [d for d in order if d not in wide], titles, shares)


def _disorder(contents: ReportContents, disorder: str) -> dict[str, Any]:
    numbered = _numbered(contents, disorder)
    named = {"id": disorder, "name": capital(words(disorder))}
    if not numbered.order:
        lead = f"No definition that gives verdicts was applied to {words(disorder)}; staging systems are below."
        return {**named, "answer": Answer(lead, []), **characteristics.parts(contents, numbered)}
    said = _answer(contents, numbered)
    return {
        **named,
        "answer": said,
        "steps": _steps_table(said, disorder),
        **_prevalence(contents, numbered),
        **_verdicts(contents, numbered),
        **_agreement(contents, numbered),
        **_attrition(contents, numbered),
        **characteristics.parts(contents, numbered),
        "responses": response_part(contents, numbered),
        "undetermined": undetermined_part(contents, numbered),
        "risks": risk_parts(contents, numbered),
        "published": published_part(contents, numbered),
        "unlike_counts": unlike_counts([one for one in contents.figures if one.definition_id in numbered.order]),
    }


def _overall(contents: ReportContents, disorder: str) -> dict[str, Any]:
    rows = contents.agreement_overall.filter(pl.col("disorder") == disorder).to_dicts()
    return rows[0] if rows else dict.fromkeys(contents.agreement_overall.columns) | {"suppressed": True}


def _steps_table(said: Answer, disorder: str) -> Markup | None:
    """How far episodes come under the definition with the fewest and the one with the most."""
    names = ("Step", "Fewest", "Most")
    rows = [dict(zip(names, row, strict=True)) for row in said.steps]
    title = "Episodes left under both definitions"
    return Markup(tables.render_table(rows, title, f"steps-{disorder}")) if rows else None


def _answer(contents: ReportContents, numbered: Numbered) -> Answer:
    shares = {row["definition_id"]: row for row in numbered.shares.iter_rows(named=True)}
    overall = _overall(contents, numbered.disorder)
    left = left_after_steps(contents.attrition.iter_rows(named=True), numbered.own)
    return answer(words(numbered.disorder), overall, shares, numbered.titles, left)


def _prevalence(contents: ReportContents, numbered: Numbered) -> dict[str, Any]:
    disorder, shares = numbered.disorder, _shares(numbered)
    rows = contents.prevalence.filter(pl.col("definition_id").is_in(numbered.order))
    caption = f"Treatment-resistant among eligible episodes of {words(disorder)}, by definition"
    heard = "; ".join(f"{share.title}: {share.text}" for share in shares)
    return {
        "prevalence": _both(figures.prevalence_chart, caption, shares, label=f"{caption}. {heard}"),
        "prevalence_table": first_and_all(
            partial(tables.prevalence_table, numbered.shares, names=numbered.names),
            numbered.order,
            f"{caption}, in numbers",
            f"prevalence-{disorder}",
        ),
        "denominators": [_denominators(rows, numbered)],
        "strata": _strata(rows, numbered),
    }


def _shares(numbered: Numbered) -> list[Share]:
    return [
        Share(
            key=number,
            title=numbered.titles[row["definition_id"]],
            bound_low=row["bound_low"],
            bound_high=row["bound_high"],
            suppressed=row["suppressed"],
        )
        for number, row in enumerate(numbered.shares.iter_rows(named=True), start=1)
    ]


def _both(draw: Any, caption: str, *rows: Any, label: str) -> Figure:
    """A chart for wide and for narrow pages; `draw` is one of the functions of `impasse.reports.display.figures`."""
    return Figure(caption, Markup(draw(*rows, label)), Markup(draw(*rows, label, narrow=True)))


def _denominators(rows: pl.DataFrame, numbered: Numbered) -> Markup:
    chosen = rows.filter(pl.col("stratum") == "disorder", pl.col("level") == numbered.disorder)
    caption = "At least and at most so many resistant, of how many, on every denominator"
    id = f"denominators-{numbered.disorder}"
    return Markup(tables.denominator_table(chosen, numbered.order, numbered.heads, caption, id))


def _strata(rows: pl.DataFrame, numbered: Numbered) -> list[Markup]:
    eligible = rows.filter(pl.col("denominator_id") == "eligible", pl.col("definition_id").is_in(numbered.own))
    made = []
    bounds = "At least and at most so many resistant, of how many eligible episodes, by"
    for stratum, caption in (
        ("sex", f"{bounds} sex"),
        ("age", f"{bounds} age at the start"),
        ("year", f"{bounds} calendar year of the start (later ones were followed for less time)"),
    ):
        chosen, id = eligible.filter(pl.col("stratum") == stratum), f"{stratum}-{numbered.disorder}"
        if len(chosen):
            told = caption + numbered.own_only
            made.append(Markup(tables.stratum_table(chosen, numbered.own, numbered.heads, told, id)))
    return made


def _verdicts(contents: ReportContents, numbered: Numbered) -> dict[str, Any]:
    rows = contents.verdicts.filter(
        pl.col("disorder") == numbered.disorder, pl.col("definition_id").is_in(numbered.order)
    )
    if rows.is_empty():
        return {"verdicts": None}
    drawn = rows.select(
        key=pl.col("definition_id").replace_strict(numbered.keys, return_dtype=pl.Int64),
        title=pl.col("definition_id").replace_strict(numbered.titles, return_dtype=pl.String),
        verdict="verdict",
        share="share",
    ).sort("key", "verdict")
    caption = f"Verdicts on all episodes of {words(numbered.disorder)}, by definition"
    table = tables.verdict_table(rows, numbered.order, numbered.heads, caption, f"verdicts-{numbered.disorder}")
    label = f"{caption}; the numbers are in the table below"
    return {
        "verdicts": _both(figures.verdict_chart, caption, drawn, label=label),
        "verdict_tables": [Markup(table)],
    }


def _agreement(contents: ReportContents, numbered: Numbered) -> dict[str, Any]:
    known = pl.col("definition_a").is_in(numbered.order) & pl.col("definition_b").is_in(numbered.order)
    pairs = contents.agreement.filter((pl.col("disorder") == numbered.disorder) & known)
    if pairs.is_empty():
        return {"heatmap": None}
    widest = pairs.sort(
        pl.col("difference").abs(), "definition_a", "definition_b", descending=[True, False, False], nulls_last=True
    )
    few = f"The {min(WIDEST_PAIRS, len(widest))} pairs furthest apart, on episodes both decide"
    return {
        "agreement": agreement_sentence(_overall(contents, numbered.disorder)),
        "heatmap": _heatmap(pairs, numbered),
        "widest_pairs": Markup(
            tables.pair_table(widest.head(WIDEST_PAIRS), numbered.short, few, f"widest-{numbered.disorder}")
        ),
        "pairs": _more_pairs(widest, numbered),
    }


def _more_pairs(widest: pl.DataFrame, numbered: Numbered) -> list[Markup]:
    """All pairs, or the first of very many."""
    if len(widest) <= WIDEST_PAIRS:
        return []
    some = f"The {MOST_PAIRS} pairs furthest apart of {len(widest):,}; all of them are in agreement.parquet"
    caption = "Every pair" if len(widest) <= MOST_PAIRS else some
    return [Markup(tables.pair_table(widest.head(MOST_PAIRS), numbered.short, caption, f"pairs-{numbered.disorder}"))]


def _heatmap(pairs: pl.DataFrame, numbered: Numbered) -> Figure:
    drawn = pairs.select(
        row=pl.col("definition_a").replace_strict(numbered.keys, return_dtype=pl.Int64),
        column=pl.col("definition_b").replace_strict(numbered.keys, return_dtype=pl.Int64),
        kappa="kappa",
        suppressed="suppressed",
    ).sort("row", "column")
    titles = [numbered.titles[d] for d in numbered.order]
    caption = "Cohen’s kappa of every pair, on episodes both decide. Numbers stand for the definitions above."
    label = f"{caption} The statistics of the pairs are in the table below."
    return _both(figures.agreement_heatmap, caption, list(numbered.keys.values()), titles, drawn, label=label)


def _attrition(contents: ReportContents, numbered: Numbered) -> dict[str, Any]:
    rows = contents.attrition.filter(pl.col("definition_id").is_in(numbered.own))
    if rows.is_empty():
        return {"attrition": None}
    caption = f"Episodes left after each step{numbered.own_only}"
    draw = partial(tables.attrition_table, rows, names=numbered.heads)
    return {"attrition": first_and_all(draw, numbered.own, caption, f"attrition-{numbered.disorder}")}


def _definition(definition: Definition) -> dict[str, Any]:
    source = definition.source
    told = [
        ("Citation", source.citation),
        ("It says", source.says),
        ("We read", source.reading),
        ("Left open", source.open),
        ("Confidence", confidence(source.confidence)),
    ]
    said = {**describe(definition), "follow-up": follow_up(definition)}
    return {
        "id": definition.id,
        "title": definition.title,
        "status": definition.status,
        "summary": summary(definition),
        "blocks": [(block.capitalize(), text) for block, text in said.items()],
        "source": [(label, text) for label, text in told if text],
    }
