"""A post whose results, claims and study come from strangers: nothing of theirs runs in a browser."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from site_builder.results.recipe import ResultId
from site_builder.results.store import Store
from site_builder.site.build import build
from tests.browser.conftest import serve
from tests.site_builder.conftest import project, put, shelves, write  # noqa: F401 (fixtures)
from tests.site_builder.test_recipe import reseal

MARK = "document.documentElement.dataset.run=1"
HOSTILE = [
    f'"><script>{MARK}</script>',
    f"'><img src=x onerror={MARK}>",
    f"</script><script>{MARK}</script>",
    f"[x](javascript:{MARK})",
    f"<a href='javascript:{MARK}' id=bait>x</a>",
    f"`</code><svg onload={MARK}>`",
    f"{{{{ 7*7 }}}} <iframe srcdoc='<script>parent.{MARK}</script>'>",
    f"**b** &lt;script&gt;{MARK}&lt;/script&gt; \x02wzxhzdk:0\x03",
    "\0\r\u2028\ufffe \u202eturned \x1b[2J",
]
NUMBERS = ResultId("toy", "numbers", "small")


@pytest.mark.builds
def test_nothing_of_a_strangers_runs(project, browser):  # noqa: F811
    row = {"x": 1, "estimate": 1.0, "low": 0.5, "high": 2.0, "n": 3}
    rows = [row | {"x": n, "topic": text, "many": [text]} for n, text in enumerate(HOSTILE)]
    put(Store(project), NUMBERS, pa.Table.from_pylist(rows))
    path = Store(project).path(NUMBERS)
    body = json.loads(pq.read_metadata(path).metadata[b"recipe"])
    text = " ".join(HOSTILE)
    change = {
        "labels": {"n": text, "interval": text, "note": text},
        "made_with": {"device": text, "machine": text},
        "settings": {"sampling.top_p": text},
        "accepted": [{"at": body["made_at"], "reasons": [text], "because": text}],
    }
    reseal(path, change)
    claims = [
        f"[claim-{n}]\nsays = {json.dumps(one)}\nunit = {json.dumps(one)}\nreported = {json.dumps(one)}\n"
        f"reported_for = {json.dumps(one)}\n"
        f'result = "numbers small"\nrow = {{x = {n}}}\nholds = "low > 5"\n'
        for n, one in enumerate(HOSTILE)
    ]
    write(project.content / "claims" / "x.toml", "")
    (project.content / "claims" / "x.toml").write_text("\n".join(claims), "utf-8")
    (project.content / "claims.md").write_text("# Claims\n\n<< page: claims >>\n", "utf-8")
    (project.content / "provenance.md").write_text(
        "# Provenance\n\n<< page: provenance results >>\n\n<< page: provenance figures >>\n",
        "utf-8",
    )
    prose = [
        f"A << claim: claim-{n} >> << claim: claim-{n} show=topic >> << value: numbers small x={n} show=topic >>.\n"
        for n in range(len(HOSTILE))
    ]
    section = project.content / "sections" / "01-numbers.md"
    section.write_text(section.read_text("utf-8") + "\n" + "\n".join(prose), "utf-8")
    drawing = project.figures / "numbers.py"
    drawing.write_text(
        drawing.read_text("utf-8")
        .replace('"x", "estimate"', '"topic", "estimate"')
        .replace('alt.X("x:Q")', 'alt.X("topic:N"), alt.Tooltip("topic:N")'),
        "utf-8",
    )

    build(project, run="never", say=print)

    with serve(project.site) as address:
        page = browser.new_page()
        for name in ("", "claims/", "provenance/", *(p.name for p in project.site.rglob("*.htm"))):
            complaints = []
            page.on("console", lambda m, to=complaints: m.type == "error" and to.append(m.text))
            page.goto(address + name)
            for fold in page.query_selector_all("details"):
                fold.evaluate("fold => fold.open = true")
            assert page.evaluate("document.documentElement.dataset.run") is None
            assert page.query_selector("#bait, iframe") is None
            assert complaints == []
        page.goto(address)
        warning = page.inner_text(".admonition.failure")
        for one in HOSTILE[:7]:
            assert " ".join(one.split()) in " ".join(warning.split())
        turned = page.query_selector("p bdi")
        assert "turned" in turned.inner_text()
        page.close()
