"""The architecture, as far as import-linter does not say it, and the documents' own claims."""

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from site_builder.commands.main import main
from site_builder.core.project import FOLDERS
from tests.conftest import BUILD, copy_of_built, light

REPO = Path(__file__).resolve().parents[2]


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def shelf(folder: str) -> list[Path]:
    return [p for p in sorted((REPO / folder).glob("*.py")) if p.stem != "__init__"]


@pytest.mark.parametrize("path", shelf("analyses"), ids=lambda p: p.stem)
def test_measurements_import_only_instruments(path: Path) -> None:
    ours = {name for name in imported(path) if name.startswith("analyses.")}
    assert all(name.startswith(("analyses.lab", "analyses.instruments")) for name in ours)


@pytest.mark.parametrize("path", shelf("analyses"), ids=lambda p: p.stem)
def test_code_is_imported_where_it_can_be_read(path: Path) -> None:
    """A dynamic import would hide code from the fingerprint."""
    assert not imported(path) & {"importlib", "runpy"}


@pytest.mark.parametrize("path", shelf("site_builder/figures"), ids=lambda p: p.stem)
def test_drawings_do_not_import_each_other(path: Path) -> None:
    drawings = {p.stem for p in shelf("site_builder/figures") if "\ndef draw(" in p.read_text()}
    ours = {n.split(".")[2] for n in imported(path) if n.startswith("site_builder.figures.")}
    assert not ours & drawings


OF_THE_POST = {
    "site_builder": (
        r"topic|length.?word|temperature|held.?out|gemma|smollm|autoencoder|LAYER/INDEX"
        r"|list_(statistics|samples)|\b(short|long|sampled|capped) lists\b|\blists? (ends?|that ended)"
    ),
    "analyses/lab": (
        r"topic|length.?word|held.?out|list_(statistics|samples)"
        r"|\b(short|long|sampled|capped) lists\b|\blists? (ends?|that ended)"
    ),
}
"""Words of this repository's post, which the engine has no use for, whatever is written with it."""

MAY_SAY = [
    ("templates/partials/header.html", r"header(__|-)topic"),  # classes of the theme
    # The groups that a study of lists has, and what is kept of them, are part of every result's key.
    ("analyses/lab/core/study.py", r"topic|held.out"),
    ("analyses/lab/core/study_checks.py", r"topic|held.out"),
    ("analyses/lab/core/effects.py", r"\btopic\b"),
    ("analyses/lab/runtime/model_report.py", r"topic"),
    # A token is drawn at a temperature, whatever for.
    ("assets/live/engine.js", r"temperature"),
    ("assets/live/sampling.js", r"temperature"),
    ("assets/live/writing.js", r"temperature"),
]
"""File, and what of these words it may say, each for a reason."""


def engine(folder: str) -> list[Path]:
    """The files of the engine that belong to one of its folders, and are written by hand."""
    tops = (folder, "templates", "assets") if folder == "site_builder" else (folder,)
    found = [
        path
        for top in tops
        for path in sorted((REPO / top).rglob("*"))
        if path.suffix in (".py", ".j2", ".html", ".js", ".css", ".toml", ".md", ".txt")
    ]
    post = [REPO / name for name in ("site_builder/figures", "templates/post", "assets/post")]
    foreign = [REPO / name for name in ("assets/charts.js", "assets/charts", "templates/assets")]
    foreign.append(REPO / "assets" / "preview" / "idiomorph.esm.js")
    return [
        path for path in found if not any(path.is_relative_to(other) for other in (*post, *foreign))
    ]


def of_the_post(folder: str, name: str, text: str) -> list[str]:
    """Each line of a text that says a word of the post, with its place."""
    may = "|".join(pattern for file, pattern in MAY_SAY if file == name)
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        rest = re.sub(may, "", line, flags=re.IGNORECASE) if may else line
        if word := re.search(OF_THE_POST[folder], rest, re.IGNORECASE):
            found.append(f"{name}:{number}: {word[0]}: {line.strip()[:80]}")
    return found


