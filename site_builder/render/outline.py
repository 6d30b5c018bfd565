"""What a post asks for, to tell whether pages that are made from it may be taken over."""

from __future__ import annotations

from typing import Any

from site_builder.post.post import Post
from site_builder.post.uses import Part, Use


def outline(post: Post) -> list[Any]:
    """All that the post's Markdown asks for, as JSON; whatever else it says is left out."""
    uses = [*post.uses.values()]
    both: list[Use | Part] = [*uses, *post.parts.values()]
    return [
        post.study,
        [[str(one.directive), one.directive.options, one.directive.where] for one in both],
        [str(one.page) for one in both],
        [[str(use.id), use.state, [*map(vars, use.reasons)], use.slug] for use in uses],
        [*map(str, post.references.sections.values())],
        post.references.cited,
        post.front(),
        [post.title(page) for page in post.pages()],
    ]
