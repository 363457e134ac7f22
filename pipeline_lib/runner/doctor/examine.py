"""All checks of the doctor in order: each one's findings, as they come."""

from collections.abc import Callable, Iterator
from functools import partial

from pipeline_lib.project.project import Project
from pipeline_lib.runner.doctor import checkout, environment, runs
from pipeline_lib.runner.doctor.checkout import pipelines
from pipeline_lib.runner.doctor.finding import Finding, findings

_OF_THE_ENVIRONMENT: dict[str, Callable[[], Iterator[Finding]]] = {
    "Python": environment.check_python,
    "machine": environment.check_machine,
    "extras": environment.check_extras,
}
_OF_A_PROJECT: dict[str, Callable[[Project], Iterator[Finding]]] = {
    "package": environment.check_package,
    "lock file": environment.check_lock,
    "kernel": environment.check_kernel,
    "git": checkout.check_git,
    "notebooks": checkout.check_clean,
    "export": checkout.check_exported,
    "parameters": checkout.check_parameters,
    "disk": runs.check_disk,
    "runs": runs.check_runs,
    "leftovers": runs.check_leftovers,
}


def examine(project: Callable[[], Project]) -> Iterator[Finding]:
    """What is found in this environment and in the project that `project` returns, if there is one."""
    for subject, check in _OF_THE_ENVIRONMENT.items():
        yield from findings(subject, check)
    found: list[Project] = []

    def find() -> Iterator[Finding]:
        found.append(project())
        yield Finding("project", "ok", f"{found[0].root}: {pipelines(found[0])}")

    yield from findings("project", find)
    for subject, check_of_project in _OF_A_PROJECT.items() if found else ():
        yield from findings(subject, partial(check_of_project, found[0]))
