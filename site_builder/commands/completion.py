"""What a shell offers while a command is typed: names on the project's own shelves.

Files are read, never imported, so that a key press costs neither torch nor Altair. Where there is
no project, or a file of it cannot be read, nothing is offered and nothing is said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from site_builder.core.errors import BuildError
from site_builder.core.project import Project

if TYPE_CHECKING:
    from click import Context, Parameter
    from click.shell_completion import CompletionItem


def studies(_context: Context, _parameter: Parameter, begun: str) -> list[CompletionItem]:
    """Every study."""
    return _offered(Project.studies, begun)


def analyses(_context: Context, _parameter: Parameter, begun: str) -> list[CompletionItem]:
    """Every measurement."""
    return _offered(Project.measurements, begun)


def variants(context: Context, _parameter: Parameter, begun: str) -> list[CompletionItem]:
    """The variants of the measurement that stands before it."""
    from site_builder.core.signatures import signature

    def of(project: Project) -> Iterable[str]:
        path = project.measurements().get(context.params.get("analysis") or "")
        return filter(None, signature(project.root, path, "run").variants) if path else ()

    return _offered(of, begun)


def undrawn(_context: Context, _parameter: Parameter, begun: str) -> list[CompletionItem]:
    """Measurements that nothing draws yet."""
    return _offered(lambda project: project.measurements().keys() - project.drawings(), begun)


def _offered(names: Callable[[Project], Iterable[str]], begun: str) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem  # every command would pay for it

    try:
        found = sorted(names(Project.find()))
    except (BuildError, OSError, UnicodeDecodeError):
        return []
    return [CompletionItem(name) for name in found if name.startswith(begun)]
