"""Our page for Observable Framework: the same text, the same charts, their rows in files.

Each chart is a block of code with its Vega-Lite specification, and a file attachment with its rows.
Framework draws it with the libraries of `framework/package.json`, as its own `vl.render` does.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

from benchmarks import edits
from benchmarks.build import without_figures
from benchmarks.page import PLACE

FRAMEWORK = Path(__file__).parent / "framework"
PAGE = "src/index.md"

_BLOCK = """

```js
import { panels as PANELS } from "./SLUG.js";
display(await chart("SLUG", PANELS, FileAttachment("data/SLUG.json")));
```

"""


def make(ours: Path, root: Path) -> int:
    """Make Framework's project in `root` of our built one; returns how many charts its page has."""
    plain = root / "plain"
    without_figures(ours, plain, PLACE)
    shutil.copytree(FRAMEWORK, root, dirs_exist_ok=True, ignore=shutil.ignore_patterns("node_*"))
    text = (plain / "content" / "index.md").read_text("utf-8")
    shutil.rmtree(plain)
    data = root / "src" / "data"
    data.mkdir()
    count, parts = 0, text.split(PLACE)
    figures = _figures(ours / "site")
    whole = 'import { chart } from "./chart.js";'
    whole = f"{parts[0]}\n```js\n{whole}\n```\n"
    for (slug, file), part in zip(figures, parts[1:], strict=True):
        if file:
            spec = json.loads(file.read_text("utf-8"))
            _write_theme(root, spec.pop("config"))
            rows: dict[str, Any] = {}
            code = json.dumps(_without_rows(_panels(spec), rows), ensure_ascii=False)
            (root / "src" / f"{slug}.js").write_text(f"export const panels = {code};\n", "utf-8")
            (data / f"{slug}.json").write_text(json.dumps(rows, ensure_ascii=False), "utf-8")
            whole += _BLOCK.replace("SLUG", slug).replace("PANELS", slug.replace("-", "_"))
            count += 1
        whole += part
    (root / PAGE).write_text(whole, "utf-8")
    return count


def install(root: Path) -> None:
    """Fetch the pinned packages of Framework's project; nothing is fetched later."""
    subprocess.run(["npm", "ci", "--silent", "--prefer-offline"], cwd=root, check=True)


def _figures(site: Path) -> list[tuple[str, Path | None]]:
    """Each figure of our page, and the file of its Vega-Lite if it is a chart."""
    _, *figures = (site / "index.html").read_text("utf-8").split('<figure class="post-figure')
    found: list[tuple[str, Path | None]] = []
    for figure in figures:
        slug = re.search(r' id="([^"]+)"', figure)
        link = re.search(r'href="\./(figures/[^"]+\.vl\.json)"', figure)
        assert slug
        found.append((slug[1], site / link[1] if link else None))
    return found


def _write_theme(root: Path, config: dict[str, Any]) -> None:
    text = f"export const config = {json.dumps(config, indent=2)};\n"
    (root / "src" / "theme.js").write_text(text, "utf-8")


def _panels(spec: dict[str, Any]) -> list[dict[str, Any]]:
    """The panels that one document holds, each with the variables of all, as ours are drawn."""
    params = spec.get("params", [])
    if "vconcat" not in spec:
        return [spec]
    return [
        panel | {"$schema": spec["$schema"], "params": [*params, *panel.get("params", [])]}
        for panel in spec["vconcat"]
    ]


def _without_rows(value: Any, rows: dict[str, Any]) -> Any:
    """A specification whose rows are in `rows`, by the name of their data set."""
    if isinstance(value, list):
        return [_without_rows(one, rows) for one in value]
    if not isinstance(value, dict):
        return value
    told = {key: inside for key, inside in value.items() if key != "datasets"}
    rows |= value.get("datasets", {})
    data = told.get("data", {})
    if "values" in data:
        name = data.get("name", f"rows-{len(rows)}")
        rows[name] = data["values"]
        told["data"] = {"name": name}
    return {key: _without_rows(inside, rows) for key, inside in told.items()}


def result(root: Path, number: int) -> edits.Write:
    """The estimates that the edited figure shows are a little higher."""
    path = root / "src" / "data" / f"{edits.FIGURE}.json"
    told = json.loads(path.read_text("utf-8"))
    for rows in told.values():
        for row in rows:
            row["estimate"] += 0.001 * (number + 1)
    text = json.dumps(told, ensure_ascii=False)
    return lambda: path.write_text(text, "utf-8")
