"""From a save to the painted page: ours, `mkdocs serve`, and Observable Framework's preview.

The same text is open in headless Chromium from three servers at once. A round edits a sentence, the
code of one chart and its result, each in turn at ours and at the others; `mkdocs serve` has
sentences alone. How it is fair:

- one definition of painted, which reads the page and asks nobody (`painted.py`);
- Framework's page has as many charts as ours, with the same Vega-Lite and rows, its libraries
  bundled beforehand, each chart's code in a module and its rows in a file of its own, so that its
  page of Markdown is as short as ours; ours draws from the measured table, Framework from rows that
  are ready;
- every chart of both is drawn before the first edit, and the edited one is in view;
- the next edit waits until what the last one set off has ended, and a little more.

Reference ÷ ours, medians: `ratio` for a sentence in `mkdocs serve`, whose page reloads;
`framework_sentence`, `framework_drawing` and `framework_result` for Framework.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks import chromium, edits, same_page
from benchmarks.build import OURS, copy, without_figures
from benchmarks.painted import milliseconds, ready
from benchmarks.servers import NotServedError, free_port, serving

ROUNDS = 20
QUIET = 1500
"""Milliseconds of rest behind an edit."""

SERVE = "from site_builder.commands.main import main; main(['serve', '--port', '0'])"
FRAMEWORK = ("node_modules/.bin/observable", "preview", "--no-open")
KINDS = {"prose": "sentence", "drawing": "drawing", "result": "result"}
"""What is edited, and how the ratio of it is called."""

MARK = """() => {
  window.loaded = true;
  for (const chart of document.querySelectorAll("[data-drawn]")) chart.dataset.kept = "yes";
}"""
SETTLED = """() => new Promise((done) => {
  document.addEventListener("preview", function hear({detail}) {
    if (detail.kind !== "page") return;
    document.removeEventListener("preview", hear);
    done();
  });
})"""


def main() -> None:
    """Print one object as JSON, or a table that a person reads."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        try:
            told = measure(Path(folder), arguments.rounds)
        except NotServedError as error:
            sys.exit(f"error: {error}")
    if arguments.json:
        print(json.dumps(told, indent=1))
        return
    for kind, name in KINDS.items():
        ours, other = told[kind], told["framework"][kind]
        print(
            f"{name:8} median {ours['median_ms']:5.0f} ms, p95 {ours['p95_ms']:5.0f} ms; Framework "
            f"{other['median_ms']:5.0f}, {other['p95_ms']:5.0f}: {told[f'framework_{name}']:.1f} ×"
        )
    print(f"mkdocs serve, prose: {told['reference']['median_ms']:.0f} ms: {told['ratio']:.1f} ×")
    print(f"{told['charts_kept']} of {told['charts']} other charts kept, {told['reloads']} reloads")


def measure(folder: Path, rounds: int) -> dict[str, Any]:
    """Times in milliseconds of `rounds` edits of each kind at each server."""
    from playwright.sync_api import sync_playwright

    roots = {name: folder / name for name in ("ours", "framework", "mkdocs")}
    copy(roots["ours"], "tiny")
    subprocess.run(OURS, cwd=roots["ours"], check=True, capture_output=True)
    charts = same_page.make(roots["ours"], roots["framework"])
    same_page.install(roots["framework"])
    without_figures(roots["ours"], roots["mkdocs"])
    mkdocs = "-m", "mkdocs", "serve", "--dev-addr", f"127.0.0.1:{free_port()}"
    commands = {
        "ours": [sys.executable, "-c", SERVE],
        "framework": [*FRAMEWORK],
        "mkdocs": [sys.executable, *mkdocs],
    }
    with sync_playwright() as playwright, ExitStack() as stack:
        browser = chromium.launch(playwright)
        stack.callback(browser.close)
        pages = {}
        for name, command in commands.items():
            url = stack.enter_context(serving(command, roots[name]))
            pages[name] = _opened(browser, url)
        _draw_all(pages["ours"], pages["framework"], charts)
        times = _rounds(pages, roots, rounds)
        told = _kept(pages["ours"])
    of = {name: {kind: _summary(some) for kind, some in times[name].items()} for name in times}
    ours, framework = of["ours"], of["framework"]
    ratios = {
        f"framework_{name}": framework[kind]["median_ms"] / ours[kind]["median_ms"]
        for kind, name in KINDS.items()
    }
    reference = of["mkdocs"]["prose"]
    ratio = reference["median_ms"] / ours["prose"]["median_ms"]
    said = {"framework": framework, "reference": reference, "ratio": ratio, "rounds": rounds}
    return told | ours | said | ratios


