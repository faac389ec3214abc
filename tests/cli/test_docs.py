# SPDX-License-Identifier: Apache-2.0
"""The pages on the command line say what it does."""

import re
from pathlib import Path

from eservice_operator.cli.program import COMMANDS
from eservice_operator.cli.reference import page

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
