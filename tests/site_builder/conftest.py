"""A small project of its own: two measurements, a helper, two drawings, a study, results."""

import shutil
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from markdown import Markdown
from mkdocs.config import load_config

from site_builder.core import cache
from site_builder.core.files import now
from site_builder.core.project import EXTENSION, Project
from site_builder.post.post import Post
from site_builder.render.blocks import Blocks
from site_builder.render.figures import Fragments
from site_builder.results.graph import inputs_of
from site_builder.results.recipe import Recipe, ResultId
from site_builder.results.store import Store
from site_builder.site.extension import MeasuredFigures

Show = Callable[..., str]

REPO = Path(__file__).resolve().parents[2]


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(textwrap.dedent(text).lstrip("\n"), "utf-8")


@pytest.fixture
def shelves(tmp_path: Path) -> Project:
    """The project without what draws its pages, which is many files: measurements, text, results."""
    shutil.copy(REPO / "mkdocs.yml", tmp_path / "mkdocs.yml")
    config = (tmp_path / "mkdocs.yml").read_text("utf-8")
    write(tmp_path / "mkdocs.yml", config.replace("smollm2-135m-instruct", "toy"))
    write(tmp_path / "analyses" / "lab" / "__init__.py", '"""Tools."""')
    write(
        tmp_path / "analyses" / "lab" / "arithmetic.py",
        '''
        """Sums."""


        def double(x: int) -> int:
            """Twice x."""
            return x * 2  # a comment
        ''',
    )
    write(
        tmp_path / "analyses" / "numbers.py",
        '''
        """Numbers of the study."""

        from analyses.lab.arithmetic import double

        VARIANTS = ("small", "large")


        def run(lab, *, variant):
            """A table of numbers."""
            return double(3)
        ''',
    )
    write(
        tmp_path / "analyses" / "base.py",
        '''
        """What totals are made of."""


        def run(lab):
            """A table."""
            return None
        ''',
    )
    write(
        tmp_path / "analyses" / "totals.py",
        '''
        """Totals of the base."""


        def run(lab, base):
            """A table."""
            return None
        ''',
    )
    write(
        tmp_path / "analyses" / "studies" / "toy.toml",
        """
        title = "A toy"
        seed = 1

        [sampling]
        temperature = 0.8
        top_p = 0.9

        [topics]
        names = ["Oceans"]
        """,
    )
    write(
        tmp_path / "content" / "index.md",
        """
        ---
        title: A toy
        ---
        # A toy

        << section: 01-numbers >>
        """,
    )
    write(
        tmp_path / "content" / "sections" / "01-numbers.md",
        """
        ## Numbers

        The first is << value: numbers small x=1 format=.1f >>.

        << figure: numbers small >>

        << figure: totals >>
        """,
    )
    found = Project(tmp_path)
    for analysis, variant in (("base", ""), ("totals", ""), ("numbers", "small")):
        put(Store(found), ResultId("toy", analysis, variant))
    return found


@pytest.fixture
def project(shelves: Project) -> Project:
    """All of it: pages can be made."""
    root = shelves.root
    ignore = shutil.ignore_patterns("__pycache__", "node_modules", "figures", "picture.svg.j2")
    shutil.copytree(REPO / "site_builder", root / "site_builder", ignore=ignore)
    for name in ("templates", "assets"):
        shutil.copytree(REPO / name, root / name, ignore=ignore)
    figures = root / "site_builder" / "figures"
    figures.mkdir()
    shutil.copy(REPO / "site_builder" / "figures" / "__init__.py", figures)
    drawing = '''
        """A table's first column as a chart."""

        import altair as alt

        from site_builder.charts.drawing import Drawing
        from site_builder.charts import theme


        def draw(table, *, variant="", size: int = 3):
            """Points."""
            theme.need(table, "x", "estimate")
            chart = alt.Chart(theme.data(theme.rows(table, "x", "estimate"))).mark_point(size=size)
            chart = chart.encode(alt.X("x:Q"), alt.Y("estimate:Q"))
            return Drawing((chart,), "Some numbers.", "A chart of numbers.")
        '''
    write(figures / "numbers.py", drawing)
    write(figures / "totals.py", drawing)
    return shelves


def put(store: Store, id: ResultId, table: pa.Table | None = None) -> Recipe:
    """A result as a run would leave it, without a model."""
    if table is None:
        table = pa.table(
            {
                "x": [1, 2, 3],
                "estimate": [1.25, 2.5, -3.75],
                "low": [1.0, 2.0, -4.0],
                "high": [1.5, 3.0, -3.0],
                "n": [10, 11, 12],
            }
        )
    recipe = Recipe(
        study=id.study,
        analysis=id.analysis,
        variant=id.variant,
        meaning=store.current.code(id.analysis).meaning,
        code=store.current.code(id.analysis).files,
        settings={"sampling.top_p": store.current.settings(id.study).get("sampling.top_p")},
        weights={},
        inputs={str(i): store.content(i) for i in inputs_of(store.project, id)},
        labels={"n": "3 numbers", "interval": "made up", "units": {}, "note": ""},
        made_with={"device": "cpu"},
        made_at=now(),
        seconds=0.5,
    )
    return store.save(id, table, recipe)


@pytest.fixture
def post(project: Project) -> Post:
    return Post(project)


@pytest.fixture
def show(shelves: Project) -> Show:
    """The HTML of a page that has this section, and another one behind it; nothing is drawn."""
    (shelves.root / "templates").mkdir()  # which mkdocs.yml names
    config = load_config(str(shelves.root / "mkdocs.yml"))
    others = [name for name in config.markdown_extensions if name != EXTENSION]

    def render(section: str, *, behind: str = "## Behind\n\nText *behind*.\n") -> str:
        sections = shelves.content / "sections"
        (sections / "20-probe.md").write_text(section, "utf-8")
        (sections / "21-behind.md").write_text(behind, "utf-8")
        page = shelves.content / "index.md"
        page.write_text("# A toy\n\n<< section: 20-probe >>\n\n<< section: 21-behind >>\n", "utf-8")
        post = Post(Project(shelves.root))
        post.collect()
        post.judge()
        render.problems = [str(problem) for problem in post.problems]
        render.blocks = blocks = Blocks(post, Fragments(post), forgiving=True)
        blocks.problems = [*post.problems]
        for use in post.uses.values():
            if not use.slug:
                blocks.show(use)
        extension = MeasuredFigures(blocks=blocks, page=lambda _text: page)
        made = Markdown(extensions=[*others, extension], extension_configs=config.mdx_configs)
        return made.convert(page.read_text("utf-8"))

    return render


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Wait until files that were just written count as left alone, which takes a fifth of a second.

    An author's clock ticks more coarsely than that of the disk that tests run on.
    """
    monkeypatch.setattr(cache, "SETTLED", 200_000_000)
    return lambda: time.sleep(cache.SETTLED / 1e9 + 0.02)
