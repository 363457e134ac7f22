"""The socket that waits for connections: how it begins, and how it ends without losing one."""

import ctypes
import socket
import struct
import sys

from pipeline_lib.errors import InputError

BACKLOG = 2048
"""Connections that wait to be accepted."""
_SO_ATTACH_FILTER = 26  # of Linux's <asm-generic/socket.h>
_DROP_FIRST_PACKETS = (  # classic BPF over the TCP header: code, jump if true, jump if false, operand
    (0x30, 0, 0, 13),  # load the byte of flags
    (0x54, 0, 0, 0x12),  # of these SYN and ACK
    (0x15, 0, 1, 0x02),  # SYN alone begins a connection
    (0x06, 0, 0, 0),  # drop
    (0x06, 0, 0, 0xFFFFFFFF),  # keep
)


def listen(host: str, port: int) -> socket.socket:
    """A socket that waits for connections. Raises InputError for a place that is taken or not this machine's."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise InputError(
            f"{host}:{port}: found {error.strerror or error}, expected a free port of this machine; say --port, or "
            "--port 0 for any"
        ) from error
    listening.listen(BACKLOG)  # connections wait until the workers are there
    listening.set_inheritable(True)
    return listening


def begin_no_more(listening: socket.socket) -> None:
    """Let no new connection begin, in any process that listens with this socket; those that have begun are accepted.

    A socket that is closed resets the connections that wait to be accepted, whose clients have perhaps sent a request.
    With the filter there are none by then. A client that meets it tries again a second later, and is refused.
    Elsewhere than on Linux nothing is done.
    """
    if sys.platform != "linux":
        return
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *each) for each in _DROP_FIRST_PACKETS))
    program = struct.pack("HL", len(_DROP_FIRST_PACKETS), ctypes.addressof(code))
    listening.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, program)
