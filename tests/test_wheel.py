"""The engine from its wheel, in an environment of its own, for a post that this repository never saw."""

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

REPO = Path(__file__).parents[1]
HEAVY = ("torch", "transformer_lens", "sae_lens", "transformers", "numpy", "pandas", "scipy")
"""What the light install does not have."""

OURS = r"gemma|smollm|list-ending|feature card|length word|autoencoder|lists? that|truncated list"
"""Words of this repository's post, which no other post may show."""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy, so that nothing is left in the checkout."""
    source = tmp_path_factory.mktemp("source")
    for name in ("analyses", "site_builder", "templates", "assets"):
        ignore = shutil.ignore_patterns("__pycache__", "node_modules")
        shutil.copytree(REPO / name, source / name, ignore=ignore)
    for name in ("pyproject.toml", "setup.py", "MANIFEST.in", "README.md", "LICENSE"):
        shutil.copy(REPO / name, source)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    how = ["--no-deps", "--no-index", "--no-build-isolation", "--quiet"]
    out = tmp_path_factory.mktemp("wheel")
    subprocess.run([*pip, "wheel", *how, "--wheel-dir", out, source], check=True)
    (found,) = out.glob("measured_post-*.whl")
    return found


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python with the wheel and the light install's libraries, and none of this checkout."""
    root = tmp_path_factory.mktemp("bare")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", root], check=True)
    found = {"base": str(root), "platbase": str(root)}
    packages = Path(sysconfig.get_path("purelib", "venv", vars=found))
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    how = ["--no-deps", "--no-index", "--no-compile", "--target", packages]
    subprocess.run([*pip, *how, wheel], check=True)
    # The libraries are linked, but for what is not light and what would lead back to the checkout.
    heavy = re.compile(rf"({'|'.join(HEAVY)})([.-].*)?", re.IGNORECASE)
    for path in Path(sysconfig.get_path("purelib")).iterdir():
        ours = re.match(r"__editable__|measured_post", path.name)
        if not ours and not heavy.fullmatch(path.name) and not (packages / path.name).exists():
            (packages / path.name).symlink_to(path)
    return root / "bin" / "python"


