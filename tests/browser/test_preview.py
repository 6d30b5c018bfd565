"""The preview in a browser: a save is on the open page at once, and nothing else moves."""

import json
import os
import random
import re
import shutil
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from itertools import pairwise

import pyarrow as pa
import pytest

from site_builder.core.project import Project
from site_builder.results.recipe import ResultId
from site_builder.results.store import Store
from site_builder.site.build import build
from tests.browser import conftest
from tests.processes import HANGS, Command
from tests.site_builder.conftest import project, put, shelves, write  # noqa: F401 (fixtures)
from tests.site_builder.toy_lab import measurable

EDITS = int(os.environ.get("EDITS", "25"))
"""How many edits follow one another; the long tests make two hundred."""

POLL = 50
"""Milliseconds between two looks; what waits for frames instead fails where none is painted."""

SERVE = "from site_builder.commands.main import main; main(['serve', '--port', '0', *{}])"
NUMBERS = ResultId("toy", "numbers", "small")


@contextmanager
def serving(root, *options):
    """Run the preview of a project in a process of its own."""
    server = Command(root, SERVE.format(list(options)), ())
    try:
        while not (found := re.search(r"(http://\S+)\s", server.err)):
            assert server.running(), server.err
            time.sleep(0.02)
        yield found[1]
    finally:
        server.terminate()


