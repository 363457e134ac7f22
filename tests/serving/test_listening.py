"""The socket that waits for connections."""

import socket
import sys

import pytest

from pipeline_lib.errors import InputError
from pipeline_lib.serving.listening import begin_no_more, listen


def test_a_free_port_is_listened_to_and_a_taken_one_refused() -> None:
    with listen("127.0.0.1", 0) as listening:
        port = listening.getsockname()[1]
        with (
            socket.create_connection(("127.0.0.1", port), 5),
            pytest.raises(InputError, match=f"127.0.0.1:{port}: found"),
        ):
            listen("127.0.0.1", port)
    with listen("::1", 0) as listening, socket.create_connection(("::1", listening.getsockname()[1]), 5):
        listening.accept()[0].close()


@pytest.mark.skipif(sys.platform != "linux", reason="a filter of Linux")
def test_connections_that_have_begun_are_accepted_and_no_other_begins() -> None:
    with listen("127.0.0.1", 0) as listening:
        address = listening.getsockname()
        begun = [socket.create_connection(address, 5) for _ in range(3)]
        begin_no_more(listening)
        with pytest.raises(TimeoutError):
            socket.create_connection(address, 0.3)
        for client in begun:
            client.sendall(b"ask")
            accepted, _ = listening.accept()
            assert accepted.recv(3) == b"ask"
            accepted.sendall(b"answer")
            assert client.recv(6) == b"answer"
            accepted.close()
            client.close()
        listening.settimeout(0.05)
        with pytest.raises(TimeoutError):
            listening.accept()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address, 5)
