"""Run a program that ends when its parent process does: python parent_death.py PARENT_PID PROGRAM ARGUMENTS...

A kernel watches its parent from a thread, which cannot run while a cell is inside compiled code that holds the GIL.
The system's signal needs no thread. This file is run by a bare interpreter (`-I -S`), so it imports the standard
library only.
"""

import ctypes
import os
import signal
import sys

_SET_PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of Linux's <sys/prctl.h>; kept by exec


def main() -> None:
    """Replace this process with the program, which ends with the parent process."""
    parent, *command = sys.argv[1:]
    exit_with_parent(int(parent))
    try:
        os.execvp(command[0], command)  # noqa: S606 (the kernel's own command)
    except OSError as error:
        sys.exit(f"error: {command[0]}: found {error.strerror}, expected a program; see `jupyter kernelspec list`")


def exit_with_parent(parent: int) -> None:
    """Let the system kill this process when the parent process with this pid ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
    if os.getppid() != parent:  # it had ended before prctl
        sys.exit(1)


if __name__ == "__main__":
    main()
