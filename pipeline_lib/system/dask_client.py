"""A client of a Dask scheduler, or what to do where there is none."""

from typing import Any

from pipeline_lib.errors import InputError

_SECONDS_TO_CONNECT = 15


def connect(address: str) -> Any:
    """A client of the scheduler at an address. Raises InputError where Dask is not installed or none answers."""
    try:
        from distributed import Client
    except ModuleNotFoundError as error:
        raise InputError(
            "--dask: found no package 'distributed', expected the extra dask; pip install 'nb-pipeline-lib[dask]'"
        ) from error
    try:
        return Client(address, timeout=_SECONDS_TO_CONNECT, set_as_default=False)
    except (OSError, ValueError) as error:
        raise InputError(
            f"--dask {address}: found no scheduler ({error}), expected one that answers; start it with "
            "`dask scheduler`, and workers with `dask worker ADDRESS`"
        ) from error
