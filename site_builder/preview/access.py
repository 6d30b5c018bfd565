"""Who may ask the preview, for what, and how much they may send along."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection
from pathlib import Path
from urllib.parse import quote, urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

HOME = ("127.0.0.1", "localhost", "::1")
"""The names of this machine that no other one answers to."""

MOST_BYTES = 1_000_000
"""Of what a page sends along."""


def is_home(host: str) -> bool:
    """Whether an address to answer at is reached from this machine alone."""
    name = host.strip("[]")
    try:
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


class OnlyHosts:
    """Answers requests for `hosts` alone, and for the very address that a request came in at.

    So a page from elsewhere, whose name was made to lead here, reads nothing.
    """

    def __init__(self, app: ASGIApp, hosts: tuple[str, ...]) -> None:
        self.app = app
        self.hosts = {host.strip("[]").lower() for host in hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] == "lifespan" or _named(scope) in self.hosts | {_came_in_at(scope)}:
            await self.app(scope, receive, send)
        else:
            await Response("this is not who answers here\n", 400)(scope, receive, send)


def _named(scope: Scope) -> str:
    """The host that a request names; "" where it names none, or several."""
    named = [value for name, value in scope["headers"] if name == b"host"]
    try:
        return urlsplit(f"//{named[0].decode('ascii')}").hostname or "" if len(named) == 1 else ""
    except ValueError:
        return ""


def _came_in_at(scope: Scope) -> str | None:
    server = scope.get("server")
    return str(server[0]).lower() if server and server[0] else None


class Rooted:
    """Takes the path that a proxy puts before every address away, if the proxy leaves it there."""

    def __init__(self, app: ASGIApp, root: str) -> None:
        self.app = app
        self.root = root

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as if the address began at the root."""
        path = scope.get("path", "")
        if scope["type"] == "http" and f"{path}/".startswith(f"{self.root}/"):
            if path == self.root:
                last = self.root.rpartition("/")[2]
                await RedirectResponse(f"./{quote(last)}/")(scope, receive, send)
                return
            path = path[len(self.root) :]
            scope = {**scope, "path": path, "raw_path": quote(path).encode()}
        await self.app(scope, receive, send)


def is_own(request: Request, allowed: Collection[str] = ()) -> bool:
    """Whether a request comes from one of the preview's own pages.

    Those of a proxy have its name, which is among the `allowed`; it may ask us by ours.
    """
    host = request.headers.get("host", "")
    try:
        origin = urlsplit(request.headers.get("origin", ""))
        return bool(host) and (origin.netloc == host or origin.hostname in allowed)
    except ValueError:
        return False


async def body(request: Request) -> bytes | None:
    """What a request sends along; None if that is too much, most of which then is never read."""
    data = bytearray()
    async for part in request.stream():
        data += part
        if len(data) > MOST_BYTES:
            return None
    return bytes(data)


def below(folder: Path, name: str) -> Path | None:
    """What is called so below a folder, there or not; None for a name that leads out of it."""
    if name.startswith("/") or "\0" in name:
        return None
    try:
        place = folder / name
        return place if place.resolve().is_relative_to(folder.resolve()) else None
    except (OSError, ValueError):
        return None


def is_file(place: Path | None) -> bool:
    """Whether there is such a file; too long a name is none."""
    try:
        return place is not None and place.is_file()
    except (OSError, ValueError):
        return False
