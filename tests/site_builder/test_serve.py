"""Where the preview listens: on the loopback alone, unless it is told otherwise."""

import socket

import pytest
import uvicorn
from click.testing import CliRunner
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import Response
from starlette.testclient import TestClient

from site_builder.commands.main import main
from site_builder.core.project import Project
from site_builder.preview.access import Rooted


@pytest.mark.parametrize(
    ("words", "bound", "elsewhere"),
    [((), "127.0.0.1", False), (("--host", "0.0.0.0"), "0.0.0.0", True)],
)
def test_only_the_host_that_is_named_is_answered_at(
    project: Project,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
    bound: str,
    elsewhere: bool,
) -> None:
    seen: list[tuple[str, bool]] = []

    def listening(_server: uvicorn.Server, sockets: list[socket.socket]) -> None:
        """In place of answering: try another of this machine's addresses."""
        (one,) = sockets
        host, port = one.getsockname()
        with socket.socket() as other, one:
            seen.append((host, other.connect_ex(("127.0.0.2", port)) == 0))

    monkeypatch.setattr(uvicorn.Server, "run", listening)
    monkeypatch.chdir(project.root)
    told = CliRunner().invoke(main, ["serve", "--port", "0", *words], catch_exceptions=False)
    assert told.exit_code == 0
    assert seen == [(bound, elsewhere)]


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        ("/user/me/proxy/8477/", "/"),
        ("/user/me/proxy/8477/features/%C3%BC", "/features/\u00fc"),
        ("/features/", "/features/"),  # the proxy has taken its path away
        ("/user/me/proxy/84770/", "/user/me/proxy/84770/"),
    ],
)
def test_a_proxy_s_path_is_taken_away_if_it_is_there(asked: str, answered: str) -> None:
    app = Starlette(middleware=[Middleware(Rooted, root="/user/me/proxy/8477")])
    app.add_route("/{path:path}", lambda request: Response(request.scope["path"]))
    assert TestClient(app).get(asked).text == answered


def test_a_proxy_s_path_without_its_end_is_led_to_it() -> None:
    app = Starlette(middleware=[Middleware(Rooted, root="/user/me")])
    app.add_route("/{path:path}", lambda request: Response(request.scope["path"]))
    answer = TestClient(app, follow_redirects=False).get("/user/me")
    assert (answer.status_code, answer.headers["location"]) == (307, "./me/")
