"""Questions to git about a project. Without git, or outside a repository, there is no answer."""

import subprocess
from pathlib import Path


def ask_git(root: Path, *arguments: str) -> bytes | None:
    """What `git` prints for these arguments in a project's folder; None where it fails or is not installed."""
    try:
        return subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, check=True).stdout  # noqa: S603, S607
    except (OSError, subprocess.CalledProcessError):
        return None


def git_user(root: Path) -> str:
    """Name and address of git's user, `Anna Berg <anna@example.org>`; empty where git knows none."""
    name, email = (
        (ask_git(root, "config", f"user.{key}") or b"").decode(errors="replace") for key in ("name", "email")
    )
    return " ".join(part for part in (name.strip(), f"<{email.strip()}>" if email.strip() else "") if part)
