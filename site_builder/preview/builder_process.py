"""The preview's whole builds, in a process of their own that stays warm.

It reads one line of JSON a build, the changed files, and answers with one: the digest of every
page, and what there is to know. Whatever the project's code prints goes to standard error.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Iterable
from pathlib import Path

from site_builder.core import toml
from site_builder.core.digests import sha256_file
from site_builder.core.errors import BuildError, Problem
from site_builder.core.project import Project
from site_builder.post import claims
from site_builder.post.bibliography import works
from site_builder.preview.edits import forget
from site_builder.preview.messages import Built, Changed, Unmeasured
from site_builder.site.build import preview
from site_builder.site.last_build import Inputs


def main(root: Path, site: Path, study: str, drafts: bool, live: bool) -> None:
    """Build whenever standard input asks for it, until it ends."""
    sys.dont_write_bytecode = True  # its stamps are whole seconds, and saves come faster
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    last: Inputs | None = None
    open_files: set[Path] = set()  # saved, and not whole yet
    for line in sys.stdin:
        changed: Changed = json.loads(line)
        paths = set(map(Path, changed))
        forget(Project(root), paths)
        open_files = {path for path in paths | open_files if last and not is_whole(path)}
        if open_files:
            built = _failed(_unread(Project(root), open_files))
        else:
            built, last = _built(root, site, study, drafts, live, last)
        print(json.dumps(built), file=answers, flush=True)


def _built(
    root: Path, site: Path, study: str, drafts: bool, live: bool, last: Inputs | None
) -> tuple[Built, Inputs | None]:
    """Build once; nothing that an author writes ends this process.

    Returns what there is to say, and what the site is made from now.
    """
    try:
        blocks, notes, read = preview(
            Project(root), site, study=study, drafts=drafts, live=live, last=last
        )
        post = blocks.post
        pages = {post.url(page): sha256_file(site / post.file(page)) for page in post.pages()}
        states = {use.id: use.state for use in post.uses.values()}
        unmeasured: list[Unmeasured] = [
            {"study": id.study, "analysis": id.analysis, "variant": id.variant, "state": state}
            for id, state in states.items()
            if state != "fresh"
        ]
    except BuildError as error:
        return _failed(map(str, error.problems)), last
    except Exception as error:
        frame = traceback.extract_tb(error.__traceback__)[-1]
        where = getattr(error, "filename", None) or frame.filename
        line = getattr(error, "lineno", None) or frame.lineno
        named = Project(root).named(Path(where))
        return _failed([f"{named}:{line}: {type(error).__name__}: {error}"]), last
    return {"pages": pages, "notes": notes, "unmeasured": unmeasured}, read


def _failed(notes: Iterable[str]) -> Built:
    return {"pages": None, "notes": [*notes], "unmeasured": []}


def is_whole(path: Path) -> bool:
    """Whether a text that a post is made from can be read, and not only a part of it was saved.

    Of what cannot, the page keeps the last good state: one broken line would lose every citation.
    """
    if path.suffix not in (".bib", ".toml", ".md") or not path.is_file():
        return True
    try:
        is_toml = path.suffix == ".toml"
        text = toml.read(path, path.name)[0] if is_toml else path.read_text("utf-8")
    except (UnicodeDecodeError, BuildError):
        return False
    braces = [text.replace("\\{", "").count("{"), text.replace("\\}", "").count("}")]
    return bool(text.strip()) and (path.suffix != ".bib" or braces[0] == braces[1])


def _unread(project: Project, paths: set[Path]) -> list[str]:
    """What is wrong with files that are not whole, as a build would tell it."""
    known = [*claims.load(project)[1], *works.load(project)[2]]
    notes = []
    for path in sorted(paths):
        named = project.named(path)
        told = [str(one) for one in known if one.where.partition(":")[0] == named]
        cure = "the page keeps what it last said; mend it"
        notes += told or [str(Problem(named, "empty, or cut in the middle", cure))]
    return notes


if __name__ == "__main__":
    options = sys.argv[4:]
    main(
        Path(sys.argv[1]),
        Path(sys.argv[2]),
        sys.argv[3],
        "--drafts" in options,
        "--live" in options,
    )
