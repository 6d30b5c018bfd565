"""When a change that was saved is painted in an open page: one definition for every kind of page.

A time is taken in the task after the frame in which the wanted change is first on the page:

- words are in a paragraph;
- a chart's code was changed: all panels of its figure have the new title;
- a result was changed: all lines of its figure run otherwise, in all panels.

What a page says of itself is not asked, so no page can say it too early. The watch lives through a
reload of the page, which some servers answer a save with.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

WATCH = """() => {
  const wanted = JSON.parse(sessionStorage.wanted ?? "null");
  if (!wanted) return;
  const of = (what) => [...(document.getElementById(wanted.figure)?.querySelectorAll(what) ?? [])];
  const lines = () => of(".mark-line path").map((line) => line.getAttribute("d")).filter(Boolean);
  wanted.before ??= lines();
  sessionStorage.wanted = JSON.stringify(wanted);
  const there = {
    words() {
      const paragraphs = [...document.querySelectorAll("p")];
      return paragraphs.some(({ textContent }) => textContent.includes(wanted.words));
    },
    title() {
      const titles = of(".role-title-text text").map((title) => title.textContent);
      return titles.length >= wanted.panels && titles.every((text) => text.includes(wanted.words));
    },
    lines() {
      const now = lines();
      return now.length === wanted.before.length && now.every((d) => !wanted.before.includes(d));
    },
  }[wanted.kind];
  const observer = new MutationObserver(look);
  function look() {
    if (!there()) return;
    observer.disconnect();
    requestAnimationFrame(() => {
      const channel = new MessageChannel();
      channel.port1.onmessage = () => {
        delete sessionStorage.wanted;
        sessionStorage.painted = Date.now();
      };
      channel.port2.postMessage(0);
    });
  }
  observer.observe(document, {
    subtree: true, childList: true, characterData: true, attributes: true, attributeFilter: ["d"],
  });
}"""


def ready(page: Any) -> None:
    """Let a page go on watching when it is loaded anew; before it is opened."""
    page.add_init_script(f"({WATCH})()")


def milliseconds(page: Any, write: Callable[[], object], **wanted: object) -> float:
    """Milliseconds from a save until it is painted.

    Args:
        write: saves.
        wanted: `kind`, and what it needs: `words`, `figure`, how many `panels` have titles.
    """
    page.bring_to_front()
    page.evaluate(
        """wanted => {
          delete sessionStorage.painted;
          sessionStorage.wanted = JSON.stringify(wanted);
        }""",
        wanted,
    )
    page.evaluate(WATCH)
    start = time.time()
    write()
    page.wait_for_function("() => sessionStorage.painted", polling=20)
    return float(page.evaluate("Number(sessionStorage.painted)")) - start * 1000
