"""The study file: which extract, which period, which episode rule, which definitions, what may be published."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from impasse.schemas import renamed, toml
from impasse.schemas.addresses import ADDRESS, ADDRESS_FORM, is_address
from impasse.schemas.definition import Disorder
from impasse.schemas.errors import ImpasseError
from impasse.schemas.forms import FileForm, FileNames
from impasse.schemas.quantities import DayCount

OBSERVABLE = ("drug", "psychotherapy", "cbt", "ect", "tms", "vns", "dbs", "ketamine", "neurofeedback", "psychedelics")
TABLES = ("persons", "coverage", "diagnoses", "dispensings", "procedures", "scores", "admissions")
# What a row of dispensings tells of: handed out by a pharmacy, ordered, or given to the person on the spot.
SUPPLY_KINDS = ("dispensed", "prescribed", "administered", "unknown")
FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(2300, 12, 31)
MAX_BUCKETS = 4096
# Settings of a source that only the one kind has, and only the other.
OF_REGISTRY, OF_OMOP = {"layout", "files", "decimal"}, {"exposure_end", "exposure_of_one_day"}
_BYTES = {"M": 10**6, "G": 10**9, "T": 10**12}
_ASSUMED = "assumed_days_per_package"
# Rules that need more than the row: the person's other dispensings of the drug, or those of all persons.
RHYTHM, WAITING_TIME = "personal_refill_rhythm", "waiting_time_distribution"
SUPPLY_RULES = ("days_supply", "quantity_per_daily_dose", "ddd", "packages_x_ddd", _ASSUMED, RHYTHM, WAITING_TIME)
# Settings of [supply] that one rule alone uses.
_OF_RULES = {
    _ASSUMED: _ASSUMED,
    "irregular_refills": RHYTHM,
    "waiting_time_percentile": WAITING_TIME,
    "waiting_time_min_persons": WAITING_TIME,
}


def _well_written(text: str) -> str:
    if is_address(text) and not ADDRESS.fullmatch(text):
        raise ValueError(ADDRESS_FORM)
    return text


def _not_on_s3(text: str) -> str:
    if is_address(text):
        raise ValueError("a path; only source.path and output.folder may be on S3")
    return text


SourcePath = Annotated[str, AfterValidator(_well_written)]
LocalPath = Annotated[str, AfterValidator(_not_on_s3)]


class _Section(BaseModel):
    """Settings as they are written: a number is no word and no yes, and no list names something twice."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _as_written(cls, stated: Any) -> Any:
        for name, value in stated.items() if isinstance(stated, dict) else ():
            kind = cls.model_fields[name].annotation if name in cls.model_fields else None
            if kind is bool and not isinstance(value, bool):
                raise ValueError(f"{name} to be true or false, without quotes")
            if kind in (int, float) and (isinstance(value, bool | str) or (kind is int and isinstance(value, float))):
                raise ValueError(f"{name} to be a {'whole ' if kind is int else ''}number, without quotes")
            if name != "rules" and isinstance(value, list) and len({str(one) for one in value}) < len(value):
                raise ValueError(f"{name} to name nothing twice")
        return stated


class SourceFiles(FileForm):
    """What the study says of the files of one table, over what the layout says."""

    name: FileNames | None = Field(
        None,
        description="The file's name, a pattern such as lmed_*.csv, or a list of these, each of which must be there; "
        "an empty list says that the file is not part of the delivery. Left out: as the layout says.",
    )

    @model_validator(mode="after")
    def _only_files_are_written_somehow(self) -> SourceFiles:
        if self.name == () and self.stated():
            raise ValueError(f"no {next(iter(self.stated()))} where an empty list says that there is no file")
        return self


def _as_source_files(value: object) -> object:
    return {"name": value} if isinstance(value, str | list | tuple) else value


FilesOfTable = Annotated[
    SourceFiles, BeforeValidator(_as_source_files, json_schema_input_type=str | tuple[str, ...] | SourceFiles)
]


