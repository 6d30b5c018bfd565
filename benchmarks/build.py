"""How long a build takes, against plain MkDocs Material with the same text and no figures.

Each side is a process of its own, measured in turn in one run. `ratio` is reference ÷ ours for a
build when nothing changed; `edit_ratio` the same after one sentence changed; `first_s` is our
build from committed results with an empty cache; `drawing_s`, `template_s`, `style_s` and
`result_s` are ours after an edit of that kind, which the reference has no such thing as.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import edits
from site_builder.project import FOLDERS
from site_builder.uses import NOUNS

REPO = Path(__file__).resolve().parents[1]
OURS = [sys.executable, "-c", "from site_builder.cli import main; main(['--run', 'never', '-q'])"]
EDITS = {
    "drawing": edits.drawing,
    "template": edits.template,
    "style": edits.style,
    "result": edits.result,
}
PLAIN = [sys.executable, "-m", "mkdocs", "build", "--quiet"]


def main() -> None:
    """Print one object as JSON, or a line a person reads."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        told = measure(Path(folder), arguments.rounds)
    if arguments.json:
        print(json.dumps(told, indent=1))
        return
    print(f"first build {told['first_s']:.2f} s")
    print(f"no-op {told['ours_s']:.3f} s, plain {told['reference_s']:.3f} s: {told['ratio']:.1f} ×")
    print(f"edit {told['edit_s']:.3f} s, plain {told['edit_reference_s']:.3f} s")
    print(", ".join(f"{kind} {told[f'{kind}_s']:.2f} s" for kind in EDITS))


def measure(folder: Path, rounds: int) -> dict[str, float]:
    """Medians in seconds over `rounds` pairs of builds, and their ratios."""
    ours, plain = folder / "ours", folder / "plain"
    copy(ours)
    without_figures(ours, plain)
    first = _seconds(OURS, ours)
    _seconds(PLAIN, plain)
    sides = ("ours", "reference", "edit", "edit_reference")
    times: dict[str, list[float]] = {name: [] for name in (*sides, *EDITS)}
    for number in range(rounds):
        times["ours"].append(_seconds(OURS, ours))
        times["reference"].append(_seconds(PLAIN, plain))
        edits.sentence(ours / edits.SECTION, number)[1]()
        edits.sentence(plain / "content" / "index.md", number)[1]()
        times["edit"].append(_seconds(OURS, ours))
        times["edit_reference"].append(_seconds(PLAIN, plain))
        for kind, edit in EDITS.items():
            edit(ours, number)()
            times[kind].append(_seconds(OURS, ours))
    medians = {f"{name}_s": statistics.median(values) for name, values in times.items()}
    return medians | {
        "first_s": first,
        "ratio": medians["reference_s"] / medians["ours_s"],
        "edit_ratio": medians["edit_reference_s"] / medians["edit_s"],
        "rounds": rounds,
    }


def copy(root: Path, *without: str) -> None:
    """Copy what a build reads of this project, but files and folders of these names."""
    ignore = shutil.ignore_patterns("__pycache__", "node_modules", *without)
    for name in FOLDERS:
        shutil.copytree(REPO / name, root / name, ignore=ignore)
    shutil.copy(REPO / "mkdocs.yml", root)


def without_figures(ours: Path, plain: Path, place: str = "") -> None:
    """The same text for MkDocs Material as it comes: sections put in, directives left out.

    Where a figure stood there is `place`.
    """
    (plain / "content").mkdir(parents=True)
    sections = ours / "content" / "sections"

    def text(path: Path) -> str:
        source = path.read_text("utf-8")
        source = re.sub(
            r"<< section: (\S+) >>", lambda found: text(sections / f"{found[1]}.md"), source
        )
        source = re.sub(rf"<< ({'|'.join(NOUNS)}):[^<>]*>>", place, source)
        return re.sub(r"<<[^<>]*>>", "", source)

    for page in (ours / "content").glob("*.md"):
        (plain / "content" / page.name).write_text(text(page), "utf-8")
    config = (ours / "mkdocs.yml").read_text("utf-8")
    config = re.sub(r"  - site_builder.extension:\n(      .*\n)*", "", config)
    config = config.replace("  - measured-post\n", "").replace("  custom_dir: templates\n", "")
    (plain / "mkdocs.yml").write_text(config, "utf-8")


def _seconds(command: list[str], folder: Path) -> float:
    # What is installed was compiled when it was: let our copy's modules be, as a user's are.
    told = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    start = time.perf_counter()
    subprocess.run(command, cwd=folder, check=True, capture_output=True, env=told)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
