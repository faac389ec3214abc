# SPDX-License-Identifier: Apache-2.0
"""Findings of ``check`` as people, editors, GitHub and programs read them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from eservice_operator.cli.check_judging import Severity, Span
from eservice_operator.cli.session import Session
from eservice_operator.cli.styles import BAD, FAINT, WAITING
from eservice_operator.cli.text import clean, counted

GRAVEST_FIRST: Final = tuple(Severity)
STYLES: Final = {
    Severity.ERROR: BAD,
    Severity.UNPUBLISH: BAD,
    Severity.DUTY: WAITING,
    Severity.WARNING: WAITING,
    Severity.NOTE: FAINT,
}
WORDS: Final = {
    Severity.ERROR: "error",
    Severity.UNPUBLISH: "error",
    Severity.DUTY: "warning",
    Severity.WARNING: "warning",
}
"""What GitHub calls them; a note is its notice."""


COUNTED: Final = {
    Severity.ERROR: ("error", "errors"),
    Severity.UNPUBLISH: ("unpublication", "unpublications"),
    Severity.DUTY: ("duty", "duties"),
    Severity.WARNING: ("warning", "warnings"),
    Severity.NOTE: ("note", "notes"),
}
"""What one of them is called in a sentence, and several."""


class Finding(NamedTuple):
    """One thing found, where, and how grave it is."""

    file: str
    line: int
    severity: Severity
    what: str
    """Kind and name, or nothing for a file."""
    rule: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Count:
    """How many documents there were: ours, and others."""

    ours: int
    others: int


def line(session: Session, finding: Finding) -> str:
    """``FILE:LINE: SEVERITY: SENTENCE``, as compilers write and editors read."""
    place = f"{finding.file}:{finding.line}" if finding.line else finding.file
    about = " ".join(part for part in (finding.what, f"({finding.rule})" if finding.rule else "") if part)
    severity = session.paint(finding.severity.value, **STYLES[finding.severity])
    said = f"{about}: {finding.sentence}" if about else finding.sentence
    return f"{clean(place)}: {severity}: {clean(said)}"


def github(finding: Finding) -> str:
    """A workflow command, which GitHub shows at the line of a pull request."""
    word = WORDS.get(finding.severity, "notice")
    place = f"file={_escaped(finding.file, ',:')}"
    if finding.line:
        place += f",line={finding.line}"
    title = f"{finding.what} {finding.rule}".strip()
    text = f"{title}: {finding.sentence}" if title else finding.sentence
    return f"::{word} {place}::{_escaped(clean(text))}"


def _escaped(text: str, more: str = "") -> str:
    """As workflow commands want it."""
    for character in f"%\r\n{more}":
        text = text.replace(character, f"%{ord(character):02X}")
    return text


def summary(findings: Sequence[Finding], count: Count, span: Span) -> str:
    """One line about all of it."""
    counts = Counter(finding.severity for finding in findings)
    found = (counted(counts[one], *COUNTED[one]) for one in GRAVEST_FIRST if counts[one])
    told = ", ".join(found) or "nothing to say"
    days = str(span.first) if span.first == span.last else f"{span.first} to {span.last}"
    return (
        f"{told}; {counted(count.ours, 'document', 'documents')} checked,"
        f" {counted(count.others, 'other', 'others')} passed over, for {days},"
        " as if the releases named were public"
    )


def document_of(findings: Sequence[Finding], count: Count, span: Span, code: int) -> dict[str, Any]:
    """All of it for programs."""
    return {
        "from": str(span.first),
        "to": str(span.last),
        "exitCode": code,
        "checked": count.ours,
        "ignored": count.others,
        "findings": [
            {
                "file": one.file,
                "line": one.line,
                "severity": one.severity.value,
                "object": one.what,
                "rule": one.rule,
                "message": one.sentence,
            }
            for one in findings
        ],
    }