class Open:
    """An open page of the preview."""

    def __init__(self, page, url, root):
        self.page, self.root = page, root
        self.complaints, self.loads = [], []
        page.on("console", lambda m: m.type == "error" and self.complaints.append(m.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("framenavigated", lambda frame: self.loads.append(frame.url))
        page.set_default_timeout(conftest.HANGS)
        page.goto(url)
        self.until("() => document.documentElement.dataset.preview")
        page.evaluate(
            """() => { window.told = [];
              document.addEventListener("preview", ({detail}) => told.push(detail.kind)); }"""
        )

    def edit(self, path, before, after, *, then="page"):
        """Save a file otherwise, and wait for a kind of message to have been shown."""
        text = (self.root / path).read_text("utf-8")
        assert before in text
        self.save(path, text.replace(before, after), then=then)

    def save(self, path, text, *, then="page", by="truncation"):
        self.page.evaluate("told.length = 0")
        if by == "rename":
            aside = (self.root / path).with_name("4913~")
            aside.write_text(text, "utf-8")
            aside.rename(self.root / path)
        else:
            (self.root / path).write_text(text, "utf-8")
        self.wait(then)

    def wait(self, then):
        self.until("kind => told.includes(kind)", then)

    def until(self, holds, about=None):
        """Wait until a function of the page holds."""
        self.page.wait_for_function(holds, arg=about, polling=POLL)

    def draw_all(self):
        for chart in self.page.query_selector_all("[data-vega]"):
            chart.evaluate("node => node.scrollIntoView()")
            self.until("node => node.dataset.drawn", chart)

    def text(self):
        return self.page.inner_text("article")


@pytest.fixture
def opened(browser, project):  # noqa: F811
    with serving(project.root) as url:
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        yield Open(context.new_page(), url, project.root)
        context.close()


SECTION = "content/sections/01-numbers.md"


def test_a_saved_sentence_changes_its_sentence_and_nothing_else(opened):
    page = opened.page
    opened.draw_all()
    page.locator("summary").first.click()
    page.evaluate(
        "document.querySelectorAll('.post-figure, h1, svg').forEach(n => { n.mine = 1; })"
    )
    page.evaluate("scrollTo(0, 300)")
    marked = page.evaluate("[...document.querySelectorAll('svg')].filter(n => n.mine).length")
    text = (opened.root / SECTION).read_text("utf-8")
    opened.save(SECTION, text + "\nA sentence more.\n", then="section")

    assert "A sentence more." in opened.text()
    opened.wait("page")
    assert "A sentence more." in opened.text()
    assert (
        page.evaluate("[...document.querySelectorAll('svg')].filter(n => n.mine).length") == marked
    )
    assert page.evaluate("[...document.querySelectorAll('.post-figure')].every(n => n.mine)")
    assert page.evaluate("scrollY") == 300
    assert page.locator("details[open]").count() == 1
    assert len(opened.loads) == 1
    assert opened.complaints == []


def test_what_scripts_put_into_the_page_stays_in_its_place(opened):
    """The bar of choices stands behind the first figure, and nothing is moved around it."""
    opened.page.evaluate(
        """() => {
          const bar = document.createElement("form");
          bar.className = "post-choice";
          document.querySelector(".post-figure").after(bar);
          window.moved = [];
          new MutationObserver((changes) => {
            for (const { removedNodes } of changes) moved.push(...[...removedNodes].map((n) => n.id));
          }).observe(document.querySelector("article"), { childList: true });
        }"""
    )
    text = (opened.root / SECTION).read_text("utf-8")
    opened.save(SECTION, text + "\nA sentence more.\n", then="section")
    opened.wait("page")

    behind = "document.querySelector('.post-choice').previousElementSibling.id"
    assert opened.page.evaluate(behind) == "numbers-small"
    assert "totals" not in opened.page.evaluate("moved")


def test_a_heading_is_in_the_table_of_contents_and_a_title_in_the_tab(opened):
    text = (opened.root / SECTION).read_text("utf-8")
    opened.save(SECTION, text + "\n### One more heading\n\nText.\n")

    assert opened.page.locator("nav.md-nav--secondary a", has_text="One more heading").count() > 0
    opened.edit("mkdocs.yml", "site_name: ", "site_name: Now ")
    assert opened.page.title().startswith("Now ")


def test_a_saved_drawing_changes_its_charts_alone(opened):
    opened.draw_all()
    opened.page.evaluate("document.querySelectorAll('.post-view').forEach(n => { n.mine = 1; })")
    opened.edit("site_builder/figures/numbers.py", '"x:Q"', '"estimate:Q"', then="chart")

    kept = opened.page.evaluate(
        "[...document.querySelectorAll('.post-view')].map(n => [n.closest('figure').dataset.figure, Boolean(n.mine)])"
    )
    assert {mine for name, mine in kept if name.startswith("numbers")} == {False}
    opened.wait("page")
    after = opened.page.evaluate("document.querySelectorAll('.post-view').length")
    assert after == len(kept)
    assert opened.complaints == []


def measured(opened, estimate, *, then=("chart", "page")):
    """Save other numbers, and wait until the whole site is built with them."""
    store = Store(Project(opened.root))
    opened.page.evaluate("told.length = 0")
    table = store.load(NUMBERS).table
    column = pa.array([estimate, *[1.0] * (table.num_rows - 1)])
    put(store, NUMBERS, table.set_column(table.column_names.index("estimate"), "estimate", column))
    for kind in then:
        opened.wait(kind)
    opened.page.wait_for_timeout(1500)  # the next save is an author's, and not a machine's


def test_a_saved_result_changes_chart_and_number(opened):
    opened.draw_all()
    measured(opened, 7.125)
    assert "7.1" in opened.text()
    assert opened.complaints == []


def test_other_rows_come_into_the_same_view_and_what_is_drawn_is_new(opened):
    opened.draw_all()
    view = opened.page.locator("#numbers-small .post-view")
    drawn = []
    for estimate in (7.125, 2.0, 9.5):
        measured(opened, estimate)
        drawn.append(view.locator("svg").inner_html())
        assert view.count() == 1
        if estimate == 7.125:  # drawn from what is published before: the first edit draws anew
            view.evaluate("node => { node.mine = true; }")
    assert view.evaluate("node => node.mine") is True
    assert len({*drawn}) == 3
    assert opened.complaints == []


def test_other_titles_come_into_the_same_view_which_looks_as_if_it_were_new(opened):
    opened.draw_all()
    drawing = "site_builder/figures/numbers.py"
    view = opened.page.locator("#numbers-small .post-view")
    codes = [
        'alt.Y("estimate:Q")',
        *(f'alt.Y("estimate:Q", title="{n}")' for n in ("one", "more words")),
    ]
    for before, after in pairwise(codes):
        opened.edit(drawing, before, after, then="chart")
        opened.wait("page")
        opened.page.wait_for_timeout(1500)  # the next save is an author's, and not a machine's
        if before == codes[0]:  # drawn from what is published before: the first edit draws anew
            view.evaluate("node => { node.mine = true; }")
    assert view.evaluate("node => node.mine") is True
    shown = "node => node.innerHTML.replace(/(clip|gradient_)\\d+/g, '$1')"
    kept = view.evaluate(shown)
    assert "more words" in kept
    assert ">one<" not in kept
    opened.page.reload()
    opened.draw_all()
    assert view.evaluate(shown) == kept
    assert opened.complaints == []


def test_what_is_wrong_stands_in_its_place_until_it_is_mended(opened):
    page = opened.page
    figures = page.locator(".post-figure").count()
    opened.edit(SECTION, "<< figure: numbers small", "<< figure: nubers small", then="section")

    wrong = page.locator("article .post-problem").first
    assert 'unknown figure "nubers"; did you mean "numbers"?' in wrong.inner_text()
    assert f"{SECTION}:" in wrong.inner_text()
    opened.wait("page")
    assert "mend" in page.locator(".preview-panel summary").inner_text()
    opened.edit(SECTION, "nubers", "numbers")
    opened.until("n => document.querySelectorAll('.post-figure').length === n", figures)
    assert page.locator("article .post-problem").count() == 0

    opened.edit("site_builder/figures/numbers.py", "def draw(", "def drow(", then="page")
    assert "numbers.py" in page.locator(".preview-panel").text_content()
    opened.edit("site_builder/figures/numbers.py", "def drow(", "def draw(", then="page")
    opened.edit("site_builder/figures/numbers.py", "import altair", "1 / 0\nimport altair")
    assert "ZeroDivisionError" in page.locator("article .post-problem").first.inner_text()
    opened.edit("site_builder/figures/numbers.py", "1 / 0\n", "")
    opened.until("() => !document.querySelector('article .post-problem')")
    assert page.locator(".post-figure").count() == figures
    assert len(opened.loads) == 1


@pytest.mark.parametrize("by", ["rename", "truncation"])
def test_saves_are_seen_however_an_editor_makes_them(opened, by):
    text = (opened.root / SECTION).read_text("utf-8")
    for number in range(3):
        opened.save(SECTION, f"{text}\nSaved {number}.\n", then="section", by=by)
        assert f"Saved {number}." in opened.text()
    for number in (3, 4, 5):  # faster than anything can be shown
        (opened.root / SECTION).write_text(f"{text}\nSaved {number}.\n", "utf-8")
    opened.until("() => document.querySelector('article').innerText.includes('Saved 5.')")


def test_only_the_preview_itself_is_answered(opened):
    url = opened.loads[0]

    def answer(path, **headers):
        request = urllib.request.Request(url.rstrip("/") + path, headers=headers)
        if path.startswith("/~/") and path != "/~/preview.js":
            request.data, request.method = b'["x"]', "POST"
        try:
            return urllib.request.urlopen(request, timeout=5).status
        except urllib.error.HTTPError as error:
            return error.code

    assert answer("/") == 200
    assert answer("/", Host="evil.example") == 400
    assert answer("/..%2f..%2fmkdocs.yml") == 404
    assert answer("/assets/..%2f..%2fmkdocs.yml") == 404
    assert answer("/~/..%2fpost.css") in (404, 405)
    assert answer("/~/seen") == 403
    assert answer("/~/seen", Origin="http://evil.example") == 403
    assert answer("/~/seen", Origin=url.rstrip("/")) == 204


def test_two_previews_of_one_project_do_not_meet(opened, browser):
    with serving(opened.root) as url:
        context = browser.new_context()
        other = Open(context.new_page(), url, opened.root)
        other.save(SECTION, (opened.root / SECTION).read_text("utf-8") + "\nBoth.\n")
        opened.until("() => document.querySelector('article').innerText.includes('Both.')")
        context.close()
    opened.edit(SECTION, "Both.", "One is left.")

    assert "One is left." in opened.text()
    assert len(list((opened.root / ".cache").glob("preview.*"))) == 1


def test_what_is_stale_is_measured_from_the_page_and_drawn(opened):
    page = opened.page
    opened.page.evaluate("told.length = 0")
    measurable(opened.root, 1)
    stale = page.locator("#numbers-small .post-stale")
    stale.wait_for()
    stale.get_by_role("button", name="Measure now").click()
    page.locator(".preview-panel", has_text="measuring numbers small").wait_for()
    stale.wait_for(state="detached")

    assert "The first is 0.0" in opened.text()
    assert Store(Project(opened.root)).why_stale(NUMBERS) == []
    assert opened.complaints == []


def test_a_measurement_can_be_ended_and_a_second_edit_ends_the_first(opened):
    page = opened.page
    measurable(opened.root, 60)
    page.locator("#numbers-small .post-stale").get_by_role("button").click()
    page.locator(".preview-panel").get_by_role("button", name="cancel").click()
    page.locator(".preview-panel", has_text="was not measured").wait_for()
    page.locator("#numbers-small .post-stale").get_by_role("button").click()
    page.locator(".preview-panel", has_text="measuring numbers small").wait_for()
    measurable(opened.root, 0)

    page.locator(".preview-panel", has_text="was not measured").wait_for()
    assert Store(Project(opened.root)).why_stale(NUMBERS)


def test_a_preview_told_to_measure_does(browser, project):  # noqa: F811
    measurable(project.root, 0)
    with serving(project.root, "--run", "stale") as url:
        context = browser.new_context()
        opened = Open(context.new_page(), url, project.root)
        opened.until(
            "() => document.querySelector('article').innerText.includes('The first is 0.0')"
        )
        context.close()


def test_what_was_built_while_a_page_opened_is_taken_over(browser, project):  # noqa: F811
    """Its script runs when a result is in that the page, as it was sent, has not."""
    with serving(project.root) as url:
        context = browser.new_context()
        page = context.new_page()
        held = []
        page.route("**/preview/preview.js", lambda route: held.append(route))
        page.goto(url, wait_until="commit")
        store = Store(Project(project.root))
        table = store.load(NUMBERS).table
        column = pa.array([7.125, *[1.0] * (table.num_rows - 1)])
        place = table.column_names.index("estimate")
        put(store, NUMBERS, table.set_column(place, "estimate", column))
        while b"7.1" not in urllib.request.urlopen(url).read() or not held:
            page.wait_for_timeout(POLL)
        held[0].continue_()
        page.wait_for_function(
            "() => document.querySelector('article').innerText.includes('7.1')", polling=POLL
        )
        context.close()


def test_a_click_on_a_number_copies_where_the_figure_is_written(opened):
    opened.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    opened.page.locator("#numbers-small .post-number").click()

    assert opened.page.evaluate("navigator.clipboard.readText()") == f"{SECTION}:5"


def test_a_saved_style_is_on_the_page_at_once(opened):
    text = (opened.root / "assets/post.css").read_text("utf-8")
    opened.save("assets/post.css", text + "\narticle { outline-offset: 7px; }\n", then="style")
    opened.until(
        "() => getComputedStyle(document.querySelector('article')).outlineOffset === '7px'"
    )

    assert len(opened.loads) == 1
    assert opened.complaints == []


CLAIM = """
    [small]
    says = "The first number is above one."
    result = "numbers small"
    row = {x = 1}
    holds = "estimate > 1"
    """


def test_what_no_page_had_before_has_the_theme_s_style_at_once(opened):
    text = (opened.root / SECTION).read_text("utf-8")
    opened.save(SECTION, text + "\n!!! tip\n    Mind the gap.\n", then="section")
    box = opened.page.locator(".admonition.tip")
    box.wait_for()

    icon = "getComputedStyle(box.querySelector('.admonition-title'), '::before').maskImage"
    assert box.evaluate(f"box => {icon}").startswith("url(")


def test_a_claim_that_stops_holding_is_told_in_the_open_page(opened):
    write(opened.root / "content/claims/01-numbers.toml", CLAIM)
    text = (opened.root / SECTION).read_text("utf-8")
    write(opened.root / "content/claims.md", "# Claims\n\n<< page: claims >>\n")
    opened.save(SECTION, text + "\nIt is above one. << claim: small >>\n")
    opened.page.locator("article .post-sign", has_text="✓").wait_for()
    measured(opened, 0.5, then=["page"])  # the site may still be built with the sentence

    opened.page.locator("article .post-sign", has_text="does not hold").wait_for()
    assert len(opened.loads) == 1
    assert opened.complaints == []


def test_after_any_edits_the_preview_is_what_a_build_gives(opened, tmp_path):
    """Edits of every kind, a third of them mistakes, then everything mended."""
    chance = random.Random(7)
    root = opened.root
    files = [
        SECTION,
        "content/index.md",
        "site_builder/figures/numbers.py",
        "templates/figure.html.j2",
    ]
    whole = {name: (root / name).read_text("utf-8") for name in files}
    drawing = "site_builder/figures/numbers.py"
    for number in range(EDITS):
        name = chance.choice([SECTION, SECTION, *files])
        text = whole[name]
        if chance.random() < 0.35:  # broken: cut somewhere
            text = text[: chance.randrange(len(text))]
        elif name.endswith(".md"):
            lines = text.split("\n\n")
            lines.insert(chance.randrange(1, len(lines)), f"Sentence {number}.")
            text = "\n\n".join(lines)
        elif name == drawing:
            text += f"\nNUMBER = {number}\n"
        (root / name).write_text(text, "utf-8")
        if chance.random() < 0.1:
            put(Store(Project(root)), NUMBERS)
        opened.page.wait_for_timeout(chance.choice([0, 0, 5, 30, 120]))
    opened.page.wait_for_timeout(500)
    for name, text in whole.items():
        (root / name).write_text(text, "utf-8")
    last = whole[SECTION].rstrip() + "\n\nThe last sentence.\n"
    opened.save(SECTION, last)
    opened.until("() => document.querySelector('article').innerText.includes('The last sentence.')")
    clean = tmp_path.parent / "clean"
    shutil.copytree(root, clean, ignore=shutil.ignore_patterns("preview.*", "site", "__pycache__"))
    built = build(Project(clean), say=lambda _line: None).site
    (shown,) = (root / ".cache").glob("preview.*")

    def tree(folder):
        files = (path for path in folder.rglob("*") if path.is_file())
        return {
            str(path.relative_to(folder)): path.read_bytes()
            for path in files
            if path.suffix != ".gz" and path.name != "sitemap.xml"
        }

    def differing():
        try:
            expected, found = tree(built), tree(shown)
        except FileNotFoundError:  # it is being written
            return ["what is being written"]
        return sorted(n for n in expected | found if expected.get(n) != found.get(n))

    hangs = time.monotonic() + HANGS / 2
    while differing() and time.monotonic() < hangs:
        time.sleep(0.2)
    assert differing() == []
    opened.draw_all()  # a chart's words are text as soon as it is alive
    live = opened.text()
    opened.page.reload()
    opened.until("() => document.documentElement.dataset.preview")
    opened.draw_all()
    assert opened.text() == live
    assert json.dumps(opened.complaints) == "[]"


@pytest.mark.parametrize("words", [(), ("--drafts",)])
def test_behind_a_proxy_s_path_a_save_is_shown_as_well(browser, project, words):  # noqa: F811
    more = ["--root-path", "/user/me/proxy/8477/", "--allow-host", "example.localhost", *words]
    write(project.content / "more.md", "---\ndraft: true\n---\n# More\n")
    with serving(project.root, *more) as url:
        assert url.endswith("/user/me/proxy/8477/")
        context = browser.new_context()
        # A name that the machine itself answers to, as a proxy's would.
        named = url.replace("127.0.0.1", "example.localhost")
        shown = Open(context.new_page(), named, project.root)
        text = (project.root / SECTION).read_text("utf-8")
        shown.save(SECTION, text + "\nA sentence more.\n", then="section")
        assert "A sentence more." in shown.text()
        shown.wait("page")
        shown.draw_all()  # which asks the server for its files
        status = shown.page.evaluate("""async () => (await fetch(new URL("~/seen", document.baseURI),
            {method: "POST", body: "[]"})).status""")
        assert status == 204
        request = urllib.request.Request(url, headers={"Host": "evil.example.org"})
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request)
        assert refused.value.code == 400
        shown.complaints.clear()
        answer = shown.page.goto(f"{named}more/")
        assert (answer.status == 200) is bool(words)
        context.close()