def _opened(browser: Any, url: str) -> Any:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(120_000)
    ready(page)
    page.goto(url, timeout=300_000)
    return page


def _draw_all(ours: Any, framework: Any, charts: int) -> None:
    """Have every chart drawn, and the edited one in view."""
    ours.wait_for_function("() => document.documentElement?.dataset.preview")
    for chart in ours.query_selector_all(".post-chart[data-vega]"):
        chart.evaluate("node => node.scrollIntoView()")
        ours.wait_for_function("node => node.dataset.drawn", arg=chart)
    drawn = "count => document.querySelectorAll('main .chart').length === count"
    framework.wait_for_function(drawn, arg=charts)
    for page in (ours, framework):
        page.evaluate(f"document.getElementById('{edits.FIGURE}').scrollIntoView()")
    ours.wait_for_timeout(3000)
    ours.evaluate(MARK)


def _rounds(
    pages: dict[str, Any], roots: dict[str, Path], rounds: int
) -> dict[str, dict[str, list[float]]]:
    times: dict[str, dict[str, list[float]]] = {
        name: {kind: [] for kind in (KINDS if name != "mkdocs" else ("prose",))} for name in pages
    }
    for number in range(rounds):
        for kind in KINDS:
            for name, page in pages.items():
                if kind not in times[name]:
                    continue
                write, wanted = _edit(name, roots[name], kind, number)
                times[name][kind].append(milliseconds(page, write, **wanted))
                if name == "ours":
                    page.evaluate(SETTLED)
                page.wait_for_timeout(QUIET)
    return times


def _edit(name: str, root: Path, kind: str, number: int) -> tuple[edits.Write, dict[str, object]]:
    """What saves an edit, and what shows that it is painted."""
    if kind == "prose":
        file = {"ours": edits.SECTION, "framework": same_page.PAGE, "mkdocs": "content/index.md"}
        words, write = edits.sentence(root / file[name], number)
        return write, {"kind": "words", "words": words}
    if kind == "drawing":
        file = {"ours": edits.DRAWING, "framework": f"src/{edits.FIGURE}.js"}
        words, write = edits.title(root / file[name], number)
        told = {"figure": edits.FIGURE, "panels": edits.PANELS}
        return write, told | {"kind": "title", "words": words}
    moved = edits.result if name == "ours" else same_page.result
    return moved(root, number), {"kind": "lines", "figure": edits.FIGURE}


def _kept(page: Any) -> dict[str, int]:
    """How many of the other charts are as they were before the first edit."""
    others = f".post-figure:not(#{edits.FIGURE}) [data-drawn]"
    return {
        "charts": page.locator(others).count(),
        "charts_kept": page.locator(f"{others}[data-kept]").count(),
        "figures": page.locator(".post-figure").count(),
        "reloads": 0 if page.evaluate("window.loaded === true") else 1,
    }


def _summary(times: list[float]) -> dict[str, float]:
    ordered = sorted(times)
    return {
        "median_ms": statistics.median(times),
        "p95_ms": ordered[math.ceil(0.95 * len(ordered)) - 1],  # nearest rank
        "edits": len(times),
    }


if __name__ == "__main__":
    main()