class SourceSection(FileForm):
    """Where the delivery is and how it is laid out.

    `layout` is a shipped mapping (`swedish`, `finnish`, `danish`, `generic`) or a path to a TOML
    mapping of your own. `path` is a folder, also one on S3 (`s3://bucket/folder`), or a DuckDB file. `files` overrides
    what the mapping says of the files of a table, `observes` what each table can show. `delimiter`, `encoding`,
    `decimal` and `quoting` hold for all files of which `files` says nothing else. An OMOP CDM (`kind = "omop"`) has
    neither layout nor files, and alone states `exposure_end` and `exposure_of_one_day`. Credentials and endpoint of
    S3 come from the environment.
    """

    kind: Literal["registry", "omop"]
    path: SourcePath
    layout: LocalPath = "generic"
    files: dict[str, FilesOfTable] = Field({}, description="By the mapping's key: a name, a list of names, or a table.")
    observes: tuple[Literal[OBSERVABLE], ...] | None = None  # type: ignore[valid-type]  # the words are a tuple that others count
    exposure_end: Annotated[
        Literal["inclusive", "exclusive"],
        Field(
            description="Whether drug_exposure_end_date is the last day of the exposure, as the CDM has it (inclusive: "
            "1 to 28 January are 28 days), or the day after it (exclusive). Counts where days_supply is not filled in."
        ),
    ] = "inclusive"
    exposure_of_one_day: Annotated[
        Literal["one_day", "unknown"],
        Field(
            description="What an exposure without days_supply is that ends on the day it starts and is not "
            "administered: one day, as the CDM has it, or unknown, where a missing end was filled with the start."
        ),
    ] = "one_day"

    @model_validator(mode="after")
    def _only_omop_has_exposures(self) -> SourceSection:
        stated = sorted(self.model_fields_set & OF_OMOP)
        if self.kind != "omop" and stated:
            raise ValueError(f'source.{stated[0]} only with kind = "omop"; other layouts state days of supply')
        if "exposure_of_one_day" in stated and self.exposure_end == "exclusive":
            raise ValueError('source.exposure_of_one_day only with exposure_end = "inclusive"')
        return self

    @model_validator(mode="after")
    def _omop_has_its_own_layout(self) -> SourceSection:
        if self.kind == "omop" and self.model_fields_set & OF_REGISTRY:
            raise ValueError(
                'no source.layout, source.files and source.decimal with kind = "omop", which has its own tables'
            )
        return self


class SupplySection(_Section):
    """How delivered amounts become days, and how what was dispensed on one day is taken.

    The first of the `rules` that applies is used and recorded per row.
    """

    rules: Annotated[tuple[Literal[SUPPLY_RULES], ...], Field(min_length=1)] = (  # type: ignore[valid-type]  # the words are a tuple that others count
        "days_supply",
        "quantity_per_daily_dose",
        "ddd",
        "packages_x_ddd",
    )
    assumed_days_per_package: Annotated[int, Field(ge=1, le=366)] | None = None
    irregular_refills: Annotated[
        Literal["ignored", "lengthen"],
        Field(
            description="Whether a supply by personal_refill_rhythm lasts longer where the person refills irregularly: "
            "by the relative standard deviation of the averages, 20% at least and 50% at most, or not at all."
        ),
    ] = "ignored"
    waiting_time_percentile: Annotated[
        int,
        Field(
            ge=50,
            le=99,
            description="By waiting_time_distribution a supply lasts until so many percent of the refills have come.",
        ),
    ] = 80
    waiting_time_min_persons: Annotated[
        int,
        Field(ge=10, description="Persons with two dispensings of a drug that waiting_time_distribution needs for it."),
    ] = 50
    kinds: Annotated[
        tuple[Literal[SUPPLY_KINDS], ...],  # type: ignore[valid-type]  # the words are a tuple that others count
        Field(
            min_length=1,
            description="The kinds of supply that are read. Dispensings of other kinds are accepted and not used; an "
            "order and its dispensing are two supplies, unless only one of their kinds is read.",
        ),
    ] = SUPPLY_KINDS
    max_days: Annotated[int, Field(ge=1, le=3660)] = 366
    same_day: Annotated[
        Literal["together", "one_after_another"],
        Field(
            description="How supplies of one drug, dispensed on one day at different known doses, are taken: together, "
            "so that the doses add up, or one after another. Supplies of one dose are always one after another."
        ),
    ] = "together"
    leftovers: Annotated[
        Literal["as_days", "as_amount"],
        Field(
            description="What is left over when a drug is dispensed again: days, whatever the dose, or an amount that "
            "lasts longer at a lower dose (consider.dosage.change of AdhereR, Dima & Dediu 2017)."
        ),
    ] = "as_days"
    new_drug_ends_old: Annotated[
        bool,
        Field(
            description="A main drug that is not dispensed again once another one is begun ends the day before, also "
            "where a definition does not ask for that (medication.change.means.new.treatment.episode of AdhereR, "
            "Dima & Dediu 2017)."
        ),
    ] = False

    @model_validator(mode="after")
    def _each_rule_is_named_once(self) -> SupplySection:
        for name in self.rules:
            if self.rules.count(name) > 1:
                raise ValueError(f'"{name}" once among supply.rules: of two the second would never be used')
        return self

    @model_validator(mode="after")
    def _assumption_is_stated_where_it_is_used(self) -> SupplySection:
        if _ASSUMED in self.rules and self.assumed_days_per_package is None:
            raise ValueError(f"supply.{_ASSUMED} must be set when that rule is used")
        stated = [name for name in _OF_RULES if name in self.model_fields_set and getattr(self, name) is not None]
        for name in stated:
            if _OF_RULES[name] not in self.rules:
                raise ValueError(f'"{_OF_RULES[name]}" among supply.rules, which alone uses supply.{name}')
        return self


