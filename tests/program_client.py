"""Asks the server of ``tests/program_server.py`` to run the program; imports little, because it starts each time."""

import json
import os
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path

SOCKET_VARIABLE = "RECBENCH_TESTS_SERVER"
"""Names the server's socket to ``tests/programs/recbench``."""
SIZE_BYTES = 4
"""The length of a request, before the request."""
TRIALS = ".trials"
"""Behind the path of the server's socket: that of its socket for the processes of trials."""
RECBENCH = "recbench"
"""The name of the program itself; the server can also run others."""


def request(
    connection: socket.socket,
    path: str,
    arguments: Sequence[str],
    folder: str,
    environment: Mapping[str, str],
    streams: Sequence[int],
    program: str = RECBENCH,
) -> int:
    """Lets the server start a program; returns its process id. The exit code is the next line of the connection.

    Args:
        connection: Not connected yet.
        path: The server's socket.
        arguments: Of the program.
        folder: Where it runs.
        environment: All of its variables.
        streams: The descriptors of its input, output and messages.
        program: ``recbench``, a module with a function ``main``, or the path of a script.
    """
    connection.connect(path)
    send_request(connection, [list(arguments), folder, dict(environment), program], streams)
    return read_number(connection)


def send_request(connection: socket.socket, what: Sequence[object], streams: Sequence[int]) -> None:
    """Sends what the server reads with ``tests.program_server.read_request``."""
    content = json.dumps(what).encode()
    socket.send_fds(connection, [len(content).to_bytes(SIZE_BYTES)], list(streams))
    connection.sendall(content)


def read_number(connection: socket.socket) -> int:
    """Returns the number on the next line; the server sends two, the process id and the exit code."""
    line = b""
    while not line.endswith(b"\n"):
        part = connection.recv(1)
        if not part:
            raise ConnectionError("the server of programs has ended")
        line += part
    return int(line)


def ask(
    path: str,
    arguments: Sequence[str],
    folder: str,
    environment: Mapping[str, str],
    streams: Sequence[int],
    timeout: float | None = None,
    program: str = RECBENCH,
) -> int:
    """Lets the server run a program; returns its exit code, or minus the number of the signal that ended it.

    Args:
        path: The server's socket.
        arguments: Of the program.
        folder: Where it runs.
        environment: All of its variables.
        streams: The descriptors of its input, output and messages.
        timeout: Seconds to wait.
        program: See ``request``.

    Raises:
        TimeoutError: It took longer.
    """
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(timeout)
        request(connection, path, arguments, folder, environment, streams, program)
        return read_number(connection)


def main(arguments: Sequence[str]) -> int:
    """Runs ``recbench`` in the place of this process, as a shell sees it; returns the exit code."""
    status = ask(os.environ[SOCKET_VARIABLE], arguments, str(Path.cwd()), os.environ, (0, 1, 2))
    # As a shell reports a signal.
    return 128 - status if status < 0 else status
