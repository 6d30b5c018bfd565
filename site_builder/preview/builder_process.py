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

from site_builder.core.digests import sha256_file
from site_builder.core.errors import BuildError
from site_builder.core.project import Project
from site_builder.preview.edits import forget
from site_builder.preview.messages import Built, Changed, Unmeasured
from site_builder.site.build import preview
from site_builder.site.last_build import Inputs


def main(root: Path, site: Path, study: str) -> None:
    """Build whenever standard input asks for it, until it ends."""
    sys.dont_write_bytecode = True  # its stamps are whole seconds, and saves come faster
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    last: Inputs | None = None
    for line in sys.stdin:
        changed: Changed = json.loads(line)
        forget(Project(root), set(map(Path, changed)))
        built, last = _built(root, site, study, last)
        print(json.dumps(built), file=answers, flush=True)


def _built(root: Path, site: Path, study: str, last: Inputs | None) -> tuple[Built, Inputs | None]:
    """Build once; nothing that an author writes ends this process.

    Returns what there is to say, and what the site is made from now.
    """
    try:
        blocks, notes, read = preview(Project(root), site, study=study, last=last)
        urls = map(blocks.post.url, blocks.post.pages())
        pages = {url: sha256_file(site / url / "index.html") for url in urls}
        states = {use.id: use.state for use in blocks.post.uses.values()}
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


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
