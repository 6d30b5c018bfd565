"""The benchmark of the preview asks its own servers, and sees a change when it is painted."""

import json
import os
import sys
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from benchmarks import edits, painted, same_page, servers

from .conftest import serve

MKDOCS = sys.executable, "-m", "mkdocs", "serve", "--dev-addr"
ANNOUNCING = """
import http.server
server = http.server.HTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
print(f"as ever: see \\x1b[4mhttp://127.0.0.1:{server.server_port}/\\x1b[0m", flush=True)
server.serve_forever()
"""


@pytest.fixture
def plain(tmp_path):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "index.md").write_text("# Mine\n", "utf-8")
    (tmp_path / "mkdocs.yml").write_text("site_name: Mine\n", "utf-8")
    return tmp_path


def test_a_server_is_asked_where_it_says_that_it_listens(plain):
    with servers.serving([*MKDOCS, f"127.0.0.1:{servers.free_port()}"], plain) as url:
        assert '<h1 id="mine">Mine</h1>' in urllib.request.urlopen(url).read().decode()
    (plain / "index.html").write_text("also mine", "utf-8")
    with servers.serving([sys.executable, "-c", ANNOUNCING], plain) as url:
        assert urllib.request.urlopen(url).read() == b"also mine"


def test_another_server_at_the_port_is_never_taken_for_the_one_that_was_started(plain):
    with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as other:
        command = [*MKDOCS, f"127.0.0.1:{other.server_port}"]
        with pytest.raises(servers.NotServedError, match=r"ended with 1: .*in use"):
            servers.serving(command, plain).__enter__()


def test_a_server_that_announces_nothing_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr(servers, "PATIENCE", 1)
    for code, what in (("import time; time.sleep(60)", "announced no address in 1 s"),
                       ("print('a\\nb'); 1 / 0", "ended with 1: ZeroDivisionError"),
                       ("", "ended with 0: it said nothing")):  # fmt: skip
        with pytest.raises(servers.NotServedError, match=what) as told:
            servers.serving([sys.executable, "-c", code], tmp_path).__enter__()
        assert "\n" not in str(told.value)


PANEL = """<div><svg><g class="role-title-text"><text>Old words</text></g>
<g class="mark-line"><path d="M0,{0}L9,9"></path></g></svg></div>"""
PAGE = f"""<!doctype html><p>A paragraph.</p>
<div id="{edits.FIGURE}">{PANEL.format(1)}{PANEL.format(2)}</div>"""


@pytest.fixture
def page(browser, tmp_path):
    (tmp_path / "index.html").write_text(PAGE, "utf-8")
    context = browser.new_context()
    page = context.new_page()
    painted.ready(page)
    page.set_default_timeout(10_000)
    with serve(tmp_path) as url:
        page.goto(url)
        yield page
    context.close()


def later(page, *changes):
    """Change the page in steps, and note when the last one is made."""
    steps = "".join(f"setTimeout(() => {{ {c}; window.last = Date.now(); }}, {100 * n});"
                    for n, c in enumerate(changes, start=1))  # fmt: skip
    return lambda: page.evaluate(f"() => {{ {steps} }}")


TEXT = "document.querySelectorAll('text')[{0}].textContent = '{1}'"
LINE = "document.querySelectorAll('path')[{0}].setAttribute('d', '{1}')"
CASES = {
    "words": (
        {"kind": "words", "words": "Edited 1"},
        ["document.body.append('Edited 1')", "document.querySelector('p').append(' Edited 1 ')"],
    ),
    "title": (
        {"kind": "title", "figure": edits.FIGURE, "words": "New words", "panels": 2},
        [TEXT.format(0, "New words"), TEXT.format(1, "Other words"), TEXT.format(1, "New words")],
    ),
    "lines": (
        {"kind": "lines", "figure": edits.FIGURE},
        [LINE.format(1, "M0,5L9,9"), LINE.format(0, "M0,2L9,9"), LINE.format(0, "M0,6L9,9")],
    ),
    "lines of what is made anew": (
        {"kind": "lines", "figure": edits.FIGURE},
        ["document.querySelector('div div').remove()",
         f"document.querySelector('div').innerHTML = `{PANEL.format(7)}{PANEL.format(8)}`"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_change_is_painted_when_all_of_it_is_there(page, name):
    wanted, changes = CASES[name]
    assert painted.milliseconds(page, later(page, *changes), **wanted) > 0
    assert page.evaluate("window.last <= Number(sessionStorage.painted)")


def test_a_change_is_seen_in_a_page_that_is_loaded_anew(page, tmp_path):
    def write():
        file = tmp_path / "index.html"
        file.write_text(PAGE.replace("A p", "Edited 1 times. A p"), "utf-8")
        os.utime(file, (time.time() + 9,) * 2)  # the server tells files apart by whole seconds
        page.evaluate("setTimeout(() => location.reload(), 50)")

    assert painted.milliseconds(page, write, kind="words", words="Edited 1 times.") > 50


def test_the_page_for_framework_has_our_text_and_charts(folder, tmp_path):
    count = same_page.make(folder.parent, tmp_path)
    text = (tmp_path / same_page.PAGE).read_text("utf-8")
    shown = (folder / "index.html").read_text("utf-8")

    assert count == shown.count(" data-vega=") == text.count("display(await chart(")
    assert "## " in text
    assert "<<" not in text
    files = sorted((tmp_path / "src/data").glob("*.json"))
    assert len(files) == count
    for file in files:
        rows = json.loads(file.read_text("utf-8"))
        code = (tmp_path / "src" / f"{file.stem}.js").read_text("utf-8")
        panels = json.loads(code.removeprefix("export const panels = ").removesuffix(";\n"))
        assert rows
        assert panels
        assert '"values": [{' not in code
    words, write = edits.title(tmp_path / "src" / f"{edits.FIGURE}.js", 7)
    write()
    assert (tmp_path / "src" / f"{edits.FIGURE}.js").read_text("utf-8").count(words) == edits.PANELS
