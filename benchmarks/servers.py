"""Servers that benchmarks start: asked at the address that each announces itself, and no other."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

PATIENCE = 120
"""Seconds until a server has to have announced itself."""


class NotServedError(Exception):
    """A server ended, or was silent, before it announced an address."""


def free_port() -> int:
    """A port that nothing listens at; whoever takes it first makes the server that asked end."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
        return port


@contextmanager
def serving(command: Sequence[str], root: Path) -> Iterator[str]:
    """Run a server in its project until it is no longer needed; gives the address it announced.

    A server announces its address once it listens there, so nobody else can answer at it.

    Raises:
        NotServedError: the server ended, or announced nothing in time.
    """
    paths = os.pathsep.join(filter(None, (str(root), os.environ.get("PYTHONPATH", ""))))
    told = {"PYTHONPATH": paths, "OBSERVABLE_TELEMETRY_DISABLE": "true", "NO_COLOR": "1"}
    # It says things as long as it runs: a pipe that nobody reads would stop it.
    with tempfile.TemporaryFile("w+") as said:
        server = subprocess.Popen(
            command, cwd=root, stdout=said, stderr=said, env=os.environ | told
        )
        try:
            yield _announced(server, said.fileno(), command)
        finally:
            server.terminate()
            server.wait()


def _announced(server: subprocess.Popen[bytes], said: int, command: Sequence[str]) -> str:
    end = time.monotonic() + PATIENCE
    name = " ".join(" ".join(command).split())[:80]
    while time.monotonic() < end:
        ended = server.poll()
        text = os.pread(said, 2**20, 0).decode("utf-8", "replace")
        if found := re.search(r"(http://[\d.]+:\d+[^\s\x1b]*)[\s\x1b]", text):
            return found[1]
        if ended is not None:
            last = next(iter(text.strip().splitlines()[-1:]), "it said nothing")
            raise NotServedError(f"{name}: ended with {ended}: {last}")
        time.sleep(0.05)
    raise NotServedError(f"{name}: announced no address in {PATIENCE} s")
