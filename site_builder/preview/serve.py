"""Runs the preview: finds a port, and starts again when the builder itself was edited."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable, Iterable

import uvicorn

from site_builder.core.errors import BuildError, Problem
from site_builder.core.project import Project
from site_builder.preview import access
from site_builder.preview.server import Preview, app

PORTS = 20
"""Ports tried after the first one."""


def serve(
    project: Project,
    *,
    host: str,
    port: int,
    root: str,
    allowed: Iterable[str],
    study: str,
    run: str,
    drafts: bool,
    live: bool,
    say: Callable[[str], None],
) -> None:
    """Serve until interrupted; raises `BuildError` when there is no port, or no post, to serve.

    A proxy may put `root` before every path, and ask by names of its own, which are `allowed`.
    """
    sys.dont_write_bytecode = True  # its stamps are whole seconds, and saves come faster
    open_socket = _bound(host, port)
    bound = open_socket.getsockname()[1]
    if port and bound != port:
        say(f"port {port} is taken")
    root = f"/{root.strip('/')}".rstrip("/")
    preview = Preview(project, study, run, say, drafts=drafts, live=live, allowed=allowed)
    if not access.is_home(host):
        say(f"{host} is not this machine alone: whoever reaches it reads the post, and can measure")
    hosts = (host, socket.gethostname(), *allowed)
    config = uvicorn.Config(
        app(preview, hosts, root), log_level="error", timeout_graceful_shutdown=1, lifespan="on"
    )
    server = uvicorn.Server(config)
    preview.end = lambda: setattr(server, "should_exit", True)
    preview.wake.set()
    say(f"http://{host}:{bound}{root}/ shows every save; Ctrl-C ends it")
    server.run(sockets=[open_socket])
    if preview.restart:
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


def _bound(host: str, port: int) -> socket.socket:
    """A socket at the first free port from `port` on."""
    for number in range(port, port + PORTS):
        try:
            return socket.create_server((host, number))
        except OSError as error:
            wrong = error
    what = f"cannot serve at {host}:{port} ({wrong.strerror or wrong})"
    raise BuildError([Problem("serve", what, "name another one: --port")])
