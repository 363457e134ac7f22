"""The members of a sweep: each one run's parameters, all of them checked before the first kernel starts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import getitem
from pathlib import Path
from typing import Any

from pipeline_lib.errors import InputError
from pipeline_lib.project.notebooks import notebook_files
from pipeline_lib.project.params import params_to_json, read_params
from pipeline_lib.project.project import GENERATED, project_of
from pipeline_lib.runner.preflight import Request, check_request
from pipeline_lib.system.files import canonical_json, sha256_bytes, sha256_file
from pipeline_lib.system.fingerprint import packages_digest

_SHOWN_PROBLEMS = 10


@dataclass(frozen=True)
class Member:
    """One run of a sweep: its place, what it varies (key to text), the digest of all its parameters, and what it
    varies as its `params.json` has it (key to JSON value)."""

    number: int
    values: Mapping[str, str]
    parameters: str
    typed: Mapping[str, Any]

    @property
    def label(self) -> str:
        """What it varies, as `--set` takes it."""
        return " ".join(f"{key}={value}" for key, value in self.values.items())


@dataclass(frozen=True)
class Plan:
    """A sweep whose base run has passed every check; `name` is the same whenever the same sweep is asked for, and
    `sources` and `packages` are the digests of what was checked."""

    request: Request
    fixed: tuple[str, ...]
    name: str
    sources: str
    packages: str

    def members(self, combinations: Sequence[Mapping[str, str]], first: int = 1) -> list[Member]:
        """Members for combinations of values. InputError lists those that the pipeline's Params refuses, or that
        give the same parameters twice."""
        problems: dict[str, None] = {}
        found: dict[str, Member] = {}
        for number, values in enumerate(combinations, first):
            try:
                resolved = self._resolved([f"{key}={value}" for key, value in values.items()])
            except InputError as error:
                problems |= dict.fromkeys(str(error).splitlines())
                continue
            digest = sha256_bytes(canonical_json(resolved))
            typed = {key: reduce(getitem, key.split("."), resolved) for key in values}
            member = Member(number, values, digest, typed)
            if digest in found:
                both = f"`{found[digest].label}` and `{member.label}`, which give the same parameters"
                problems[f"found {both}, expected each combination once; leave one value out"] = None
            found.setdefault(digest, member)
        if problems:
            shown = list(problems)[:_SHOWN_PROBLEMS]
            more = [f"… and {len(problems) - len(shown)} more"] if len(problems) > len(shown) else []
            raise InputError("\n".join([*shown, *more]))
        return list(found.values())

    def overrides(self, member: Member) -> list[str]:
        """What `pipeline-lib run --set` would be given for a member."""
        return [*self.fixed, *(f"{key}={value}" for key, value in member.values.items())]

    def _resolved(self, varied: Sequence[str]) -> dict[str, Any]:
        request = self.request
        shown = request.project.shown(request.params_file)
        params = read_params(request.params_file, type(request.params), overrides=[*self.fixed, *varied], shown=shown)
        return params_to_json(params)


def plan_sweep(params_file: Path, fixed: Sequence[str], asked: Mapping[str, Any]) -> Plan:
    """Check a sweep's base run, and name the sweep by what was asked.

    Raises InputError and DifferenceError as a single run does.
    """
    sources, packages = sources_of(params_file), packages_digest()  # before the check: what changes during it is seen
    request = check_request(params_file, fixed)
    digest = sha256_bytes(canonical_json({"parameters": params_to_json(request.params), "asked": dict(asked)}))
    variant = params_file.name.removesuffix(params_file.suffix)
    return Plan(request, tuple(fixed), f"{variant}-{digest[:8]}", sources, packages)


def sources_of(params_file: Path) -> str:
    """Digest of the files that a member is made from, as they are on this machine; empty where there are none.

    Of notebooks that export nothing only its own counts: others may be worked on meanwhile.
    """
    if not params_file.is_file():
        return ""
    project = project_of(params_file)
    own = project.research_notebook(params_file.name.partition(".")[0])
    exported = [path for part in GENERATED for path in notebook_files(project.notebooks / part)]
    code = sorted([*project.package.rglob("*.py"), *project.root.glob("*.py"), *own.parent.glob("*.py")])
    files = [path for path in (project.root / "pyproject.toml", own, *exported, *code) if path.is_file()]
    named = [f"{path.relative_to(project.root).as_posix()} {sha256_file(path)}" for path in files]
    return sha256_bytes("\n".join([sha256_file(params_file), *named]).encode())
