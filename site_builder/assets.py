"""Style sheets and scripts under names that change with their content, so that caches never lie."""

from __future__ import annotations

from pathlib import Path

from site_builder.fingerprint import sha256


def hashed(folder: Path) -> dict[str, bytes]:
    """Every style sheet and script directly in `folder`: `assets/post.1a2b3c4d.css` → content."""
    files = {}
    for path in sorted(folder.glob("*")):
        if path.suffix in (".css", ".js"):
            data = path.read_bytes()
            files[f"assets/{path.stem}.{sha256(data)[:8]}{path.suffix}"] = data
    return files


def named(files: dict[str, bytes], name: str) -> str:
    """The hashed name of `name` ("post.js"), or "" when there is no such asset."""
    stem, _, suffix = name.rpartition(".")
    found = (path for path in files if path.startswith(f"assets/{stem}.") and path.endswith(suffix))
    return next(found, "")
