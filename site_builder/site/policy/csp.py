"""The content-security policy of a page: nothing from elsewhere, no script that we did not write.

Inline scripts of the theme are allowed one by one, by the hash of their text; of no other one. They
differ with a page's depth, so the policy is made for each page, when nothing will change it any
more.
"""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from urllib.parse import urlsplit

from site_builder.site.policy import theme_scripts

_NOT_RUN = ("application/json", "application/ld+json", "text/template")

# A parser reads scripts alone, as they are a hundredth of a page; what opens first holds the other.
_PIECE = re.compile(r"<(?:!--.*?-->|(script\b.*?</script\s*>))", re.DOTALL | re.IGNORECASE)


def policy(scripts: list[str]) -> str:
    """Return the policy that allows the given inline scripts and the site's own files."""
    hashes = dict.fromkeys(f"'sha256-{_digest(script)}'" for script in scripts)
    return "; ".join(
        [
            "default-src 'none'",
            " ".join(["script-src 'self'", *hashes]),
            "style-src 'self'",
            "img-src 'self' data:",
            "media-src 'self'",
            "font-src 'self'",
            "connect-src 'self'",
            "worker-src 'self'",
            "manifest-src 'self'",
            "base-uri 'none'",
            "form-action 'self'",
            "object-src 'none'",
        ]
    )


def allows(directive: str, address: str) -> bool:
    """Whether the policy lets a page fetch an address; each kind that it does not name, none does.

    `directive` is that of the kind: `img-src`. An address without scheme is the site's own.
    """
    named = dict(one.split(" ", 1) for one in policy([]).split("; "))
    sources = named.get(directive, named["default-src"]).split()
    scheme = urlsplit(address).scheme
    if not scheme and not address.startswith("//"):
        return "'self'" in sources
    return f"{scheme}:" in sources


def protect(html: str) -> str:
    """Return the page with its policy; a page without a head is returned as it is.

    Call it last: a script changed afterwards does not run.
    """
    known = [text for text in inline_scripts(html) if theme_scripts.is_known(text)]
    meta = f'<meta http-equiv="Content-Security-Policy" content="{policy(known)}">'
    # Before everything it governs; only the encoding, due in the first 1,024 bytes, may precede.
    place = re.search(r"<head\b[^>]*>(\s*<meta charset=[^>]*>)?", html)
    return html[: place.end()] + meta + html[place.end() :] if place else html


def inline_scripts(html: str) -> list[str]:
    """The text of every script that runs and stands in the page."""
    finder = _InlineScripts()
    finder.feed("".join(f"<{piece}" for piece in _PIECE.findall(html) if piece))
    finder.close()
    return finder.found


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


class _InlineScripts(HTMLParser):
    """Collects the text of every script that runs and stands in the page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open a script if it is one to run."""
        given = dict(attrs)
        if tag == "script" and "src" not in given and given.get("type") not in _NOT_RUN:
            self._inside = True
            self.found.append("")

    def handle_endtag(self, tag: str) -> None:
        """Close it."""
        if tag == "script":
            self._inside = False

    def handle_data(self, data: str) -> None:
        """Keep its text, which arrives in one or more pieces."""
        if self._inside:
            self.found[-1] += data
