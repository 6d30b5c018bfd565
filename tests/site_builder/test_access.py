"""What the preview answers to whom: hosts, paths, bodies."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest
from click.testing import CliRunner

from site_builder.commands.main import main
from site_builder.preview import access
from site_builder.preview.server import Preview, app

HOST = "127.0.0.1:8000"


@pytest.fixture
def ask(project):
    """Ask the preview of a small site as a browser would."""

    def asked(path, *, host=HOST, method="GET", origin="", parts=(b"",), server="127.0.0.1"):
        preview = Preview(project, "", "never", print)
        preview.site.mkdir(parents=True, exist_ok=True)
        (preview.site / "index.html").write_text("<head></head>a page")
        (preview.site / "claims").mkdir(exist_ok=True)
        preview.built.set()
        headers = [(b"host", host.encode())] if host is not None else []
        headers += [(b"origin", origin.encode())] if origin else []
        left, sent = [*parts], []

        async def receive():
            part = left.pop(0)
            return {"type": "http.request", "body": part, "more_body": bool(left)}

        async def send(message):
            sent.append(message)

        scope = {
            "type": "http", "method": method, "path": path, "raw_path": path.encode("utf-8", "replace"),
            "query_string": b"", "headers": headers, "server": (server, 8000),
            "client": ("127.0.0.1", 1), "scheme": "http", "http_version": "1.1", "root_path": "",
        }  # fmt: skip
        answer = app(preview, ("named.example",))(scope, receive, send)
        with ThreadPoolExecutor(1) as beside:  # a browser's tests leave a loop in this thread
            beside.submit(asyncio.run, answer).result()
        preview.hand.shutdown()
        asked.left = left
        return sent[0]["status"]

    return asked


@pytest.mark.parametrize(
    ("host", "server", "status"),
    [
        ("127.0.0.1:8000", "127.0.0.1", 200),
        ("localhost", "127.0.0.1", 200),
        ("[::1]:8000", "::1", 200),
        ("named.example:80", "192.0.2.7", 200),
        ("192.0.2.7:8000", "192.0.2.7", 200),  # the address that it was asked at
        ("192.0.2.8:8000", "192.0.2.7", 400),
        ("evil.example", "192.0.2.7", 400),
        ("", "192.0.2.7", 400),
        (None, "127.0.0.1", 400),
        ("[", "127.0.0.1", 400),
    ],
)
def test_only_hosts_of_its_own_are_answered_at_any_address(ask, host, server, status):
    assert ask("/", host=host, server=server) == status


@pytest.mark.parametrize(
    "path",
    ["//etc", "//none", "///", "/\0", "/claims/\0", "/assets/\0", "/assets//etc/passwd", "/../mkdocs.yml",
     "/" + "a" * 5000, "/assets/" + "a" * 5000, "/\ud800"],
)  # fmt: skip
def test_what_is_no_file_of_the_site_is_not_found(ask, path):
    assert ask(path) == 404


def test_a_folder_is_led_to_its_page(ask):
    assert [ask("/claims"), ask("/claims/"), ask("/index.html")] == [307, 404, 200]


@pytest.mark.parametrize(
    ("origin", "status"),
    [(f"http://{HOST}", 204), ("", 403), ("http://evil.example", 403), ("null", 403), ("http://[", 403)],
)  # fmt: skip
def test_only_its_own_pages_change_something(ask, origin, status):
    assert ask("/~/seen", method="POST", origin=origin, parts=(b"[]",)) == status


def test_no_host_and_no_origin_are_not_the_same_host(ask):
    assert ask("/~/seen", host="", method="POST", parts=(b"[]",)) in (400, 403)


def test_a_body_is_not_kept_once_it_is_too_long(ask):
    parts = [b" " * 400_000] * 300
    assert ask("/~/seen", method="POST", origin=f"http://{HOST}", parts=parts) == 413
    assert len(ask.left) == 297


@pytest.mark.parametrize("body", [b"{", b"[" * 200_000, b"\xff"])
def test_what_is_no_json_is_told(ask, body):
    assert ask("/~/seen", method="POST", origin=f"http://{HOST}", parts=(body,)) == 400


@pytest.mark.parametrize(
    ("host", "home"),
    [("127.0.0.1", True), ("127.0.0.9", True), ("localhost", True), ("::1", True), ("[::1]", True),
     ("0.0.0.0", False), ("::", False), ("192.0.2.1", False), ("x.example", False), ("", False)],
)  # fmt: skip
def test_who_is_reached_from_elsewhere(host, home):
    assert access.is_home(host) is home


@pytest.mark.parametrize(("host", "warned"), [("127.0.0.1", False), ("0.0.0.0", True)])
def test_a_preview_beyond_this_machine_is_warned_of(project, monkeypatch, host, warned):
    def end(_server, sockets):
        sockets[0].close()

    monkeypatch.setattr("uvicorn.Server.run", end)
    monkeypatch.chdir(project.root)
    told = CliRunner().invoke(
        main, ["serve", "--port", "0", "--host", host], catch_exceptions=False
    )
    assert told.exit_code == 0
    assert ("whoever reaches it reads the post" in told.stderr) is warned