@pytest.mark.parametrize("folder", OF_THE_POST)
def test_the_engine_says_no_word_of_the_post(folder: str) -> None:
    files = engine(folder)
    assert len(files) > 30
    found = [
        line
        for path in files
        for line in of_the_post(
            folder, path.relative_to(REPO).as_posix(), path.read_text("utf-8", "replace")
        )
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("folder", "text", "word"),
    [
        ("site_builder", 'TITLE = "for Gemma 2 2B"', "Gemma"),
        ("site_builder", "the length word", "length word"),
        ("site_builder", "length_words = 3", "length_word"),
        ("site_builder", "heldOut", "heldOut"),
        ("analyses/lab", "by topic", "topic"),
    ],
)
def test_a_word_of_the_post_is_told_with_its_line(folder: str, text: str, word: str) -> None:
    told = of_the_post(folder, "x.py", f"# A comment.\n{text}\n")
    assert told == [f"x.py:2: {word}: {text}"]


def test_what_the_engine_may_say_it_says() -> None:
    """An exception that nothing needs any more is one too many."""
    for name, pattern in MAY_SAY:
        assert re.search(pattern, (REPO / name).read_text("utf-8"), re.IGNORECASE), (name, pattern)


def test_general_words_are_no_words_of_the_post() -> None:
    for text in ("a sampling temperature", "an autoencoder's layer", "Gemma 2's soft-capping"):
        assert of_the_post("analyses/lab", "x.py", text) == []


def test_no_module_is_a_monster() -> None:
    for folder in ("analyses", "site_builder"):
        for path in (REPO / folder).rglob("*.py"):
            assert len(path.read_text("utf-8").splitlines()) <= 330, path


@pytest.mark.parametrize(
    "room",
    [
        room
        for top in ("site_builder", "analyses/lab", "analyses/instruments")
        for room in (REPO / top, *(REPO / top).iterdir())
        if room.is_dir() and room.name not in ("figures", "__pycache__")
    ],
    ids=lambda room: room.relative_to(REPO).as_posix(),
)
def test_no_room_is_crowded(room: Path) -> None:
    """The post's drawings are as many as its measurements."""
    assert len(shelf(room.relative_to(REPO).as_posix())) <= 14


def test_the_linter_sees_every_module() -> None:
    """It leaves out what git does: a pattern for a built site once hid the room of that name."""
    command = [sys.executable, "-m", "ruff", "check", "--show-files"]
    told = subprocess.run(command, cwd=REPO, capture_output=True, text=True, check=True)
    seen = {Path(line) for line in told.stdout.splitlines()}
    for folder in ("analyses", "benchmarks", "site_builder", "tests"):
        assert {*(REPO / folder).rglob("*.py")} <= seen


def test_every_command_has_help_and_is_documented() -> None:
    documents = (REPO / "README.md").read_text("utf-8")
    for name, command in main.commands.items():
        assert command.help, name
        assert f"build-site {name}" in documents, name
        for parameter in command.params:
            if parameter.param_type_name == "option" and parameter.name != "help":
                assert parameter.help, (name, parameter.name)
    assert CliRunner().invoke(main, ["--help"]).exit_code == 0


def copy_of_project(folder: Path, *, data: bool = True) -> Path:
    """A copy to change at will; what measures the study `tiny` needs none of the results."""
    ignore = shutil.ignore_patterns("__pycache__", "node_modules", "tiny")
    for name in FOLDERS:
        if data or name != "data":
            shutil.copytree(REPO / name, folder / name, ignore=ignore)
    shutil.copy(REPO / "mkdocs.yml", folder)
    return folder


