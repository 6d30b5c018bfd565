"""Measurements beside the preview: one at a time, in a process of their own, told on the page."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress

from site_builder.core.project import Project
from site_builder.measure.policy import RUNS
from site_builder.preview.messages import Measurement, Unmeasured, result_name


class Measuring:
    """What is stale or missing, and the one of it that is being measured.

    `run` is "never", "missing" or "stale": what is measured without being asked for.
    """

    def __init__(self, project: Project, run: str, tell: Callable[[Measurement], None]) -> None:
        self.project = project
        self.run = run
        self._tell = tell
        self.state: Measurement = {"kind": "measuring", "name": "", "line": "", "open": []}
        self._open: dict[str, Unmeasured] = {}
        self._failed: set[str] = set()
        self._task: asyncio.Task[None] | None = None
        self._process: asyncio.subprocess.Process | None = None

    def offer(self, unmeasured: Iterable[Unmeasured]) -> None:
        """Take note of what is not fresh, and measure what of it may be without being asked for."""
        self._open = {result_name(result): result for result in unmeasured}
        self._failed &= self._open.keys()
        self.say(self.state["name"], self.state["line"])
        for called, result in self._open.items():
            is_due = result["state"] in RUNS[self.run] and called not in self._failed
            if is_due and self.ask(called):
                return

    def ask(self, called: str) -> bool:
        """Measure one of what is not fresh, unless another one is at it; whether it may be."""
        if called not in self._open:
            return False
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._measure(called))
        return True

    def cancel(self) -> None:
        """End the measurement; finished parts of it are kept, as after any interruption."""
        if self._process and self._process.returncode is None:
            self._process.terminate()

    def say(self, called: str, line: str) -> None:
        """Tell pages what is measured, what it says, and what could be."""
        self.state = {"kind": "measuring", "name": called, "line": line, "open": [*self._open]}
        self._tell(self.state)

    async def _measure(self, called: str) -> None:
        result = self._open[called]
        words = [*filter(None, (result["analysis"], result["variant"])), "--study", result["study"]]
        self.say(called, "starting")
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "site_builder", "run", *words),
            cwd=self.project.root,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            limit=2**20,
        )
        assert self._process.stderr is not None
        last = ""
        with suppress(ValueError):  # a line too long to tell
            # Progress bars end with a carriage return, which makes it one line to a reader.
            while line := await self._process.stderr.readline():
                last = line.decode("utf-8", "replace").replace("\r", "\n").strip().split("\n")[-1]
                self.say(called, last)
        code = await self._process.wait()
        if code:
            self._failed.add(called)
        self.say("", "" if code == 0 else f"{called} was not measured: {last or f'exit {code}'}")
