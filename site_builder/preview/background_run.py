"""Measurements beside the preview: one at a time, in a process of their own, told on the page."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress

from site_builder.core.project import Project
from site_builder.measure.policy import RUNS
from site_builder.preview.edits import Message


class Measuring:
    """What is stale or missing, and the one of it that is being measured.

    `run` is "never", "missing" or "stale": what is measured without being asked for.
    """

    def __init__(self, project: Project, run: str, tell: Callable[[Message], None]) -> None:
        self.project = project
        self.run = run
        self._tell = tell
        self.state: Message = {"kind": "measuring", "name": "", "said": "", "open": []}
        self._open: dict[str, list[str]] = {}
        self._failed: set[str] = set()
        self._task: asyncio.Task[None] | None = None
        self._process: asyncio.subprocess.Process | None = None

    def offer(self, unmeasured: Sequence[list[str]]) -> None:
        """Take note of what is not fresh: name, analysis, variant, study, state of each."""
        self._open = {name: rest for name, *rest in unmeasured}
        self._failed &= self._open.keys()
        self.say(self.state["name"], self.state["said"])
        for name, rest in self._open.items():
            if rest[-1] in RUNS[self.run] and name not in self._failed and self.ask(name):
                return

    def ask(self, name: str) -> bool:
        """Measure one of what is not fresh, unless another one is at it; whether it may be."""
        if name not in self._open:
            return False
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._measure(name))
        return True

    def cancel(self) -> None:
        """End the measurement; finished parts of it are kept, as after any interruption."""
        if self._process and self._process.returncode is None:
            self._process.terminate()

    def say(self, name: str, said: str) -> None:
        """Tell pages what is measured, what it says, and what could be."""
        self.state = {"kind": "measuring", "name": name, "said": said, "open": [*self._open]}
        self._tell(self.state)

    async def _measure(self, name: str) -> None:
        analysis, variant, study, _ = self._open[name]
        words = [analysis, *filter(None, [variant]), "--study", study]
        self.say(name, "starting")
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
                self.say(name, last)
        code = await self._process.wait()
        if code:
            self._failed.add(name)
        self.say("", "" if code == 0 else f"{name} was not measured: {last or f'exit {code}'}")
