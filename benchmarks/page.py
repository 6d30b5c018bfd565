"""What a reader waits for, against the same text and figures embedded in the ordinary way.

The reference is the post in MkDocs Material as it comes, with Vega, Vega-Lite and Vega-Embed from
the npm registry: every chart's Vega-Lite specification is in the page, at its place, and drawn when
that is read. Both sites are served on loopback, compressed, and opened in turn by headless
Chromium, over a line of `DOWN` bits a second with `DELAY` ms, and at full speed. `ratio` is
reference ÷ ours for the time until the charts in view are drawn, over the line, at the first chart;
the slowest of `LINKED` places, from the first to the last, is compared with it, too. All charts are
those of a reader who goes through the page from one to the next. Bytes and requests are those of
the first view and of the whole page.
"""

from __future__ import annotations

import argparse
import gzip
import html
import json
import re
import shutil
import statistics
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

from benchmarks import chromium
from benchmarks.build import OURS, PLAIN, copy, without_figures

DOWN, DELAY = 10_000_000, 40
PACKAGES = ("vega@6.4.0", "vega-lite@6.5.0", "vega-embed@7.3.0")
BUNDLES = ("vega/build/vega.min.js", "vega-lite/build/vega-lite.min.js",
           "vega-embed/build/vega-embed.min.js")  # fmt: skip
PLACE = '<div class="chart-place"></div>'
# Ours says when a chart is live; Vega-Embed puts its picture into the place that waits for it.
DRAWN = {"ours": ".post-chart[data-drawn]", "reference": ".chart:has(svg.marks)"}
PLACES = {"ours": ".post-chart[data-vega]", "reference": ".chart"}
LINKED = 5
IN_VIEW = """places => places.filter(place => {
  const box = place.getBoundingClientRect();
  return box.top < innerHeight && box.bottom > 0;
}).every(place => place.matches(%s))"""


