"""The newest run of a pipeline against the run of the base: metrics side by side, parity, fitted state."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline_lib.errors import InputError
from pipeline_lib.evidence.fitted_state_diff import compare_fitted_state
from pipeline_lib.project.project import Project
from pipeline_lib.records.champion import Champion, champion_path, parse_champion
from pipeline_lib.records.comparison_kept import read_comparison
from pipeline_lib.records.forgotten import forgotten_in
from pipeline_lib.records.index import read_parity
from pipeline_lib.records.layout import FITTED_STATE, METRICS, PARAMS_FILE
from pipeline_lib.records.metric_direction import Metric, declared_metric, direction_of
from pipeline_lib.records.record import Record, all_records
from pipeline_lib.records.seal import verify
from pipeline_lib.runner.reproduce import code_changes
from pipeline_lib.runner.review.markdown import bullets, code, escape, table
from pipeline_lib.runner.review.revision import Revision
from pipeline_lib.system.files import sha256_file

MOST_METRICS = 40


@dataclass(frozen=True)
class Side:
    """One side of the comparison: a record, or of a champion that is not here what its pointer says.

    `what` and `parity` are Markdown.
    """

    reference: str
    what: str
    metrics: Mapping[str, float]
    parity: str
    record: Record | None = None


def results_of(revision: Revision, pipeline: str, clean: Callable[[str], str]) -> list[str]:
    """The results of one pipeline as blocks of Markdown; records that are missing are named with what makes them."""
    project = revision.project
    run = code(f"pipeline-lib run {project.shown(project.params / f'{pipeline}.yml')}")
    records = _finished(project, pipeline)
    newest = _newest_whole(records)
    now = _side(newest, "newest finished run", clean) if newest else None
    base = _base(revision, pipeline, records, clean)
    lines = [_side_line("now", now)] if now else [f"no finished run is here: {run} makes one"]
    lines += _stale(project, newest, run) if newest else ()
    checkout = code(revision.commit[:12])
    nothing = f"no run of the base is here, and no champion: {run} makes one in a checkout of {checkout}"
    lines.append(_side_line("base", base) if base else nothing)
    if newest is None or now is None or base is None:
        return [bullets(lines)]
    lines += _comparison(revision, base, newest, clean)
    if base.record == newest:
        return [bullets([*lines, f"both are the same run: nothing was run since; {run} makes a new one"])]
    lines += _state_lines(base, newest)
    return [bullets(lines), _metrics(project, pipeline, base, now)]


def _side_line(name: str, side: Side) -> str:
    return f"{name}: {code(side.reference)}, {side.what}; parity {side.parity}"


def _finished(project: Project, pipeline: str) -> list[Record]:
    """Finished runs that are no members of a sweep, oldest first."""
    found = [record for record in all_records(project.runs) if record.pipeline == pipeline]
    return [record for record in found if record.status() == "finished" and not record.is_sweep_member]


def _newest_whole(records: Sequence[Record]) -> Record | None:
    """The last of some records that is as it was sealed."""
    return next((record for record in reversed(records) if not verify(record)), None)


def _base(revision: Revision, pipeline: str, records: list[Record], clean: Callable[[str], str]) -> Side | None:
    """What the newest run is compared with: the run of the base's commit, the champion, or a run of an earlier one."""
    commits = {record: _clean_commit(record) for record in records}
    exact = _newest_whole([record for record in records if commits[record] == revision.commit])
    if exact:
        return _side(exact, "run of the base's commit", clean)
    champion = _champion(revision, pipeline)
    if champion:
        here = _newest_whole([r for r in records if r.manifest().get("digest") == champion.record.digest])
        if here:
            return _side(here, "champion", clean)
        parity = escape(clean(champion.parity)) or "not known"
        return Side(champion.record.reference, "champion, by its pointer alone", champion.metrics, parity)
    for record in reversed(records):
        if commits[record] and revision.is_ancestor(commits[record]) and not verify(record):
            return _side(record, f"run of the earlier commit {code(commits[record][:12])}", clean)
    return None


def _comparison(revision: Revision, base: Side, newest: Record, clean: Callable[[str], str]) -> Iterator[str]:
    """What a comparison of the newest run with the champion found, else with the base; or the command that compares."""
    champion = _champion(revision, newest.pipeline)
    reference, digest = (champion.record.reference, champion.record.digest) if champion else (base.reference, "")
    if not champion and base.record:
        digest = str(base.record.manifest().get("digest"))
    if digest == newest.manifest().get("digest"):
        return
    kept = read_comparison(newest, digest)
    if kept:
        yield f"**{escape(clean(kept.sentence))}**"
    else:
        compare = code(f"pipeline-lib compare {reference} {newest.reference}")
        yield f"not shown to be better or not worse: {compare} compares them row by row"


def _clean_commit(record: Record) -> str:
    """The commit whose files alone a run was made of; empty where there is none."""
    git = record.manifest().get("git")
    if not isinstance(git, dict) or git.get("changed"):
        return ""
    code_files = [name for name in git.get("untracked") or () if str(name).endswith((".ipynb", ".py", ".yml"))]
    return "" if code_files else str(git.get("commit", ""))


