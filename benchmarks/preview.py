"""How long a save takes to be seen in an open page, against `mkdocs serve` of the same text.

The post is served by our preview and opened by headless Chromium at a figure. Then a sentence, a
drawing's code and a result are edited in turn, each `ROUNDS` times; a time ends with the first
frame painted after the change is in the page. `ratio` is reference ÷ ours for a sentence, medians;
the reference is the same text in MkDocs Material without figures, whose page reloads.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks import edits
from benchmarks.build import copy, without_figures
from benchmarks.page import FLAGS

Edit = tuple[str, Callable[[], object]]
"""What to wait for on the page, words or a figure, and what writes the file."""

ROUNDS = 20
SERVE = "from site_builder.cli import main; main(['serve', '--port', '0'])"
PLAIN = ("-m", "mkdocs", "serve", "--quiet", "--dev-addr", "127.0.0.1:8765")

# A time is taken in the task after the frame in which a wanted change is first on the page.
WATCH = """([found, kind]) => {
  window.painted = 0;
  const shown = () => requestAnimationFrame(() => {
    const channel = new MessageChannel();
    channel.port1.onmessage = () => { window.painted = Date.now(); };
    channel.port2.postMessage(0);
  });
  if (kind === "chart") {
    // Told when all panels of the figure show what was saved.
    document.addEventListener("preview", function hear({detail}) {
      if (detail.kind !== "chart" || `#${detail.slug}` !== found) return;
      document.removeEventListener("preview", hear);
      shown();
    });
    return;
  }
  const look = () => {
    if (!document.querySelector("#sec-entropy ~ p").textContent.includes(found)) return;
    observer.disconnect();
    shown();
  };
  const observer = new MutationObserver(look);
  observer.observe(document.body, {subtree: true, childList: true, characterData: true});
}"""
MARK = """() => {
  window.loaded = true;
  for (const chart of document.querySelectorAll("[data-drawn]")) chart.dataset.kept = "yes";
}"""


def main() -> None:
    """Print one object as JSON, or a table that a person reads."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        told = measure(Path(folder), arguments.rounds)
    if arguments.json:
        print(json.dumps(told, indent=1))
        return
    for name in ("prose", "drawing", "result"):
        times = told[name]
        print(f"{name:8} median {times['median_ms']:6.0f} ms, p95 {times['p95_ms']:6.0f} ms")
    print(f"mkdocs serve, prose: {told['reference']['median_ms']:.0f} ms: {told['ratio']:.1f} ×")
    print(f"{told['charts_kept']} of {told['charts']} other charts kept, {told['reloads']} reloads")


def measure(folder: Path, rounds: int) -> dict[str, Any]:
    """Times in milliseconds of `rounds` edits of each kind."""
    from playwright.sync_api import sync_playwright

    ours, plain = folder / "ours", folder / "plain"
    copy(ours, "tiny")
    without_figures(ours, plain)
    executable = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        told = _ours(browser, ours, rounds)
        told["reference"] = _plain(browser, plain, rounds)
        browser.close()
    told["ratio"] = told["reference"]["median_ms"] / told["prose"]["median_ms"]
    return told | {"rounds": rounds}


def _ours(browser: Any, root: Path, rounds: int) -> dict[str, Any]:
    figure = f"#{edits.FIGURE}"
    kinds: dict[str, Callable[[int], Edit]] = {
        "prose": lambda number: edits.sentence(root / edits.SECTION, number),
        "drawing": lambda number: (figure, edits.drawing(root, number)),
        "result": lambda number: (figure, edits.result(root, number)),
    }
    times: dict[str, list[float]] = {kind: [] for kind in kinds}
    with _serving([sys.executable, "-c", SERVE], root) as url:
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(120_000)
        page.goto(url, wait_until="commit", timeout=300_000)
        page.wait_for_function("() => document.documentElement?.dataset.preview")
        for chart in page.query_selector_all(".post-chart[data-vega]"):
            chart.evaluate("node => node.scrollIntoView()")
            page.wait_for_function("node => node.dataset.drawn", arg=chart)
        page.evaluate(f"document.querySelector('{figure}').scrollIntoView()")
        page.wait_for_timeout(3000)
        page.evaluate(MARK)
        for number in range(rounds):
            for kind, edit in kinds.items():
                times[kind].append(
                    _seen(page, edit, number, "text" if kind == "prose" else "chart")
                )
                _settled(page)
        others = ".post-figure:not([data-figure^='entropy']) [data-drawn]"
        told: dict[str, Any] = {
            "charts": page.locator(others).count(),
            "charts_kept": page.locator(f"{others}[data-kept]").count(),
            "figures": page.locator(".post-figure").count(),
            "reloads": 0 if page.evaluate("window.loaded === true") else 1,
        }
        page.close()
    return told | {kind: _summary(values) for kind, values in times.items()}


def _settled(page: Any) -> None:
    """Wait until the whole site is built after an edit, and a little more, as an author would."""
    page.evaluate(
        """() => new Promise(done => document.addEventListener("preview", function hear({detail}) {
          if (detail.kind !== "page") return;
          document.removeEventListener("preview", hear);
          done();
        }))"""
    )
    page.wait_for_timeout(1500)


def _seen(page: Any, edit: Callable[[int], Edit], number: int, kind: str) -> float:
    """Milliseconds from an edit to the frame that shows it."""
    found, write = edit(number)
    page.evaluate(WATCH, [found, kind])
    start = time.time()
    write()
    page.wait_for_function("() => window.painted", polling=20)
    return float(page.evaluate("window.painted")) - start * 1000


def _plain(browser: Any, root: Path, rounds: int) -> dict[str, float]:
    times = []
    with _serving([sys.executable, *PLAIN], root, "http://127.0.0.1:8765/") as url:
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(120_000)
        _when_there(page, url)
        page.wait_for_timeout(3000)
        for number in range(rounds):
            words, write = edits.sentence(root / "content/index.md", number)
            start = time.time()
            write()
            page.wait_for_function(
                "words => document.querySelector('article')?.textContent.includes(words)",
                arg=words,
                polling="raf",
            )
            times.append((time.time() - start) * 1000)
            page.wait_for_timeout(1500)
        page.close()
    return _summary(times)


def _when_there(page: Any, url: str) -> None:
    """Open a page as soon as its server answers."""
    for _ in range(100):
        try:
            page.goto(url)
        except Exception:  # no connection yet; Playwright has one class for all that can go wrong
            time.sleep(0.3)
        else:
            return
    raise TimeoutError(url)


def _summary(times: list[float]) -> dict[str, float]:
    ordered = sorted(times)
    return {
        "median_ms": statistics.median(times),
        "p95_ms": ordered[math.ceil(0.95 * len(ordered)) - 1],  # nearest rank
        "edits": len(times),
    }


@contextmanager
def _serving(command: list[str], root: Path, url: str = "") -> Iterator[str]:
    """Run a server in its project until it is no longer needed."""
    paths = os.pathsep.join(filter(None, (str(root), os.environ.get("PYTHONPATH", ""))))
    server = subprocess.Popen(
        command, cwd=root, stderr=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": paths}
    )
    try:
        assert server.stderr is not None
        for line in server.stderr if not url else ():
            if found := re.search(r"http://\S+", line):
                url = found[0]
                break
        yield url
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main()
