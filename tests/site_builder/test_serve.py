"""Where the preview listens: on the loopback alone, unless it is told otherwise."""

import socket

import pytest
import uvicorn
from click.testing import CliRunner

from site_builder.commands.main import main
from site_builder.core.project import Project


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