def _champion(revision: Revision, pipeline: str) -> Champion | None:
    """The champion by the pointer of the base, else by that of the working tree; None for none that can be read."""
    project = revision.project
    path = champion_path(project, pipeline)
    shown = project.shown(path)
    for content in (revision.read(shown), path.read_bytes() if path.is_file() else None):
        try:
            if content is not None:
                return parse_champion(content, pipeline, shown, project.root)
        except InputError:
            continue
    return None


def _side(record: Record, what: str, clean: Callable[[str], str]) -> Side:
    metrics, overrides = record.read_json(METRICS), record.manifest().get("overrides") or ()
    if overrides:
        what += f", with {code(clean(' '.join(f'--set {override}' for override in overrides)))}"
    metrics = metrics if isinstance(metrics, dict) else {}
    return Side(record.reference, what, metrics, _parity(record, clean), record)


def _parity(record: Record, clean: Callable[[str], str]) -> str:
    """The verdict of the last parity check, as Markdown."""
    forgotten = forgotten_in(record.manifest())
    if forgotten:
        return f"cannot be checked: {escape(clean(str(forgotten)))}"
    parity = read_parity(record)
    if parity is None:
        return f"not checked: {code(f'pipeline-lib parity {record.reference}')}"
    return escape(clean(str(parity["text"]).partition("\n")[0].removeprefix("parity: ")))


def _stale(project: Project, record: Record, run: str) -> Iterator[str]:
    """Whether the working tree is no longer what a run was made of."""
    changed = 0
    try:
        changed = len(code_changes(record, project))
    except InputError:
        yield "the run keeps no notebook to compare with the present one"
    file = project.root / str(record.manifest().get("parameters_file", ""))
    if file.is_file() and (record.folder / PARAMS_FILE).is_file():
        changed += sha256_file(file) != sha256_file(record.folder / PARAMS_FILE)
    if changed:
        parts = "1 cell or parameters file has" if changed == 1 else f"{changed:,} cells or parameters files have"
        yield f"**that run is of other code**: {parts} changed since; {run} makes one of this code"


def _state_lines(base: Side, now: Record) -> Iterator[str]:
    """What the two runs have in common: raw rows, fitted state, artifact. No values are shown."""
    if base.record is None:
        yield f"{code(base.reference)} is not here: {code(f'pipeline-lib pull {now.pipeline}@champion')} fetches it"
        return
    old, new = (record.manifest().get("hashes") or {} for record in (base.record, now))
    if old.get("raw_input") and new.get("raw_input"):
        same = old["raw_input"] == new["raw_input"]
        yield (
            "training and evidence rows: the same"
            if same
            else ("training or evidence rows: **others**, so a metric may differ by its rows alone")
        )
    states = [record.folder / FITTED_STATE for record in (base.record, now)]
    if not all(path.is_file() for path in states):
        yield "fitted state: not compared, as one of the runs keeps none"
        return
    try:
        difference = compare_fitted_state(*states)
    except InputError:
        yield "fitted state: not compared, as it cannot be read"
        return
    steps = ", ".join(f"{code(step)} {count:,}" for step, count in list(difference.steps.items())[:MOST_METRICS])
    yield f"fitted state: {difference.count:,} of {difference.total:,} values differ{f' ({steps})' if steps else ''}"


def _metrics(project: Project, pipeline: str, base: Side, now: Side) -> str:
    """The metrics of both sides, that of METRIC first."""
    try:
        deciding = declared_metric(project, pipeline)
    except InputError:
        deciding = None
    names = list(dict.fromkeys((*base.metrics, *now.metrics)))
    if deciding and deciding.name in names:
        names = [deciding.name, *(name for name in names if name != deciding.name)]
    rows = [_metric_row(name, deciding, base.metrics.get(name), now.metrics.get(name)) for name in names[:MOST_METRICS]]
    left = f"\n\n{len(names) - MOST_METRICS:,} more metrics are left out" if len(names) > MOST_METRICS else ""
    return table(("metric", "base", "now", "change", ""), rows) + left if rows else "no metrics"


def _metric_row(name: str, deciding: Metric | None, old: Any, new: Any) -> tuple[str, ...]:
    decides = deciding is not None and deciding.name == name
    direction = deciding.direction if deciding and decides else direction_of(name)
    shown = f"**{code(name)}**" if decides else code(name)
    change, verdict = "", ""
    if _is_number(old) and _is_number(new):
        change = "0" if old == new else f"{new - old:+,.6g}"
        better = (new > old) == (direction == "maximize")
        verdict = "same" if old == new else "" if direction is None else "better" if better else "worse"
    return shown, _text(old), _text(new), change, f"**{verdict}**" if decides and verdict else verdict


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _text(value: Any) -> str:
    return "" if value is None else f"{value:,.6g}" if _is_number(value) else code(str(value))
