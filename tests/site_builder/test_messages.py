"""Pages and server speak one language: every kind that is sent is handled, every field is there."""

import re
from typing import Any, get_args, get_type_hints

import pytest

from site_builder.core.project import Project
from site_builder.preview.edits import Workbench
from site_builder.preview.messages import Message, Question
from tests.site_builder.conftest import REPO

SCRIPTS = REPO / "assets" / "preview"


def schema() -> dict[str, Any]:
    """What each kind of message is."""
    return {
        kind: message
        for message in get_args(Message)
        for kind in get_args(get_type_hints(message)["kind"])
    }


def handlers() -> dict[str, set[str]]:
    """The fields that the page's script reads of each kind of message."""
    script = (SCRIPTS / "preview.js").read_text("utf-8")
    _, _, rest = script.partition("\nconst HANDLERS = {\n")
    table, _, _ = rest.partition("\n};\n")
    fields: dict[str, set[str]] = {}
    for line in re.findall(r"^  (\w.*)$", table, re.MULTILINE):
        if line == "measuring,":  # the panel's
            panel = (SCRIPTS / "panel.js").read_text("utf-8")
            (line,) = re.findall(r"^export function (measuring\(.*)$", panel, re.MULTILINE)
        entry = re.match(r"(?:async )?(?P<kind>\w+)(?:: )?\(\{(?P<fields>[^}]*)\}\)", line)
        assert entry, f"a handler names the fields that it reads: {line}"
        named = (field.partition(":")[0].strip() for field in entry["fields"].split(","))
        fields[entry["kind"]] = {field for field in named if field}
    return fields


def test_every_kind_of_message_has_a_handler_and_no_other() -> None:
    assert handlers().keys() == schema().keys()


def test_a_page_asks_what_there_is_to_ask() -> None:
    scripts = (path.read_text("utf-8") for path in SCRIPTS.glob("*.js"))
    asked = {word for text in scripts for word in re.findall(r"\bask\(\"(\w+)\"", text)}
    assert asked == {*get_args(Question)}


@pytest.mark.parametrize("kind", schema())
def test_a_handler_reads_what_its_message_has(kind: str) -> None:
    """`kind` and `page` are read by who hands the message on; of the rest nothing is sent in vain."""
    assert handlers()[kind] == get_type_hints(schema()[kind]).keys() - {"kind", "page"}


def test_what_an_edit_sends_is_of_the_schema(project: Project) -> None:
    (project.root / "assets" / "preview").mkdir(exist_ok=True)
    bench = Workbench(project.root)
    section = project.content / "sections" / "01-numbers.md"
    drawing = project.figures / "numbers.py"
    section.write_text(section.read_text("utf-8") + "\nMore.\n", "utf-8")
    drawing.write_text(drawing.read_text("utf-8").replace('"x:Q"', '"estimate:Q"'), "utf-8")
    (project.figures / "totals.py").write_text("def draw(table):\n    raise ValueError\n", "utf-8")
    style = project.assets / "post.css"
    style.write_text("p { color: red }\n", "utf-8")
    paths = [section, drawing, project.figures / "totals.py", style]
    sent = {message["kind"]: message for message in bench.edit(paths)}

    assert {"section", "chart", "wrong", "style"} == sent.keys()
    for kind, message in sent.items():
        fields = get_type_hints(schema()[kind])
        assert message.keys() == fields.keys()
        assert all(isinstance(value, str) for value in message.values())