class PeriodSection(_Section):
    """Episodes starting in the period are classified; earlier rows are look-back, later rows are refused."""

    start: date
    end: date

    @model_validator(mode="after")
    def _ordered(self) -> PeriodSection:
        if self.start > self.end:
            raise ValueError("period.start is after period.end")
        if self.start < FIRST_DAY or self.end > LAST_DAY:
            raise ValueError(f"a period within {FIRST_DAY} to {LAST_DAY}")
        return self


class EpisodeSection(_Section):
    """One episode rule per run, so that all definitions share one denominator. All in days.

    A person who was observed for fewer than `min_prior_observation_days` before an episode may have had treatment that
    nobody sees: the episode is marked as left truncated.
    """

    disorders: tuple[Disorder, ...]
    gap_days: DayCount = 180
    treatment_bridges: bool = True
    tail_days: DayCount = 30
    min_prior_observation_days: DayCount = 365
    lead_days: DayCount = 30


class DefinitionSection(_Section):
    """Which definitions to compare: ids, or `all` active ones; `folders` add a user's own files."""

    use: tuple[str, ...] = ("all",)
    folders: tuple[LocalPath, ...] = ()
    include_unverified: bool = False

    @model_validator(mode="after")
    def _all_or_some(self) -> DefinitionSection:
        if "all" in self.use and set(self.use) != {"all"}:
            raise ValueError('either ["all"] or ids; an id beside "all" would add nothing')
        return self


class DisclosureSection(_Section):
    """Counts from 1 to `threshold` - 1 are suppressed in everything that is released."""

    threshold: Annotated[int, Field(ge=1, le=10**6)] = 5


class QualitySection(_Section):
    """Limits of the delivery check; a critical expectation outside its limit stops publication."""

    max_quarantined_percent: Annotated[float, Field(ge=0, le=100)] = 10.0
    min_rows: dict[Literal[TABLES], Annotated[int, Field(ge=0, strict=True)]] = {}  # type: ignore[valid-type]  # the words are a tuple that others count


class OutputSection(_Section):
    """Where runs are written, and what they may take.

    `folder` is one of this machine or on S3 (`s3://bucket/folder`). A run for S3 is worked on in the folder `work`,
    which every worker must see, and copied when it is whole; any other is worked on in its own `folder`.
    As many parts of the persons are worked on at a time as fit into `memory`. While they are read, persons are cut
    into at least so many `buckets`; the number is a power of two. Neither changes the results.
    """

    folder: SourcePath = "runs"
    work: LocalPath = "work"
    buckets: Annotated[int, Field(ge=1, le=MAX_BUCKETS)] = 1
    memory: Annotated[str, Field(pattern=r"^[0-9]{1,6}(\.[0-9]{1,6})? ?[MGT]B$")] = "4GB"

    @property
    def memory_bytes(self) -> int:
        """The memory as a number of bytes; a GB is a thousand million."""
        return int(float(self.memory[:-2]) * _BYTES[self.memory[-2]])


