"""The inline scripts of the theme, by the digests of their text: no other one may run in a page.

A few tell the way from a page to the site's root, as a text in `new URL("…")`; it is left out of
the digest, and may hold nothing that ends a text. After the theme is upgraded,

    python -m site_builder.site.policy.theme_scripts

adds what the installed one has to `theme_scripts.txt`; what it prints is there to be read first.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from site_builder.core.digests import sha256
from site_builder.core.project import shipped

FILE = shipped("assets") / "theme_scripts.txt"

_WAY = re.compile(r"""(?<=new URL\(")[\w./:~%-]*(?=")""")
_WAY_IN_TEMPLATE = re.compile(r"""(?<=new URL\("){{[^{}"]*}}(?=")""")
_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)


def is_known(script: str) -> bool:
    """Whether a script of a page is one of the theme's."""
    return sha256(_WAY.sub("", script).encode()) in _digests()


@cache
def _digests() -> frozenset[str]:
    lines = FILE.read_text("utf-8").splitlines()
    return frozenset(line.split()[0] for line in lines if line and not line.startswith("#"))


def of_theme(templates: Path) -> dict[str, str]:
    """Every inline script of a theme's templates: its digest, and its text.

    Those that a template fills with anything but the way to the root can have no digest.
    """
    found = {}
    for path in sorted(templates.rglob("*.html")):
        for script in _SCRIPT.findall(path.read_text("utf-8")):
            text = _WAY_IN_TEMPLATE.sub("", script)
            if "{{" not in text and "{%" not in text:
                found[sha256(text.encode())] = text
    return found


def add(templates: Path, version: str) -> list[str]:
    """Add a theme's scripts to the list; returns the texts of those that are new."""
    new = {one: text for one, text in of_theme(templates).items() if one not in _digests()}
    with FILE.open("a", encoding="utf-8") as file:
        file.writelines(f"{digest} {version}\n" for digest in new)
    return [*new.values()]


if __name__ == "__main__":
    import importlib.metadata
    import importlib.util

    spec = importlib.util.find_spec("material")
    assert spec is not None
    assert spec.origin is not None
    version = f"mkdocs-material {importlib.metadata.version('mkdocs-material')}"
    for text in add(Path(spec.origin).parent / "templates", version):
        print(f"{text}\n")
