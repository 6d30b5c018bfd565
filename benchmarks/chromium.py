"""The system's Chromium, without its windows where there is such a one, and without its talk."""

from __future__ import annotations

import shutil

from playwright.sync_api import Browser, Playwright

# Its shell first: it is smaller than the whole browser, and starts and paints with less.
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
QUIET = ("--no-sandbox", "--disable-gpu", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--no-first-run")  # fmt: skip


def launch(playwright: Playwright) -> Browser:
    """Start it."""
    executable = next(filter(None, map(shutil.which, NAMES)), None)
    if not executable:
        raise SystemExit(f"no browser: install one of {', '.join(NAMES)}")
    return playwright.chromium.launch(executable_path=executable, args=[*QUIET])
