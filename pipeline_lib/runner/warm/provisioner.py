"""Warm kernels for Jupyter: a kernel provisioner, found by its entry point `warm`.

`JUPYTER_DEFAULT_PROVISIONER_NAME=warm jupyter lab` uses it for every Python kernel of this environment.
"""

import asyncio
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any, ClassVar

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning.factory import KernelProvisionerFactory
from jupyter_client.provisioning.local_provisioner import LocalProvisioner

from pipeline_lib.runner.warm.client import ADDRESS, PROVISIONER, WarmProcess, WarmServer, lasting
from pipeline_lib.runner.warm.module_list import STACK
from pipeline_lib.system import parent_death

NAME = "warm"
_LAUNCHER = "ipykernel_launcher"


class WarmProvisioner(LocalProvisioner):
    """Starts this Python's IPython kernels by a fork; any other kernel, or environment, as Jupyter does."""

    _servers: ClassVar[list[WarmServer]] = []

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Fork a kernel from the server, or start a cold one where the command or the environment differ."""
        variables = kwargs.get("env") or os.environ
        environment = {name: str(value) for name, value in variables.items() if name not in (ADDRESS, PROVISIONER)}
        arguments = _kernel_arguments(cmd)
        if arguments is None or lasting(environment) != lasting(os.environ):
            return await super().launch_kernel(cmd, **kwargs)
        address = os.environ.get(ADDRESS) or await asyncio.to_thread(self._address)
        folder = Path(kwargs.get("cwd") or Path.cwd())
        streams = tuple(kwargs[name] for name in ("stdout", "stderr") if name in kwargs)
        process = WarmProcess(
            str(address), _LAUNCHER, arguments, environment=environment, folder=folder, streams=streams or (1, 2)
        )
        self.process = process  # type: ignore[assignment]  # it has the part of Popen that the base class uses
        self.pid = self.pgid = process.pid
        self.cwd = str(folder)
        return self.connection_info

    @classmethod
    def _address(cls) -> str:
        """The address of this process's server; a new one when packages change. Earlier ones serve their kernels."""
        own = cls._servers[-1] if cls._servers else None
        if own is None or not own.alive or own.environment != lasting(os.environ):
            cls._servers.append(WarmServer(STACK))
        return cls._servers[-1].wait_until_ready().address


def _kernel_arguments(command: list[str]) -> list[str] | None:
    """The arguments of this Python's IPython kernel; None for another program.

    The wrapper that ends a kernel with its parent is left out: the server ends a warm kernel whose runner is gone.
    """
    if command[3:4] == [str(parent_death.__file__)]:
        command = command[5:]
    return command[3:] if command[:3] == [sys.executable, "-m", _LAUNCHER] else None


@contextmanager
def cold_kernels() -> Iterator[None]:
    """Inside this context kernels start as Jupyter starts them."""
    factory = KernelProvisionerFactory.instance()
    before = factory.default_provisioner_name
    factory.default_provisioner_name = "local-provisioner"
    try:
        yield
    finally:
        factory.default_provisioner_name = before


def start_kernels_warm() -> None:
    """Let this process start its kernels warm, whether or not the entry point is installed."""
    factory = KernelProvisionerFactory.instance()
    home = f"{WarmProvisioner.__module__}:{WarmProvisioner.__qualname__}"
    factory.provisioners[NAME] = EntryPoint(NAME, home, KernelProvisionerFactory.GROUP_NAME)
    factory.default_provisioner_name = NAME
