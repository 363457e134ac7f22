"""A PostgreSQL server of a test: in a temporary folder, reached through a socket in it, with a password."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PASSWORD = "wo/od:pecker 7@"  # noqa: S105 (of this server alone)
ENCODED = "wo%2Fod%3Apecker%207%40"
_SECONDS = 60


def programs() -> Path | None:
    """The folder of PostgreSQL's programs, as Debian installs them or on the path; None where there are none."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name))
    on_path = shutil.which("initdb")
    folders += [Path(on_path).resolve().parent] if on_path else []
    return next((folder for folder in reversed(folders) if (folder / "initdb").is_file()), None)


@contextmanager
def server() -> Iterator[str]:
    """Run a server inside the block; the address of its database, with a password. PostgreSQL refuses to be root's."""
    folder, bin_ = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp")), programs()  # a socket's path is short
    assert bin_ is not None
    user = _user()
    try:
        (folder / "password").write_text(PASSWORD)
        for path in (folder, folder / "password"):
            shutil.chown(path, user)
        data = folder / "data"

        def run(*command: str) -> None:
            ended = subprocess.run(  # noqa: S603 (PostgreSQL's own programs)
                command, user=user, cwd=folder, capture_output=True, text=True, timeout=_SECONDS, check=False
            )
            assert ended.returncode == 0, ended.stdout + ended.stderr

        options = ("--username=ada", f"--pwfile={folder}/password", "--auth=scram-sha-256", "--encoding=UTF8")
        run(f"{bin_}/initdb", f"--pgdata={data}", "--no-sync", "--locale=C", *options)
        settings = f"-c listen_addresses='' -c unix_socket_directories='{folder}' -c fsync=off"
        run(f"{bin_}/pg_ctl", f"--pgdata={data}", f"--log={folder}/log", "-w", "-o", settings, "start")
        try:
            yield f"postgresql+pg8000://ada:{ENCODED}@/postgres?unix_sock={folder}/.s.PGSQL.5432"
        finally:
            run(f"{bin_}/pg_ctl", f"--pgdata={data}", "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder)


def _user() -> str:
    """This user, or for root one without rights."""
    return "nobody" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
