"""`<< value: dataset show=budget template=long >>`: a number from one row of a result.

What its options say is told by `post/values.py`.
"""

from __future__ import annotations

import html
from pathlib import Path

from markupsafe import Markup

from site_builder.core.errors import Problem
from site_builder.post.directive import Directive
from site_builder.post.kinds import validation
from site_builder.post.kinds.kind import Listing, Reading, Showing
from site_builder.post.kinds.names import Names, option, takes
from site_builder.post.uses import Use
from site_builder.post.values import RESERVED
from site_builder.results.recipe import ResultId


def take(post: Reading, directive: Directive, page: Path) -> Use | list[Problem]:
    """The use of a result that is measured; whether it has such a row is seen when it is shown."""
    wrong = validation.measured(post.project, directive, post.study)
    if not wrong and set(directive.options) <= set(RESERVED) - {"show"}:
        cure = "add column=value, such as template=short"
        wrong = [Problem(directive.where, "a value needs to know which row", cure)]
    if wrong:
        return wrong
    study = directive.options.get("study", post.study)
    return Use(directive, page, ResultId(study, directive.name, directive.variant))


def show(blocks: Showing, use: Use) -> Markup:
    """The number, with its interval for who asks."""
    value = blocks.value(use)
    stale = ' data-stale="yes"' if use.state == "stale" else ""
    title = f' title="{html.escape(value.title)}"' if value.title else ""
    text = html.escape(value.text)
    return Markup(f'<span class="post-value"{stale}{title}>{text}</span>')


def names(listing: Listing) -> Names:
    """Every measurement, with the columns that pick a row and those that can be shown."""
    project, measured = listing.post.project, Names()
    for name, path in project.measurements().items():
        if run := listing.signature(project.root, path, "run"):
            columns = listing.columns(name)
            shown = [*columns]
            shown += [f"{of}-interval" for of in columns if f"{of}_low" in columns]
            shown += ["interval"] * ("low" in columns)
            options = {
                "show": option("str", shown or None) | {"default": "estimate"},
                "format": option("str"),
                **listing.studies,
            }
            options |= {column: option("str") for column in columns if column not in options}
            measured[name] = takes(run.variants, options, open=not columns)
    return measured
