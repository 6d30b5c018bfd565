"""What stands around a figure: number, caption, data, specification and provenance."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cached_property
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateError
from markupsafe import Markup

from site_builder.charts.drawing import BASE
from site_builder.core.errors import BuildError, Problem
from site_builder.post.post import Post
from site_builder.post.uses import Use
from site_builder.render.bidi import isolated
from site_builder.render.figure import Fragment
from site_builder.results import lineage
from site_builder.results.reasons import sentences
from site_builder.results.tabular import visible


class Frame:
    """Fills the templates of blocks; `plain` ones link to no files."""

    def __init__(self, post: Post, *, plain: bool) -> None:
        self.post = post
        self.plain = plain

    def markup(self, template: str, **values: Any) -> Markup:
        """Fill `templates/TEMPLATE`; every value is escaped."""
        try:
            return Markup(isolated(self._environment.get_template(template).render(values)))
        except TemplateError as error:
            raise BuildError([wrong(error, template)]) from error

    def block(
        self, use: Use, fragment: Fragment, base: str, studies: Sequence[dict[str, str]] = ()
    ) -> str:
        """A figure's block; `studies` are those that the reader may pick instead."""
        recipe = self.post.store.recipe(use.id)

        def url(ending: str) -> str | None:
            name = fragment.file(ending)
            return f"{base}/figures/{name}" if name and not self.plain else None

        body = fragment.inline if self.plain else fragment.html.replace(BASE, base)
        return str(
            self.markup(
                "figure.html.j2",
                kind=use.directive.kind,
                slug=use.slug,
                number=use.number,
                noun=use.noun,
                body=Markup(body),
                marks="" if self.plain else self._marks(fragment),
                base=base,
                studies=studies,
                is_other=use.id.study != use.directive.options.get("study", self.post.study),
                caption=fragment.caption,
                description=fragment.description,
                n=visible(str(recipe.labels.get("n", ""))),
                interval=visible(str(recipe.labels.get("interval", ""))),
                note=visible(str(recipe.labels.get("note", ""))),
                columns=fragment.columns,
                rows=fragment.rows,
                total_rows=fragment.total_rows,
                csv_url=url(".csv"),
                spec_url=url(".vl.json"),
                study_title=self.title(use.id.study),
                study_summary=self._settings(use.id.study).get("summary", ""),
                study=use.id.study,
                analysis=use.id.analysis,
                variant=use.id.variant,
                state=use.state,
                reasons=sentences(use.reasons),
                recipe={
                    "code": recipe.code.get(f"analyses/{use.id.analysis}.py", ""),
                    "key": recipe.key,
                    "content": recipe.content,
                    "date": recipe.made_at,
                    "seconds": recipe.seconds,
                    "device": recipe.made_with.get("device", ""),
                    "made_with": recipe.made_with,
                    "inputs": recipe.inputs,
                    "settings": recipe.settings,
                    "weights": recipe.weights,
                    "accepted": recipe.accepted,
                },
                command=self.post.store.command(use.id),
                where=use.directive.where,
                provenance=self._provenance(use, base),
            )
        )

    def _marks(self, fragment: Fragment) -> str:
        """What each panel marks of what is chosen for the whole page, as JSON; "" if nothing."""
        chosen = [one["name"] for one in self.post.choices]
        marks = [
            {name: panel[name] for name in chosen if name in panel} for panel in fragment.marks
        ]
        if not any(marks):
            return ""
        return json.dumps(marks, ensure_ascii=False, separators=(",", ":"))

    def _provenance(self, use: Use, base: str) -> str:
        """The link to all that is known of a result, if a page tells it."""
        results = ("provenance", "results")
        for part in self.post.parts.values():
            if (part.directive.name, part.directive.variant) == results and base:
                return f"{base}/{self.post.url(part.page)}#{lineage.key(use.id)}"
        return ""

    def title(self, study: str) -> str:
        """What a study calls itself."""
        return str(self._settings(study).get("title", study))

    def _settings(self, study: str) -> dict[str, Any]:
        return self.post.store.current.settings(study)

    @cached_property
    def _environment(self) -> Environment:
        return Environment(
            loader=FileSystemLoader(self.post.project.template_folders),
            bytecode_cache=self.post.project.compiled("blocks"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )


def wrong(error: TemplateError, template: str) -> Problem:
    """What is wrong with a template, at its line if that is known."""
    name, line = (getattr(error, key, None) for key in ("name", "lineno"))
    where = f"templates/{name or template}" + (f":{line}" if line else "")
    return Problem(where, f"{type(error).__name__}: {error.message}", "mend the template")
