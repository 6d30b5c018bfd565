"""How long a build takes, against plain MkDocs Material with the same text and no figures.

Each side is a process of its own, measured in turn in one run. `no_op_x`, `sentence_x`, `drawing_x`
and `first_x` say how many of the plain builds beside it one of ours takes: when nothing changed,
after one sentence, after one drawing, and from committed results with an empty cache. `ratio` is
reference ÷ ours when nothing changed, `edit_ratio` the same after one sentence; `template_s`,
`style_s` and `result_s` are ours after an edit of that kind. All are medians.
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
from collections import defaultdict
from pathlib import Path

from benchmarks import edits
from site_builder.core.project import FOLDERS
from site_builder.post.kinds.table import KINDS

REPO = Path(__file__).resolve().parents[1]
OURS = [
    sys.executable,
    "-c",
    "from site_builder.commands.main import main; main(['--run', 'never', '-q'])",
]
EDITS = {
    "drawing": edits.drawing,
    "template": edits.template,
    "style": edits.style,
    "result": edits.result,
}
PLAIN = [sys.executable, "-m", "mkdocs", "build", "--quiet"]

PAIRS = {
    "no_op": ("ours", "reference"),
    "sentence": ("edit", "edit_reference"),
    "drawing": ("drawing", "drawing_reference"),
    "first": ("first", "first_reference"),
}
"""The kinds of build that are measured in turn with plain's; the names of both sides' times."""
WORDS = {
    "no_op": "when nothing changed",
    "sentence": "after one sentence",
    "drawing": "after one drawing",
    "first": "with an empty cache",
}


def main() -> None:
    """Print one object as JSON, or a line a person reads."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--firsts", type=int, default=3, help="first builds, with an empty cache")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        told = measure(Path(folder), arguments.rounds, arguments.firsts)
    if arguments.json:
        print(json.dumps(told, indent=1))
        return
    print("a build takes, in seconds and as a multiple of plain MkDocs Material's in turn with it:")
    for kind, (ours, plain) in PAIRS.items():
        seconds = f"{told[f'{ours}_s']:7.3f} s, plain {told[f'{plain}_s']:.3f} s"
        print(f"  {WORDS[kind]:24}{seconds}: {told[f'{kind}_x']:6.2f} ×")
    print(", ".join(f"{kind} {told[f'{kind}_s']:.2f} s" for kind in EDITS if kind not in PAIRS))


def measure(folder: Path, rounds: int, firsts: int) -> dict[str, float]:
    """Medians in seconds over so many pairs of builds, and their ratios."""
    ours, plain = folder / "ours", folder / "plain"
    copy(ours)
    without_figures(ours, plain)
    times: dict[str, list[float]] = defaultdict(list)

    def pair(kind: str) -> None:
        for name, command, side in zip(PAIRS[kind], (OURS, PLAIN), (ours, plain), strict=True):
            times[name].append(_seconds(command, side))

    _seconds(PLAIN, plain)
    for _ in range(firsts):
        for name in (".cache", "site"):
            shutil.rmtree(ours / name, ignore_errors=True)
        pair("first")
    for number in range(rounds):
        pair("no_op")
        edits.sentence(ours / edits.SECTION, number)[1]()
        edits.sentence(plain / "content" / "index.md", number)[1]()
        pair("sentence")
        for kind, edit in EDITS.items():
            edit(ours, number)()
            if kind in PAIRS:
                pair(kind)
            else:
                times[kind].append(_seconds(OURS, ours))
    medians = {name: statistics.median(values) for name, values in times.items()}
    return {
        **{f"{kind}_x": medians[ours] / medians[plain] for kind, (ours, plain) in PAIRS.items()},
        "ratio": medians["reference"] / medians["ours"],
        "edit_ratio": medians["edit_reference"] / medians["edit"],
        **{f"{name}_s": median for name, median in medians.items()},
        "rounds": rounds,
        "firsts": firsts,
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
        blocks = "|".join(name for name, kind in KINDS.items() if kind.noun)
        source = re.sub(rf"<< ({blocks}):[^<>]*>>", place, source)
        return re.sub(r"<<[^<>]*>>", "", source)

    for page in (ours / "content").rglob("*.md"):
        if not page.is_relative_to(sections):
            copied = plain / page.relative_to(ours)
            copied.parent.mkdir(parents=True, exist_ok=True)
            copied.write_text(text(page), "utf-8")
    config = (ours / "mkdocs.yml").read_text("utf-8")
    config = re.sub(r"  - site_builder.site.extension:\n(      .*\n)*", "", config)
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