def build_site(python: Path, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [python, "-m", "site_builder", *words],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def begun(python: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A post as `build-site init` leaves it."""
    folder = tmp_path_factory.mktemp("posts")
    made = build_site(python, folder, "init", "collatz")
    assert made.returncode == 0, made.stdout + made.stderr
    assert made.stdout.split("\n")[-3:] == ["cd collatz", "build-site serve", ""]
    return folder / "collatz"


@pytest.fixture
def post(begun: Path, tmp_path: Path) -> Path:
    """A copy of it, to be changed."""
    return shutil.copytree(begun, tmp_path / "collatz")


def states(python: Path, post: Path) -> dict[str, tuple[str, list[str]]]:
    """State and reasons of each result."""
    told = build_site(python, post, "status", "--json")
    assert told.returncode == 0, told.stderr
    found = json.loads(told.stdout)
    return {f"{row['analysis']} {row['variant']}": (row["state"], row["reasons"]) for row in found}


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def test_the_wheel_holds_the_engine_and_nothing_of_the_post(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.partition("/")[0] for name in names}
    assert tops == {"analyses", "site_builder", f"{wheel.name.rsplit('-', 3)[0]}.dist-info"}
    assert {name for name in names if name.startswith("analyses/")} == {
        path.relative_to(REPO).as_posix() for path in (REPO / "analyses" / "lab").rglob("*.py")
    }
    for needed in ("templates/main.html", "templates/figure.html.j2", "assets/charts.js",
                   "assets/charts/LICENCES.txt", "assets/mathematics/temml.min.js",
                   "assets/mathematics/LICENCE.txt", "assets/post.css", "charts/theme.py",
                   "assets/live/engine.wasm", "assets/live/worker.js"):  # fmt: skip
        assert f"site_builder/{needed}" in names
    assert not [name for name in names if "templates/post/" in name or "assets/post/" in name]
    assert not [name for name in names if name.startswith("site_builder/figures/")]


def test_a_post_that_was_begun_shows_its_figure_and_nothing_of_this_one(begun: Path) -> None:
    page = (begun / "site" / "index.html").read_text("utf-8")
    figure = page[page.index("<figure") : page.index("</figure>")]
    (picture,) = re.findall(r'only-light" src="\./(figures/[^"]+\.svg)"', figure)
    assert "<svg" in (begun / "site" / picture).read_text("utf-8")
    assert "Mean number of steps to 1" in figure
    assert "t over decades" in page
    assert "Lagarias" in page
    assert page.count("not measured") == 0
    assert "✓" in page
    for path in sorted((begun / "site").rglob("*")):
        foreign = path.name == "charts.js" or "javascripts" in path.parts
        if path.suffix in (".html", ".css", ".js", ".json", ".xml") and not foreign:
            assert not re.search(OURS, path.read_text("utf-8"), re.IGNORECASE), path


def test_its_recipes_name_no_library_that_was_not_there(python: Path, begun: Path) -> None:
    told = json.loads((begun / "site" / "provenance.json").read_text("utf-8"))
    text = json.dumps(told)
    assert "pyarrow" in text
    assert "raw/steps.csv" in text
    assert not [name for name in HEAVY if f'"{name}"' in text]


def test_nothing_is_to_do_again(python: Path, post: Path) -> None:
    built = build_site(python, post)
    assert "nothing changed" in built.stdout, built.stderr
    assert {state for state, _ in states(python, post).values()} == {"fresh"}


@pytest.mark.parametrize(
    ("name", "old", "new", "reason"),
    [
        ("raw/steps.csv", "27,odd,21-30,111", "27,odd,21-30,110", "raw/steps.csv changed"),
        ("analyses/studies/collatz.toml", "most = 60", "most = 50", "starts.most was 60 and is 50"),
        ("analyses/steps.py", "numbers[:5]", "numbers[:4]", "steps"),
    ],
)
def test_what_a_result_depends_on_makes_it_stale(python, post, name, old, new, reason) -> None:
    edit(post / name, old, new)
    for state, reasons in states(python, post).values():
        assert state == "stale"
        assert reason in "; ".join(reasons)
    again = build_site(python, post, "--run", "stale")
    assert again.returncode == 0, again.stderr
    assert {state for state, _ in states(python, post).values()} == {"fresh"}


def test_a_comment_makes_nothing_stale_and_a_drawing_only_itself_new(python, post) -> None:
    edit(post / "analyses" / "steps.py", "VARIANTS = (", "# A comment.\nVARIANTS = (")
    built = build_site(python, post)
    assert "(0 figures drawn anew)" in built.stdout, built.stdout + built.stderr
    edit(post / "figures" / "steps.py", "size=60", "size=90")
    built = build_site(python, post)
    assert "(2 figures drawn anew)" in built.stdout, built.stdout + built.stderr
    assert {state for state, _ in states(python, post).values()} == {"fresh"}


def test_one_file_of_ones_own_stands_before_the_engines_and_switches_nothing_off(python, post):
    (post / "templates").mkdir()
    (post / "templates" / "404.html").write_text("Mine, and gone.", "utf-8")
    (post / "assets").mkdir()
    (post / "assets" / "own.js").write_text("export function wake() { /* mine */ }\n", "utf-8")
    built = build_site(python, post)
    assert built.returncode == 0, built.stderr
    assert "Mine, and gone." in (post / "site" / "404.html").read_text("utf-8")
    (own,) = (post / "site" / "assets").glob("own.*.js")
    assert "mine" in own.read_text("utf-8")
    assert [*(post / "site" / "figures").glob("*.svg")]
    assert len([*(post / "site" / "assets").glob("*.css")]) > 4


def test_the_tests_of_the_post_pass(python, post) -> None:
    ran = subprocess.run(
        [python, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=post,
        env={"PATH": os.environ["PATH"], "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["init", "Collatz 1"], 'init: "Collatz 1" cannot name a post'),
        (["init", "collatz"], "something is there already; name another folder"),
        (["init", "other", "--model", "x"], "which this post does not open"),
        (["init", "other", "--with", "model"], "a model cannot be opened without the lab"),
        ([], "begin one: build-site init NAME"),
    ],
)
def test_what_cannot_be_begun_is_said_in_one_line(python, tmp_path, words, said) -> None:
    (tmp_path / "collatz").mkdir()
    (tmp_path / "collatz" / "mine.txt").write_text("mine", "utf-8")
    told = build_site(python, tmp_path, *words)
    assert told.returncode == 1
    assert said in told.stderr
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["collatz", "mine.txt"]
