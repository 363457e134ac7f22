"""A program that ends when its parent does, however the parent ends: python parent_death.py PARENT PROGRAM ARGUMENTS...

A kernel watches its parent from a thread, which waits while a cell sits in compiled code; the system does not wait.
Run as a file by a bare interpreter (`-I -S`): it imports nothing but the standard library.
"""

import ctypes
import os
import signal
import sys

_SET_PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of Linux's <sys/prctl.h>; survives the exec that follows


def main() -> None:
    """Become the program, tethered to the parent process."""
    parent, *command = sys.argv[1:]
    exit_with_parent(int(parent))
    try:
        os.execvp(command[0], command)  # noqa: S606 (the kernel's own command)
    except OSError as error:
        sys.exit(f"error: {command[0]}: found {error.strerror}, expected a program; see `jupyter kernelspec list`")


def exit_with_parent(parent: int) -> None:
    """Let this process end with its parent."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
    if os.getppid() != parent:  # it died before the signal was asked for
        sys.exit(1)


if __name__ == "__main__":
    main()
