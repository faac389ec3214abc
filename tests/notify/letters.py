# SPDX-License-Identifier: Apache-2.0
"""Letters to begin from, and strings that somebody with bad intentions could write."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from hypothesis import strategies as st
from typing_extensions import override

from eservice_operator.api.base import LocalizedText
from eservice_operator.api.notices import Audience, Channel, NoticeKind
from eservice_operator.core.letters import Letter
from eservice_operator.notify.addresses import Address, Mailbox

NOW = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
OPERATOR = Mailbox("E-pakalpojumu operators", Address("e-pakalpojumi", "agency.example"))
LETTER = Letter(
    id="5b1c0f6a9d3e4c7788aa00bb11cc22dd",
    kind=NoticeKind.UNPUBLISH_SCHEDULED,
    channel=Channel.EMAIL,
    recipient="a.berzina@pmlp.example",
    audience=Audience.INSTITUTION,
    at=NOW,
    source="EService pmlp-production/address-declaration",
    uid="0f4ce37e-53cf-4b80-9d0e-6a5f5e1b5d1b",
    institution="PMLP",
    contacts=("a.berzina@pmlp.example", "j.kalnins@pmlp.example"),
    agency_contact="j.ozols@agency.example",
    title=LocalizedText(lv="Dzīvesvietas deklarēšana", en="Declaration of residence"),
    identifier="EP-000042",
    due=date(2027, 5, 3),
    facts={
        "template": "viss-2020",
        "version": "2.0.0",
        "current": "3.0.0",
        "overdueSince": "2026-11-02",
        "released": "2024-11-04",
        "cause": "3.0.0",
        "causeReleased": "2026-09-07",
        "causePublished": "2026-11-02",
        "maximumLag": "P18M",
        "lagMeasure": "ReleaseGap",
        "instruction": "https://agency.example/viss-2020/3.0.0?from=2.0.0&lang=lv",
        "catalogue": "https://latvija.example/ep/42",
        "publicURL": "https://address.latvija.example/",
        "decision": "address-declaration-production-001",
    },
)


def letter(**changes: Any) -> Letter:
    return replace(LETTER, **changes)


class Noting(dict[str, str]):
    """Facts that note in which threads they are read."""

    readers: set[int]

    @override
    def get(self, *args: Any) -> Any:
        self.readers.add(threading.get_ident())
        return super().get(*args)


def noting() -> Noting:
    facts = Noting(LETTER.facts)
    facts.readers = set()
    return facts


NASTY = st.one_of(
    st.text(max_size=60),
    st.lists(
        st.sampled_from(
            [
                "\r\n", "\n", "\r", "\0", "\x0b", "\x85", "\u2028", "\u2029", "\u202e", "\ud800", "\u200b",
                "Bcc: x@evil.example", "<script>alert(1)</script>", "<b onclick=x>",
                '"', "'", "&amp;", "</p>",
                ",", ";", "\\", "\\n", ":", "@", "<x@evil.example>", "=?utf-8?q?x?=", "--=_", ".", "..",
                "BEGIN:VALARM", "END:VCALENDAR", "https://evil.example/",
                "javascript:alert(1)", "ā", "Ķ", "😀", " ",
            ]
        ),
        max_size=8,
    ).map("".join),
)  # fmt: skip
FACTS = (
    "template", "version", "current", "instruction", "catalogue", "publicURL", "decision", "overdueSince",
    "previewURL",
    "migrateBy", "dueBy", "reason", "token", "count", "released", "cause", "causeReleased", "causePublished",
    "maximumLag", "lagMeasure", "withdrawnOn", "replaceBy", "recallReason", "held", "late",
    "decisions", "webService", "contractVersion", "consumer", "holder", "holderContact", "agent", "asking",
    "until", "ended", "consumers",
)  # fmt: skip


def localized() -> st.SearchStrategy[LocalizedText]:
    """Also such as the API would have refused: the message has to hold by itself."""
    return st.builds(LocalizedText.model_construct, lv=st.none() | NASTY, en=st.none() | NASTY)


def letters(recipient: st.SearchStrategy[str], ids: st.SearchStrategy[str]) -> st.SearchStrategy[Letter]:
    """Every string of a letter, and every kind."""
    return st.builds(
        Letter,
        id=ids,
        kind=st.sampled_from(NoticeKind),
        channel=st.sampled_from(Channel),
        recipient=recipient,
        audience=st.sampled_from(Audience),
        at=st.datetimes(datetime(1990, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
        source=NASTY,
        uid=NASTY,
        institution=NASTY,
        contacts=st.lists(NASTY, max_size=3).map(tuple),
        agency_contact=NASTY,
        title=localized(),
        identifier=NASTY,
        due=st.none() | st.dates(date(1990, 1, 1), date(2200, 1, 1)),
        facts=st.dictionaries(st.sampled_from(FACTS) | NASTY, NASTY, max_size=6),
    )
