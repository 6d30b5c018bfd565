"""The real page, served on loopback, and a browser for it; what a failing test saw is kept."""

import atexit
import re
import shutil
import threading
import warnings
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache, partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Error, Page, Playwright, TimeoutError, sync_playwright

from benchmarks import chromium
from tests.conftest import BUILD, REPO, copy_of_built
from tests.processes import Command

HANGS = 300_000
"""Milliseconds after which a page counts as hung, however busy the machine is."""

FAILURES = REPO / "test-failures"
PAINTS = 30_000
"""Milliseconds after which a tab counts as one that paints no more."""

# Two frames at a place.
STEP = """top => new Promise(done => {
  scrollTo(0, top);
  requestAnimationFrame(() => requestAnimationFrame(() => done(true)));
})"""
UNDRAWN = """() => [...document.querySelectorAll('[data-vega]:not([data-drawn])')]
  .map(chart => chart.dataset.vega)"""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, object]:
    """Keep what the open pages of a failing test show, and what they logged; the report says where."""
    report = yield
    browser = getattr(item, "funcargs", {}).get("browser")
    if browser and report.when == "call" and report.failed:
        name = re.sub(r"\W+", "-", item.nodeid.partition("browser/")[2]).strip("-")
        pages = [page for context in browser.contexts for page in context.pages]
        kept = [_keep(page, FAILURES / f"{name}-{number}") for number, page in enumerate(pages, 1)]
        report.sections.append(("pages that were open", "\n".join(kept)))
    return report


def _keep(page: Page, path: Path) -> str:
    """A picture of a page, and its console's log, beside each other."""
    path.parent.mkdir(exist_ok=True)
    log = [f"{message.type}: {message.text}" for message in page.console_messages()]
    errors = [f"uncaught: {error}" for error in page.page_errors()]
    path.with_suffix(".log").write_text("\n".join([page.url, *log, *errors, ""]), "utf-8")
    try:
        page.screenshot(path=path.with_suffix(".png"))
    except Error as error:  # a tab that paints no more frame
        return f"{path}.log; no picture: {error.message.splitlines()[0]}"
    return f"{path}.log, {path}.png"


@pytest.fixture(scope="session")
def folder(built_post: Path) -> Path:
    """The built page, which no test changes."""
    return built_post / "site"


def show(root: Path, content: str) -> None:
    """Let the post say only this; other pages then have no section of it to refer to."""
    shutil.rmtree(root / "content/measurements", ignore_errors=True)
    # The glossary cites: what it cites has to stand somewhere.
    (root / "content/index.md").write_text(f"{content}\n\n<< page: references >>\n", "utf-8")
    for page in (root / "content").glob("*.md"):
        lines = page.read_text("utf-8").splitlines(keepends=True)
        page.write_text("".join(line for line in lines if "<< ref: 0" not in line), "utf-8")


def build(root: Path) -> Path:
    """Build the page of a copy of the project; returns its folder."""
    done = Command(root, BUILD, ()).done()
    assert done.returncode == 0, done.stdout + done.stderr
    return root / "site"


def post_of(content: str, built: Path, folders: pytest.TempPathFactory) -> Path:
    """Build a post that says only this, with the drawings of the one that is built."""
    root = copy_of_built(built, folders.mktemp("post"))
    show(root, content)
    return build(root)


class _Handler(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Stay silent."""


@pytest.fixture(scope="session")
def address(folder: Path) -> Iterator[str]:
    """Serve the page."""
    with serve(folder) as url:
        yield url


@contextmanager
def serve(folder: Path) -> Iterator[str]:
    """Serve a folder on loopback."""
    handler = partial(_Handler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Start the system's Chromium, without its talk to its maker."""
    browser = chromium.launch(_playwright())
    yield browser
    browser.close()


@cache
def _playwright() -> Playwright:
    """Start the driver: once a process, which folders of tests share."""
    started = sync_playwright().start()
    atexit.register(started.stop)
    return started


@dataclass
class Visit:
    """An open page, with what it complained of and where it went."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    first: list[str] = field(default_factory=list)
    """What was asked for before anybody scrolled, where the page was gone through."""

    def go(self, url: str) -> None:
        """Open an address and note what comes of it."""
        self.page.set_default_timeout(HANGS)
        self.page.on("console", lambda m: m.type == "error" and self.complaints.append(m.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(url)

    def scroll_through(self) -> None:
        """Bring everything near the window once, and wait until all charts are live.

        Chromium at times never paints a tab again, whatever is on it. Nothing that waits for a
        frame can pass then, so what stands still is visited anew in another tab, twice at most.
        """
        for _ in range(2):
            if self._scroll() and self._alive():
                break
            still, self.page = self.page, self.page.context.new_page()
            warnings.warn("a tab painted no more", stacklevel=2)
            self.go(still.url)
            still.close()
        else:
            assert self._scroll(), "no frame was painted"
            self._alive()
        assert self.page.evaluate(UNDRAWN) == [], self.complaints
        self.page.wait_for_load_state("networkidle")

    def _scroll(self) -> bool:
        """Scroll down, frame by frame, so that every chart is seen; whether there were frames."""
        height = self.page.evaluate("document.documentElement.scrollHeight")
        with suppress(TimeoutError):  # which `evaluate` does not know
            for top in range(0, height, 600):
                self.page.wait_for_function(STEP, arg=top, polling=100, timeout=PAINTS)
            return True
        return False

    def _alive(self) -> bool:
        """Wait for all charts; whether they came."""
        with suppress(TimeoutError):
            self.page.wait_for_function(
                f"() => ({UNDRAWN})().length === 0", polling=200, timeout=60_000
            )
        return self.page.evaluate(UNDRAWN) == []


def rest(page: Page) -> None:
    """Let a page paint ten frames: what it does by itself after an event is done by then."""
    page.evaluate(
        """() => new Promise(done => {
          let left = 10;
          const frame = () => left-- ? requestAnimationFrame(frame) : done();
          frame();
        })"""
    )


@pytest.fixture
def visit(browser: Browser, address: str):
    """Return a function that opens the page: `visit(width=360, color_scheme="dark")`."""
    contexts = []

    def open_page(path: str = "", *, width: int = 1280, **options: object) -> Visit:
        context = browser.new_context(viewport={"width": width, "height": 900}, **options)
        contexts.append(context)
        seen = Visit(context.new_page())
        seen.go(address + path)
        return seen

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture(scope="module")
def gone_through(browser: Browser, address: str):
    """Return a function that gives the page as somebody has it who has read it to its end.

    A page is gone through once for all tests that only look at it: in both schemes at the usual
    width, and in one other width at a time, as each open page takes half a gigabyte.
    """
    seen: dict[tuple[int, str], Visit] = {}

    def look(width: int = 1280, scheme: str = "light") -> Visit:
        if (width, scheme) not in seen:
            for other in [key for key in seen if key[0] not in (1280, width)]:
                seen.pop(other).page.context.close()
            context = browser.new_context(
                viewport={"width": width, "height": 900}, color_scheme=scheme
            )
            visit = seen[width, scheme] = Visit(context.new_page())
            visit.go(address)
            visit.page.wait_for_load_state("networkidle")
            visit.first = [*visit.requests]
            visit.scroll_through()
        return seen[width, scheme]

    yield look
    for visit in seen.values():
        visit.page.context.close()
