# SPDX-License-Identifier: Apache-2.0
"""The table of docs/security.md: what each part may do. ``python -m tests.adversarial.page`` writes it."""

from __future__ import annotations

from pathlib import Path

from eservice_operator.api.kinds import KINDS
from tests.adversarial.cast import Part
from tests.adversarial.permitted import DELETE, PERMITTED, READ, STATUS, WRITE

PAGE = Path(__file__).parents[2] / "docs" / "security.md"
BEGIN, END = "<!-- parts: begin -->\n", "<!-- parts: end -->\n"
TITLES = {READ: "read", WRITE: "create and change", DELETE: "delete", STATUS: "write the status"}
HELD = {
    Part.ADMIN: "`*` on `*` in the institution's namespace",
    Part.HOLDER: "`*` on `*` in the holder's namespace",
    Part.DEVELOPER: "`eservices`; reads `productionverifications` and Events",
    Part.TESTER: "in Test: reads `eservices` and Events; nothing in Production",
    Part.VERIFIER: "creates `productionverifications`; reads `eservices`",
    Part.ON_CALL: "reads all of eservice.dev, everywhere",
    Part.ANYBODY: "no binding",
    Part.ANONYMOUS: "no credentials",
}


def kinds_of(part: Part, verb: str) -> str:
    """The kinds for which a part may do something, in words."""
    may = [kind.kind for kind in KINDS if verb in PERMITTED[part].get(kind.kind, ())]
    namespaced = [kind.kind for kind in KINDS if kind.namespaced]
    if len(may) == len(KINDS):
        return "all"
    return "all in its namespace" if may == namespaced else ", ".join(may) or "–"


def table() -> str:
    """All parts, one to a row."""
    rows = [
        ["who", "holds", *TITLES.values()],
        ["---"] * (2 + len(TITLES)),
        *([part.value, HELD[part], *(kinds_of(part, verb) for verb in TITLES)] for part in Part),
    ]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def page() -> str:
    """The page with its table as it has to be."""
    text = PAGE.read_text()
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}{table()}{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(page())
