"""The command line: thin words over functions that say more."""

import functools
import json
import os
import shutil
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from pipeline_lib.errors import InputError, PipelineLibError, RunError
from pipeline_lib.files import read_json
from pipeline_lib.project import find_project

if TYPE_CHECKING:
    from pipeline_lib.parity import Parity
    from pipeline_lib.record import Record

_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
_REF = click.argument("ref")


def main() -> None:
    """Entry point: exit 0 as asked, 1 a check found a difference, 2 bad input, 3 the run itself failed."""
    try:
        commands.main(standalone_mode=False)
    except PipelineLibError as error:
        _fail(str(error), error.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        sys.exit(130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except ModuleNotFoundError as error:
        extras = "opaque, research and examples"
        _fail(
            f"found no package {error.name!r}, expected the research requirements; run `make setup`, "
            f"or install the project with its extras {extras}",
            2,
        )
    except OSError as error:
        _fail(f"found {error}, expected files and folders that can be read and written; correct that and try again", 3)
    except Exception:
        traceback.print_exc()
        _fail("found an error that nobody foresaw, expected none; please report the lines above", 3)


def _fail(message: str, code: int) -> NoReturn:
    click.echo(f"error: {message}", err=True)
    sys.exit(code)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="nb-pipeline-lib")
def commands() -> None:
    """From research notebook to production library: the same raw rows give the same bits.

    A REF names a run: NAME (its newest finished run), NAME@latest (newest of any status),
    NAME@scratch (newest interactive one), NAME/ID, or the path of a record.
    """


@commands.command
@click.argument("params_file", type=click.Path(path_type=Path))
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override one parameter.")
@click.option("--timeout", type=click.IntRange(min=1), help="Seconds that one cell may take.")
@click.option("--no-parity", is_flag=True, help="Leave out the parity check that follows a run.")
@_JSON
def run(params_file: Path, overrides: tuple[str, ...], timeout: int | None, no_parity: bool, as_json: bool) -> None:
    """Execute a research notebook with PARAMS_FILE, leave a record, check parity."""
    from pipeline_lib.parity import check_parity
    from pipeline_lib.record import Record
    from pipeline_lib.run import run_pipeline

    progress = functools.partial(click.echo, err=True)
    try:
        record = run_pipeline(params_file, overrides=overrides, timeout=timeout, progress=progress)
    except RunError as error:
        if as_json and error.folder:
            _print_json(_summary(Record(error.folder)))
        raise
    parity = None if no_parity else check_parity(record, library=_library(params_file.parent))
    if as_json:
        _print_json(_summary(record))
    else:
        _print_run(record, parity)
    sys.exit(0 if parity is None or parity.exact else 1)


@commands.command
@_REF
@click.option("--quick", is_flag=True, help="Hand rows over in every way, in one fresh process; the default.")
@click.option("--full", is_flag=True, help="Other threads, CPUs, locales, days and clean environments as well.")
@click.option("--only", multiple=True, metavar="NAME", help="One variation; can be repeated.")
@_JSON
def parity(ref: str, quick: bool, full: bool, only: tuple[str, ...], as_json: bool) -> None:
    """Repeat a record in fresh processes, under every variation, and compare every bit."""
    from pipeline_lib.parity import FULL, check_parity
    from pipeline_lib.parity.page import PAGE, one_line
    from pipeline_lib.record import checks_folder

    if quick + full + bool(only) > 1:
        raise InputError("found two of --quick, --full and --only, expected one at most; leave the others out")
    asked: dict[str, Any] = {"variations": FULL if full else only} if full or only else {}
    if full:
        asked["progress"] = lambda outcome: click.echo(one_line(outcome), err=True)
    record = _find(ref)
    result = check_parity(record, library=_library(), **asked)
    if as_json:
        _print_json(_summary(record)["parity"])
    else:
        click.echo(f"{result.reference}\n{result}\npage: {checks_folder(record) / PAGE}")
    sys.exit(0 if result.exact else 1)


@commands.command
@click.option("--check", is_flag=True, help="Change nothing; exit 1 when the library is not a fresh export.")
def export(check: bool) -> None:
    """Write the library's generated modules from the notebooks."""
    from pipeline_lib.export import check_export
    from pipeline_lib.export import export as write

    project = find_project()
    if not check:
        for line in write(project) or ["nothing to do: the library is what the notebooks export"]:
            click.echo(line)
        return
    from pipeline_lib.preflight import check_parameters_agree

    problems = [*map(str, check_export(project)), *check_parameters_agree(project)]
    _report_problems(problems, "the library is what the notebooks export; parameters cells and files agree")


@commands.command
@click.option("--check", is_flag=True, help="Change nothing; exit 1 when a notebook is not clean.")
def clean(check: bool) -> None:
    """Strip outputs and passing metadata from the notebooks; tags stay."""
    from pipeline_lib.files import write_atomic
    from pipeline_lib.notebooks import clean_notebook, notebook_bytes, notebook_files, read_notebook

    project = find_project()
    unclean = []
    for path in notebook_files(project.notebooks):
        content = notebook_bytes(clean_notebook(read_notebook(path, project.shown(path))))
        if path.read_bytes() == content:
            continue
        unclean.append(f"{project.shown(path)}: found outputs or passing metadata; run `pipeline-lib clean`")
        if not check:
            write_atomic(path, content)
            click.echo(f"cleaned {project.shown(path)}")
    if check:
        _report_problems(unclean, "the notebooks are clean")


@commands.command
@_JSON
def runs(as_json: bool) -> None:
    """List the runs, oldest first."""
    from pipeline_lib.record import all_records

    project = find_project()
    summaries = [_summary(record) for record in all_records(project.runs)]
    if as_json:
        _print_json(summaries)
        return
    for summary in summaries:
        click.echo(f"{summary['reference']:<32}  {summary['status']:<8}  {_verdict(summary):<18}  {_measured(summary)}")
    if not summaries:
        click.echo(f"no runs yet; `pipeline-lib run {project.shown(project.params / 'NAME.yml')}` makes one")


@commands.command
@_REF
@_JSON
def show(ref: str, as_json: bool) -> None:
    """Show a run: status, parameters, metrics, parity, what went wrong."""
    record = _find(ref)
    summary = _summary(record)
    if as_json:
        _print_json(summary)
        return
    for key in ("reference", "status", "folder", "report"):
        if summary[key] is not None:
            click.echo(f"{key:<11} {summary[key]}")
    for group in ("parameters", "metrics", "hashes"):
        for key, value in (summary[group] or {}).items():
            if value is not None:
                click.echo(f"{group:<11} {key} = {_shown(value)}")
    if summary["compiled"]:
        from pipeline_lib.compiled.report import CompileReport

        click.echo(CompileReport.from_json(summary["compiled"]))
    if summary["error"]:
        error = summary["error"]
        where = f"cell {error['cell']}: " if "cell" in error else ""
        click.echo(f"{'error':<11} {where}{error['message']}\n{error.get('traceback') or error.get('source', '')}")
    click.echo(summary["parity"]["text"] if summary["parity"] else f"{'parity':<11} {_verdict(summary)}")


@commands.command
@_REF
def report(ref: str) -> None:
    """Print the path of a run's HTML report."""
    record = _find(ref)
    if not record.report.is_file():
        raise InputError(
            f"{record.reference} ({record.status()}): found no report, expected one; only a run that "
            "`pipeline-lib run` brought to an end has a report"
        )
    click.echo(record.report)


@commands.command
@_REF
@_JSON
def verify(ref: str, as_json: bool) -> None:
    """Check every byte of a sealed record."""
    from pipeline_lib.record import verify as find_problems

    record = _find(ref)
    problems = [f"{record.reference}: {problem}" for problem in find_problems(record)]
    if as_json:
        _print_json({"reference": record.reference, "problems": problems})
        sys.exit(1 if problems else 0)
    _report_problems(problems, f"{record.reference}: every byte is as it was sealed")


@commands.command
@_REF
@click.option("--fresh-env", is_flag=True, help="Build the recorded environment from the lock first.")
@_JSON
def reproduce(ref: str, fresh_env: bool, as_json: bool) -> None:
    """Run a record's notebook again and compare all that it learns."""
    from pipeline_lib.reproduce import reproduce as run_again

    progress = functools.partial(click.echo, err=True)
    found = run_again(_find(ref), find_project(), fresh_environment=fresh_env, progress=progress)
    if as_json:
        _print_json(found.to_json())
    else:
        click.echo(found)
    sys.exit(0 if found.identical else 1)


@commands.command
@click.argument("ref_a")
@click.argument("ref_b")
@_JSON
def diff(ref_a: str, ref_b: str, as_json: bool) -> None:
    """Say what differs between two runs, from parameters to metrics."""
    from pipeline_lib.compare import compare_records

    found = compare_records(_find(ref_a), _find(ref_b))
    if as_json:
        _print_json(found.to_json())
    else:
        click.echo(found)
    sys.exit(0 if found.same else 1)


@commands.command(context_settings={"ignore_unknown_options": True})
@_REF
@click.argument("jupyter_options", nargs=-1, type=click.UNPROCESSED)
def lab(ref: str, jupyter_options: tuple[str, ...]) -> None:
    """Open a copy of a run's notebook, with its parameters, in JupyterLab.

    Further options go to JupyterLab, for example `--no-browser`.
    """
    project = find_project()
    record = _find(ref)
    if record.is_scratch:
        research = project.shown(project.research_notebook(record.pipeline))
        raise InputError(f"{record.reference}: found a scratch record, which keeps no notebook; open {research} itself")
    if not record.notebook.is_file():
        raise InputError(f"{record.reference}: found no notebook, expected one; the run ended before its first cell")
    copy = project.research_notebook(record.pipeline).with_name(f"_lab_{record.pipeline}_{record.id}.ipynb")
    if not copy.exists():
        shutil.copy(record.notebook, copy)
    click.echo(f"opening {project.shown(copy)}, a copy; the record stays as it is", err=True)
    jupyter = Path(sys.executable).with_name("jupyter-lab")
    os.execv(jupyter, [str(jupyter), str(copy), f"--ServerApp.root_dir={project.root}", *jupyter_options])  # noqa: S606


@commands.command
@click.argument("name")
def new(name: str) -> None:
    """Write the notebooks, parameters and parity test of a new pipeline NAME."""
    from pipeline_lib.new import create_pipeline

    project = find_project()
    for path in create_pipeline(project, name):
        click.echo(f"wrote {path}")
    click.echo(f"next: pipeline-lib run {project.shown(project.params / name)}.yml")


def _find(ref: str) -> "Record":
    from pipeline_lib.record import find_record, record_at

    return record_at(Path(ref)) or find_record(ref, find_project())


def _library(start: Path | None = None) -> str:
    """The package whose steps an artifact may load: the project's, or outside any project this one."""
    try:
        return find_project(start).library
    except InputError:
        return "pipeline_lib"


def _summary(record: "Record") -> dict[str, Any]:
    from pipeline_lib.record import COMPILE_REPORT, METRICS, PARAMETERS, checks_folder

    manifest = record.manifest()
    checks = checks_folder(record)
    return {
        "reference": record.reference,
        "status": record.status(),
        "folder": str(record.folder),
        "report": str(record.report) if record.report.is_file() else None,
        "parameters": record.read_json(PARAMETERS),
        "metrics": record.read_json(METRICS),
        "hashes": manifest.get("hashes"),
        "compiled": record.read_json(COMPILE_REPORT),
        "error": manifest.get("error"),
        "parity": read_json(checks / "parity.json"),
    }


def _print_run(record: "Record", parity: "Parity | None") -> None:
    for name, value in _summary(record)["metrics"].items():
        click.echo(f"{name:<24} {_shown(value)}")
    if parity:
        click.echo(parity)
    click.echo(f"record: {record.folder}\nreport: {record.report}")


def _verdict(summary: dict[str, Any]) -> str:
    if summary["parity"] is None:
        return "parity not checked"
    return "parity exact" if summary["parity"]["exact"] else "parity DIFFERENT"


def _measured(summary: dict[str, Any]) -> str:
    return ", ".join(f"{name} {_shown(value)}" for name, value in (summary["metrics"] or {}).items())


def _shown(value: Any) -> str:
    return f"{value:,.6g}" if isinstance(value, float) else str(value)


def _print_json(value: Any) -> None:
    click.echo(json.dumps(value, indent=2, sort_keys=True))


def _report_problems(problems: list[str], all_well: str) -> None:
    for problem in problems:
        click.echo(problem, err=True)
    if problems:
        click.echo(f"{len(problems)} problem{'s' if len(problems) > 1 else ''} found", err=True)
        sys.exit(1)
    click.echo(all_well)