def main() -> None:
    """Print one object as JSON, or a table that a person reads."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        sites = {"ours": ours(Path(folder)), "reference": reference(Path(folder))}
        told = measure(sites, arguments.rounds)
    if arguments.json:
        print(json.dumps(told, indent=1))
        return
    for name in told["ours"]:
        print(f"{name:24} {told['ours'][name]:>12,.2f} {told['reference'][name]:>14,.2f} reference")
    slowest = told["slowest_over_reference_in_view"]
    print(f"ratio {told['ratio']:.2f}; our slowest over the reference in view {slowest:.2f}")


def ours(folder: Path) -> Path:
    """Build the post from committed results."""
    root = folder / "ours"
    copy(root, "tiny")
    subprocess.run(OURS, cwd=root, check=True, capture_output=True)
    return root / "site"


def reference(folder: Path) -> Path:
    """Build the same text with MkDocs Material, and embed the same charts in the ordinary way."""
    root = folder / "reference"
    without_figures(folder / "ours", root, PLACE)
    subprocess.run(PLAIN, cwd=root, check=True, capture_output=True)
    subprocess.run(["npm", "install", "--silent", *PACKAGES], cwd=root, check=True)
    site = root / "site"
    for name in BUNDLES:
        shutil.copy(root / "node_modules" / name, site / Path(name).name)
    scripts = "".join(f'<script src="{Path(name).name}"></script>' for name in BUNDLES)
    page = site / "index.html"
    text = page.read_text("utf-8").replace("</head>", f"{scripts}</head>", 1)
    parts = text.split(PLACE)
    charts = _charts(folder / "ours" / "site")
    page.write_text("".join(map("".join, zip(parts, [*charts, ""], strict=True))), "utf-8")
    return site


def _charts(site: Path) -> Iterator[str]:
    """What stands for each figure of our page: a place, its specification, and what draws it.

    A figure of HTML alone has no chart, and nothing stands for it.
    """
    _, *figures = (site / "index.html").read_text("utf-8").split('<figure class="post-figure')
    for number, figure in enumerate(figures):
        link = re.search(r'href="\./(figures/[^"]+\.vl\.json)"', figure)
        if not link:
            yield ""
            continue
        spec = (site / html.unescape(link[1])).read_text("utf-8").replace("</", "<\\/")
        yield (
            f'<div class="chart" id="chart-{number}" style="min-height:200px"></div>'
            f'<script>vegaEmbed("#chart-{number}", {spec}, {{renderer: "svg"}})</script>'
        )


def measure(sites: dict[str, Path], rounds: int) -> dict[str, Any]:
    """Medians over `rounds` visits of each site, in turn."""
    from playwright.sync_api import sync_playwright

    seen: dict[str, list[dict[str, float]]] = {name: [] for name in sites}
    with sync_playwright() as playwright:
        browser = chromium.launch(playwright)
        for _ in range(rounds):
            for name, site in sites.items():
                with _serve(site) as (url, sent):
                    visit = _visit(browser, url, sent, name, line=True)
                    fast = _visit(browser, url, sent, name, line=False)
                seen[name].append(
                    visit | {f"{key}_unslowed": fast[key] for key in fast if "_s" in key}
                )
        browser.close()
    told = {
        name: {key: statistics.median(visit[key] for visit in visits) for key in visits[0]}
        for name, visits in seen.items()
    }
    in_view = told["reference"]["charts_in_view_s"]
    return told | {
        "ratio": in_view / told["ours"]["charts_in_view_s"],
        "slowest_over_reference_in_view": told["ours"]["slowest_in_view_s"] / in_view,
        "rounds": rounds,
    }


def _visit(browser: Any, url: str, sent: list[tuple[int, int]], name: str, *, line: bool) -> Any:
    """Open a page at its first chart and wait; then go through the whole page."""
    sent.clear()
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    if line:
        speed = {"offline": False, "latency": DELAY, "downloadThroughput": DOWN / 8,
                 "uploadThroughput": DOWN / 8}  # fmt: skip
        context.new_cdp_session(page).send("Network.emulateNetworkConditions", speed)
    page.goto(url, wait_until="networkidle")
    first = list(sent)
    text = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    place, drawn = PLACES[name], json.dumps(DRAWN[name])
    check = f"place => ({IN_VIEW % drawn})([...document.querySelectorAll(place)])"
    charts = page.locator(place).count()
    in_view = []
    # As a reader who followed a link to a chart has it; the first one last, to go on from there.
    for number in range(LINKED, 0, -1):
        sent.clear()
        page.goto("about:blank")
        page.goto(url, wait_until="commit")
        at = page.locator(place).nth((number - 1) * (charts - 1) // (LINKED - 1))
        at.wait_for(state="attached")
        at.evaluate("node => node.scrollIntoView()")
        page.wait_for_function(check, arg=place, polling=10)
        in_view.append(page.evaluate("performance.now()"))
    for chart in page.query_selector_all(place):
        chart.evaluate("node => node.scrollIntoView()")
        page.wait_for_function(f"node => node.matches({drawn})", arg=chart, polling=10)
    everything = page.evaluate("performance.now()")
    page.wait_for_load_state("networkidle")
    whole = list(sent)
    context.close()
    return {
        "first_view_bytes": sum(size for size, _ in first),
        "first_view_compressed": sum(size for _, size in first),
        "first_view_requests": len(first),
        "whole_bytes": sum(size for size, _ in whole),
        "whole_compressed": sum(size for _, size in whole),
        "whole_requests": len(whole),
        "first_text_s": text / 1000,
        "charts_in_view_s": in_view[-1] / 1000,
        "slowest_in_view_s": max(in_view) / 1000,
        "all_charts_s": everything / 1000,
    }


class _Compressed(SimpleHTTPRequestHandler):
    """Serves files as a site's host does, and keeps their sizes, plain and compressed."""

    def __init__(self, *arguments: Any, sent: list[tuple[int, int]], **named: Any) -> None:
        self.sent = sent
        super().__init__(*arguments, **named)

    def send_head(self) -> BytesIO | BinaryIO | None:
        """Compress what is there, but pictures and fonts, which are."""
        path = Path(self.translate_path(self.path))
        path = path / "index.html" if path.is_dir() else path
        if not path.is_file():
            return super().send_head()
        data = path.read_bytes()
        small = data if path.suffix in (".webp", ".png", ".woff2") else gzip.compress(data, 6)
        self.sent.append((len(data), len(small)))
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(path))
        self.send_header("Content-Length", str(len(small)))
        self.send_header("Cache-Control", "no-store")
        if small is not data:
            self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        return BytesIO(small)

    def log_message(self, *_: object) -> None:
        """Stay silent."""


@contextmanager
def _serve(folder: Path) -> Iterator[tuple[str, list[tuple[int, int]]]]:
    sent: list[tuple[int, int]] = []
    handler = partial(_Compressed, directory=str(folder), sent=sent)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/", sent
        server.shutdown()


if __name__ == "__main__":
    main()
