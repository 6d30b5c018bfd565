"""A project's commands, each in a process of its own that is forked from a warm one.

Importing TransformerLens takes seven seconds of processor time, a measurement of the study `tiny` a
tenth of one. So multiprocessing's fork server imports the libraries once; each command is a fork of
it that imports the project's own modules, and dies, exits and is killed like any other process.
Nothing of the project is in the server, and no library that starts threads when it is imported.
"""

from __future__ import annotations

import atexit
import multiprocessing
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

OURS = ("analyses", "site_builder", "benchmarks")
LIBRARIES = (
    "altair",
    "mkdocs.commands.build",
    "material.extensions.emoji",
    "pyarrow.parquet",
    "sae_lens",
    "scipy.stats",
    "torch",
    "transformer_lens",
    "transformers",
)
HANGS = 600.0
"""Seconds after which a command counts as hung, however busy the machine is."""

_servers = multiprocessing.get_context("forkserver")
_servers.set_forkserver_preload([*LIBRARIES])


class Command:
    """A running command: its process, and what it prints."""

    def __init__(self, root: Path, code: str, args: tuple[str, ...], **variables: str) -> None:
        """Run Python `code` in the folder of a project, as `python -c CODE ARGS` would."""
        self.told = f"{code} {' '.join(args)}"
        self._folder = Path(tempfile.mkdtemp(prefix="command-"))
        self._printed: list[str] | None = None
        for file in self._files:
            file.touch()
        env = dict(os.environ) | {"PYTHONPATH": str(root), "HF_HUB_OFFLINE": "1"} | variables
        about = (str(root), code, args, env, [*map(str, self._files)])
        self._process = _servers.Process(target=_run, args=about)
        self._process.start()

    @property
    def out(self) -> str:
        """What it printed so far."""
        return self._read()[0]

    @property
    def err(self) -> str:
        """What it said so far beside its output."""
        return self._read()[1]

    def running(self) -> bool:
        """Whether it is under way."""
        return self._process.is_alive()

    def kill(self) -> int:
        """End it at once, as a machine that is switched off would; returns its exit status."""
        self._process.kill()
        return self.wait()

    def terminate(self) -> int:
        """Ask it to end, as a terminal that is closed does; returns its exit status."""
        self._process.terminate()
        return self.wait()

    def wait(self) -> int:
        """Wait for its end; returns its exit status, which is negative after a signal."""
        self._process.join(HANGS)
        if self._process.exitcode is None:
            self._process.kill()
            raise AssertionError(f"still running after {HANGS} s: {self.told}\n{self.err}")
        if self._printed is None:
            self._printed = self._read()
            shutil.rmtree(self._folder)
        return self._process.exitcode

    def done(self) -> subprocess.CompletedProcess[str]:
        """Wait for its end; returns its exit status, and all that it printed."""
        status = self.wait()
        return subprocess.CompletedProcess(self.told, status, self.out, self.err)

    @property
    def _files(self) -> list[Path]:
        return [self._folder / name for name in ("out", "err")]

    def _read(self) -> list[str]:
        return self._printed or [file.read_text("utf-8") for file in self._files]


def _run(
    root: str, code: str, args: tuple[str, ...], env: dict[str, str], files: list[str]
) -> None:
    """What the fork does: become the process that was asked for."""
    for number, file in enumerate(files, 1):
        written = os.open(file, os.O_WRONLY | os.O_TRUNC)
        os.dup2(written, number)
        os.close(written)
    os.chdir(root)
    os.environ.clear()
    os.environ.update(env)
    here = str(Path(__file__).parents[1])
    sys.path[:] = [
        *env["PYTHONPATH"].split(os.pathsep),
        *(p for p in sys.path if p not in ("", here)),
    ]
    sys.argv = ["build-site", *args]
    for name in [name for name in sys.modules if name.partition(".")[0] in OURS]:
        del sys.modules[name]
    try:
        exec(compile(code, "<command>", "exec"), {"__name__": "__main__"})
    finally:
        atexit._run_exitfuncs()  # a fork of the server is left without them
