# SPDX-License-Identifier: Apache-2.0
"""The pages on the command line say what it does."""

import re
from pathlib import Path

import click
import pytest

from eservice_operator.cli.program import COMMANDS, PROGRAM, program
from eservice_operator.cli.reference import page
from eservice_operator.cli.session import GLOBAL_OPTIONS

DOCS = Path(__file__).parents[2] / "docs"


def test_the_reference_is_generated() -> None:
    written = (DOCS / "reference" / "cli.md").read_text()
    assert written == page(), "run: python -m eservice_operator.cli.reference docs/reference/cli.md"


def test_the_tutorial_speaks_of_every_command() -> None:
    text = (DOCS / "cli.md").read_text()
    assert not [name for name in COMMANDS if f"`{name}" not in text and f"eservice {name}" not in text]


def test_the_commands_that_it_types_take_these_options() -> None:
    text, reference = (DOCS / "cli.md").read_text(), (DOCS / "reference" / "cli.md").read_text()
    known = set(re.findall(r"--[a-z-]+", reference)) | {"--as"}
    typed = re.findall(r"^(?:\$ )?kubectl eservice .*$", text, re.MULTILINE)
    assert len(typed) > 10
    assert {option for line in typed for option in re.findall(r" (--[a-z][a-z-]+)", line)} <= known


def options_of(name: str) -> list[str]:
    """The long forms of a command's own options that its help shows."""
    context = click.Context(program, info_name=PROGRAM)
    command = program.get_command(context, name)
    assert command is not None
    shown = [
        param
        for param in command.params
        if isinstance(param, click.Option) and param not in GLOBAL_OPTIONS and not param.hidden
    ]
    return [next(word for word in param.opts if word.startswith("--")) for param in shown]


@pytest.mark.parametrize("name", [name for name in COMMANDS if name != "completion"])
def test_every_option_of_a_command_is_named_on_the_page_beside_it(name: str) -> None:
    text = (DOCS / "cli.md").read_text()
    (row,) = re.findall(rf"^\| `{name}` \| (`--.*) \|$", text, re.MULTILINE)
    assert re.findall(r"`(--[a-z-]+)`", row) == options_of(name)


def test_every_option_that_all_commands_take_is_named_on_the_page() -> None:
    text = (DOCS / "cli.md").read_text()
    known = {word for option in GLOBAL_OPTIONS if not option.hidden for word in option.opts}
    assert not {word for word in known if f"`{word}`" not in text}