def run(folder: Path, code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env={"PYTHONPATH": str(folder), "PATH": "/usr/bin:/bin", "HOME": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_light_install_builds_the_post_and_the_worked_example(
    built_post: Path, tmp_path: Path
) -> None:
    """Without torch: the whole page, then one command and one line more, then the file changed."""
    project = copy_of_built(built_post, tmp_path)
    text = (REPO / "CONTRIBUTING.md").read_text("utf-8")
    (words,) = re.findall(r"```sh\nbuild-site (.*?)\n```", text)
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    (line,) = re.findall(r"```markdown\n(.*?)```", text, re.DOTALL)
    section = sorted((project / "content" / "sections").glob("*.md"))[1]
    before = section.read_text("utf-8")

    def page_with(line: str) -> str:
        section.write_text(f"{before}\n{line}", "utf-8")
        built = light(project, BUILD)
        assert built.returncode == 0, built.stderr
        return (project / "site" / "index.html").read_text("utf-8")

    command = f"from site_builder.commands.main import main\nmain({words.split()})\n"
    written = light(project, command)
    assert written.stdout == "<< figure: list_samples >>\n"
    assert f"`{written.stdout.strip()}`" in text
    assert "How often each value of new_tokens occurs" in page_with(written.stdout)
    (project / "site_builder" / "figures" / "list_samples.py").write_text(code, "utf-8")
    page = page_with(line)
    assert 'id="list-samples"' in page
    assert "Tokens written per list, template long." in page


@pytest.mark.long
def test_the_theme_s_successor_shows_the_same_figures_of_the_post(
    built_post: Path, tmp_path: Path
) -> None:
    project = copy_of_built(built_post, tmp_path)
    page = project / "site" / "index.html"

    def figures() -> list[str]:
        return re.findall(r'<figure [^>]*id="([^"]+)"', page.read_text("utf-8"))

    ours = figures()
    assert len(ours) > 10
    zensical = "from zensical.main import cli\ncli(['build', '--clean'])\n"
    assert run(project, zensical).returncode == 0
    assert figures() == ours


def test_a_build_of_the_same_imports_neither_altair_nor_pandas(
    built_post: Path, tmp_path: Path
) -> None:
    project = copy_of_built(built_post, tmp_path)
    tell = "import atexit, sys\natexit.register(lambda: print(*sorted(sys.modules)))\n"
    told = run(project, tell + BUILD)
    loaded = set(told.stdout.split())
    assert "nothing changed" in told.stdout
    assert not loaded & {"altair", "pandas", "pyarrow", "torch", "mkdocs", "numpy", "yaml"}


CONTRACTS = tomllib.loads((REPO / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]
WALLS = [
    wall
    for wall in CONTRACTS["contracts"]
    if wall["type"] == "forbidden" and "ignore_imports" not in wall
]


@pytest.mark.parametrize("wall", WALLS, ids=lambda wall: wall["name"])
def test_no_module_imports_what_is_behind_a_wall(wall: dict[str, Any]) -> None:
    """What `lint-imports` proves from the same contracts, where it is not installed, too."""
    for package in wall["source_modules"]:
        for path in (REPO / package.replace(".", "/")).rglob("*.py"):
            for behind in wall["forbidden_modules"]:
                names = {name for name in imported(path) if f"{name}.".startswith(f"{behind}.")}
                assert not names, path


def calls(path: Path, name: str) -> list[ast.Call]:
    """Calls of `module.function` in a file, however they are laid out."""
    nodes = ast.walk(ast.parse(path.read_text("utf-8")))
    return [n for n in nodes if isinstance(n, ast.Call) and ast.unparse(n.func) == name]


def test_no_file_is_unpickled() -> None:
    """By us: PyTorch's and NumPy's files are opened for what they hold, and nothing else."""
    opened = 0
    for path in [
        p for folder in ("analyses", "site_builder") for p in (REPO / folder).rglob("*.py")
    ]:
        assert not imported(path) & {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve"}
        for call in calls(path, "torch.load"):
            assert {k.arg: ast.unparse(k.value) for k in call.keywords}["weights_only"] == "True"
            opened += 1
        for call in calls(path, "np.load"):
            assert "True" not in [ast.unparse(k.value) for k in call.keywords]
            opened += 1
    assert opened > 1
