"""What all tests share: the names of their cases, and how hypothesis looks when code is mutated."""

from hypothesis import Phase, settings

# The same examples each time; a mutant has to fail, and needs no smallest example.
settings.register_profile(
    "mutants",
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
)


def pytest_make_parametrize_id(val: object) -> str | None:
    """Name a text by what of it is plain, so that a command can ask for it by its name.

    Of other characters pytest makes escapes, and of these, when it is run again, as mutmut does,
    escapes once more.
    """
    if not isinstance(val, str):
        return None
    return "".join(c if c.isascii() and c.isprintable() and c != "\\" else "~" for c in val)
