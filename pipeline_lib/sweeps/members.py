"""The members of a sweep: one run's parameters each, all checked before the first kernel starts."""

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
from pipeline_lib.sweeps.request import SweepRequest
from pipeline_lib.system.files import canonical_json, sha256_bytes, sha256_file
from pipeline_lib.system.fingerprint import packages_digest

_SHOWN_PROBLEMS = 10


@dataclass(frozen=True)
class Member:
    """One run of a sweep: its number from 1, and the parameters that it varies.

    `values` has them as text, as `--set` takes them, `typed` as JSON values, as `params.json` has them; `parameters`
    is the digest of all parameters of the run, which `resolved` has as JSON values.
    """

    number: int
    values: Mapping[str, str]
    parameters: str
    typed: Mapping[str, Any]
    resolved: Mapping[str, Any]

    @property
    def label(self) -> str:
        """The parameters that it varies, as `--set` takes them."""
        return " ".join(f"{key}={value}" for key, value in self.values.items())


@dataclass(frozen=True)
class SweepPlan:
    """A sweep whose base run has passed every check.

    `name` is the same for equal requests; `sources` and `packages` are the digests of what was checked.
    """

    base: Request
    fixed: tuple[str, ...]
    name: str
    sources: str
    packages: str

    def members(self, combinations: Sequence[Mapping[str, str]], first: int = 1) -> list[Member]:
        """Members for combinations of values, numbered from `first`.

        InputError lists those that the pipeline's Params refuses, or that give the same parameters twice.
        """
        problems: dict[str, None] = {}
        members: dict[str, Member] = {}
        for number, values in enumerate(combinations, first):
            try:
                resolved = self._resolved([f"{key}={value}" for key, value in values.items()])
            except InputError as error:
                problems |= dict.fromkeys(str(error).splitlines())
                continue
            digest = sha256_bytes(canonical_json(resolved))
            typed = {key: reduce(getitem, key.split("."), resolved) for key in values}
            member = Member(number, values, digest, typed, resolved)
            if digest in members:
                both = f"`{members[digest].label}` and `{member.label}`, which give the same parameters"
                problems[f"found {both}, expected each combination once; leave one value out"] = None
            members.setdefault(digest, member)
        if problems:
            shown = list(problems)[:_SHOWN_PROBLEMS]
            more = [f"… and {len(problems) - len(shown)} more"] if len(problems) > len(shown) else []
            raise InputError("\n".join([*shown, *more]))
        return list(members.values())

    def overrides(self, member: Member) -> tuple[str, ...]:
        """The overrides of a member, as `pipeline-lib run --set` takes them."""
        return (*self.fixed, *(f"{key}={value}" for key, value in member.values.items()))

    def _resolved(self, varied: Sequence[str]) -> dict[str, Any]:
        base = self.base
        shown = base.project.shown(base.params_file)
        params = read_params(base.params_file, type(base.params), overrides=[*self.fixed, *varied], shown=shown)
        return params_to_json(params)


def plan_sweep(request: SweepRequest) -> SweepPlan:
    """Check a sweep's base run, and name the sweep by its parameters and its request.

    Raises InputError and DifferenceError as a single run does.
    """
    params_file = request.params_file
    sources, packages = sources_of(params_file), packages_digest()  # before the check: a change during it is seen
    base = check_request(params_file, request.overrides)
    digest = sha256_bytes(canonical_json({"parameters": params_to_json(base.params), "asked": request.name_parts()}))
    variant = params_file.name.removesuffix(params_file.suffix)
    return SweepPlan(base, request.overrides, f"{variant}-{digest[:8]}", sources, packages)


def sources_of(params_file: Path) -> str:
    """Digest of the files that decide a member's run, as they are on this machine; empty where there are none.

    Of the notebooks that export nothing only its own counts: others may be edited during a sweep.
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