class EngineSection(_Section):
    """Where the parts of a run are worked on; none of it changes the results.

    In `threads` or `processes` of this machine, or on the Dask cluster at `address`; without an address on one of
    this machine's own. `workers` of this machine work at a time, as many as it has cores if 0 is stated.
    """

    kind: Literal["threads", "processes", "dask"] = "threads"
    workers: Annotated[int, Field(ge=0, le=1024)] = 0
    address: str = ""

    @model_validator(mode="after")
    def _only_dask_has_an_address(self) -> EngineSection:
        if self.address and self.kind != "dask":
            raise ValueError('engine.kind = "dask", which alone has an address')
        if self.address and self.workers:
            raise ValueError("engine.workers = 0 with an address: a cluster that is there has its own workers")
        return self


class Study(_Section):
    """A study file. Unknown keys are refused."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=100)]
    title: str = ""
    source: SourceSection
    supply: SupplySection = SupplySection()
    period: PeriodSection
    episodes: EpisodeSection
    definitions: DefinitionSection = DefinitionSection()
    disclosure: DisclosureSection = DisclosureSection()
    quality: QualitySection = QualitySection()
    output: OutputSection = OutputSection()
    engine: EngineSection = EngineSection()

    @model_validator(mode="after")
    def _supply_can_be_counted_so(self) -> Study:
        stated = sorted(self.source.model_fields_set & OF_OMOP)
        if stated and "days_supply" not in self.supply.rules:
            raise ValueError(f'"days_supply" among supply.rules, which alone uses source.{stated[0]}')
        if self.source.kind == "omop" and _ASSUMED in self.supply.rules:
            raise ValueError(f'no supply.{_ASSUMED} with kind = "omop", which delivers no packages')
        return self


def json_schema() -> dict[str, Any]:
    """JSON Schema of a study file, for editors."""
    return Study.model_json_schema()


def parse(name: str, text: str) -> Study:
    """Read a study file's text; `name` is the file, for messages. Raises ImpasseError."""
    written = _read(name, text)
    try:
        return Study.model_validate(renamed.with_new_names(written, renamed.STUDY_SETTINGS, name))
    except ValidationError as error:
        raise _explained(error, name, written) from None


def note_on_names(name: str, text: str) -> str:
    """What to tell the author of a study file that states former names; empty if it states none."""
    return renamed.note_on(_read(name, text), renamed.STUDY_SETTINGS, name)


def _read(name: str, text: str) -> dict[str, Any]:
    tables = toml.read(text, name, "Correct the line; dates are unquoted, text is quoted.")
    toml.require_shown(tables, name)
    return tables


def _explained(error: ValidationError, name: str, written: dict[str, Any]) -> ImpasseError:
    # A misspelt key is both unknown and missing; that it is unknown is the one to tell.
    problem = min(error.errors(), key=lambda p: p["type"] != "extra_forbidden")
    key = ".".join(renamed.as_authored([str(part) for part in problem["loc"]], written, renamed.STUDY_SETTINGS))
    if problem["type"] == "extra_forbidden":
        guess = renamed.nearest_setting(str(problem["loc"][-1]), _known_keys(), renamed.STUDY_SETTINGS)
        hint = f"Did you mean '{guess}'?" if guess else "Remove it, or see the README's study example."
        return ImpasseError(f"Unknown key '{key}'.", where=name, expected="a key of the study file", do=hint)
    if problem["type"] == "missing":
        return ImpasseError(f"Missing key '{key}'.", where=name, expected="this key to be set", do="Add it.")
    return ImpasseError(
        f"Key '{key}' has a value that is not allowed." if key else "Two keys do not go together.",
        where=name,
        expected=problem["msg"].removeprefix("Value error, "),
        do="Correct it.",
    )


def _known_keys() -> list[str]:
    types = [Study, SourceFiles, *(f.annotation for f in Study.model_fields.values())]
    sections = [kind for kind in types if isinstance(kind, type) and issubclass(kind, BaseModel)]
    return sorted({key for section in sections for key in section.model_fields})
