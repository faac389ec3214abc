# SPDX-License-Identifier: Apache-2.0
"""Odd texts in every field that takes them, followed to everything that shows them.

Mails, events, the log, Kubernetes Events, metrics, kubectl and its plugin, and the header of the notice page.
Each e-service has one oddity in all of its fields, and is published, told of, paused and asked about.
"""

from __future__ import annotations

import asyncio
import json
import unicodedata
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from eservice_operator.api.names import NOTICE_HEADER
from eservice_operator.core.actions import Manifest
from eservice_operator.notice.content import Header
from eservice_operator.notice.content import read as read_notice
from tests.adversarial.cast import Cast, Part
from tests.adversarial.odd_site import FOLLOWED, Odd, odd
from tests.adversarial.post_office import PostOffice
from tests.cli.terminal import Terminal
from tests.support.figures import Figures
from tests.support.operator import OperatorProcess
from tests.support.register import Register
from tests.support.resting import Rested
from tests.support.site import EVENTS, in_phase

pytestmark = pytest.mark.cluster

HEADERS = {
    "Auto-Submitted",
    "Content-Language",
    "Content-Transfer-Encoding",
    "Content-Type",
    "Date",
    "From",
    "MIME-Version",
    "Message-ID",
    "Reply-To",
    "Subject",
    "To",
    "X-Auto-Response-Suppress",
}
TYPES = {"text/plain", "text/html", "text/calendar", "application/ics"}
FIELDS = {"ts", "level", "logger", "msg", "kind", "namespace", "name"}
PARTS = 4


def harmful(text: str) -> set[str]:
    """What a terminal would obey in a text; a line may end."""
    kinds = ("Cc", "Cf", "Cs", "Zl", "Zp")
    return {one for one in text if one != "\n" and unicodedata.category(one) in kinds}


def assert_one_letter(mail: EmailMessage, recipient: str) -> None:
    """To one person, with our headers and no others, and the bodies that every letter has."""
    assert not mail.defects, mail.defects
    assert set(mail.keys()) <= HEADERS, set(mail.keys()) - HEADERS
    assert len(mail.keys()) == len(set(mail.keys())), "a header twice"
    assert [one.addr_spec for one in mail["To"].addresses] == [recipient]
    for name in mail:
        assert not harmful(str(mail[name])), f"{name}: {mail[name]!r}"
    bodies = [part for part in mail.walk() if not part.is_multipart()]
    assert 2 <= len(bodies) <= PARTS, [part.get_content_type() for part in bodies]
    for part in bodies:
        assert part.get_content_type() in TYPES
        assert not part.defects, part.defects
        if part.get_content_type() == "text/html":
            page = part.get_content()
            assert "<script" not in page.lower()
            assert "onerror=" not in page.lower()


def assert_record(record: dict[str, Any]) -> None:
    """One line of the log is one object, with the fields that it always has."""
    assert record["level"] != "raw", record
    assert set(record) <= FIELDS, record


async def everything_of(register: Register, figures: Figures) -> list[Odd]:
    """One e-service for each oddity, public, and none of their texts is refused all over."""
    made = [await odd(register, what, number) for number, what in enumerate(FOLLOWED)]
    for one in made:
        figures.add(f"fields that take {one.what}", str(len(one.fields)))
        await register.site.apply(*one.objects)
    assert sum(bool(one.fields) for one in made) > len(made) // 2, "nothing odd was written"
    return made


async def test_nothing_odd_gets_out_of_its_place(
    register: Register,
    cast: Cast,
    operator: OperatorProcess,
    rests: Rested,
    post: PostOffice,
    figures: Figures,
) -> None:
    site, begins = register.site, len(operator.records())
    made = await everything_of(register, figures)
    beside = site.planned("beside")
    await site.published(beside)
    await rests()
    for one in made:
        await site.apply(one.paused())
    await rests()
    for one in made:
        live = await site.see(one.planned.ref)
        assert live["status"]["observedGeneration"] == live["metadata"]["generation"], one.what
    assert in_phase(await site.see(beside.ref), "Published"), "the others go on"
    for record in operator.records()[begins:]:
        assert_record(record)
    await assert_letters(made, post)
    assert_metrics(operator)
    await assert_events(register)
    await assert_shown(cast[Part.ON_CALL].kubeconfig, cast, made)
    await assert_notices(register, made)


async def assert_letters(made: list[Odd], post: PostOffice) -> None:
    """Each contact has letters of its own e-service, and nobody else has any."""
    contacts = {
        contact["email"]
        for one in made
        for contact in one.body("EServiceRegistration")["spec"]["institution"]["contacts"]
    }
    agency = {one.body("EServiceRegistration")["spec"]["agencyContact"]["email"] for one in made}
    told = post.recipients()
    strangers = {one for one in told if "evil" in one.rpartition("@")[2]}
    assert not strangers - contacts - agency
    some = [address for address in sorted(contacts) if address in told]
    assert len(some) > len(made) // 2, f"few were told: {sorted(told)}"
    for address in (*some, *sorted(agency & told)):
        for mail in post.mails(address):
            assert_one_letter(mail, address)
    for event in post.events():
        assert event["specversion"] == "1.0"
        assert not harmful(event["type"] + event["source"] + event["id"] + event.get("subject", ""))


def assert_metrics(operator: OperatorProcess) -> None:
    """A scrape is read by Prometheus' own parser, and no text has become a label."""
    text = operator.scraped()
    assert text
    families = list(text_string_to_metric_families(text))
    assert families
    labels = {value for one in families for sample in one.samples for value in sample.labels.values()}
    assert not {one for one in labels if harmful(one) or "\n" in one}


async def assert_events(register: Register) -> None:
    items, _ = await register.site.api.list(EVENTS, register.site.namespace)
    assert items
    for item in items:
        assert len(item["message"].encode()) <= 1024
        assert not harmful(item["message"]) - BIDI, item["message"]


BIDI = frozenset("\u202e\u2066\u200b\u200d\ufeff")
"""What an Event may carry as it is: it is no line and no terminal that it is written to."""


async def assert_shown(kubeconfig: Path, cast: Cast, made: list[Odd]) -> None:
    """What people read at a terminal obeys nothing; each row is a row."""
    terminal = Terminal(kubeconfig)
    place = cast[Part.ADMIN].namespace
    asked = [("eservice", "list", "-n", place), ("eservice", "list", "-n", place, "-o", "wide")]
    for one in made[:: max(1, len(made) // 4)]:
        asked += [
            ("eservice", command, one.planned.name, "-n", place)
            for command in ("status", "explain", "history")
        ]
    for answer in await asyncio.gather(*(terminal.kubectl(*words) for words in asked)):
        assert answer.out.strip(), answer.err
        assert not harmful(answer.out + answer.err), answer.out
    for kind in ("eservices", "productionverifications"):
        rows = await terminal.kubectl("get", kind, "-n", place, "-o", "wide")
        named = await terminal.kubectl("get", kind, "-n", place, "-o", "name")
        assert rows.code == named.code == 0, rows.err + named.err
        assert not {one for one in harmful(rows.out) if unicodedata.category(one) == "Cc"}, rows.out
        assert len(rows.out.splitlines()) == len(named.out.splitlines()) + 1, rows.out
    assert json.loads((await terminal.kubectl("get", "esvc", "-n", place, "-o", "json")).out)["items"]


async def assert_notices(register: Register, made: list[Odd]) -> None:
    """What the notice page is told of those that are paused it reads."""
    shown = 0
    for one in made:
        route = await register.site.api.get(one.planned.route)
        for value in _header(route) if route else ():
            assert value.isascii()
            assert value.isprintable()
            header, content = read_notice([value])
            assert header is Header.READ
            assert not {odd_ for title in content.titles.values() for odd_ in harmful(title)}
            shown += 1
    assert shown, "no notice was shown"


def _header(route: Manifest) -> list[str]:
    filters = [one for rule in route["spec"]["rules"] for one in rule.get("filters", ())]
    headers = [h for one in filters for h in (one.get("requestHeaderModifier") or {}).get("set", ())]
    return [one["value"] for one in headers if one["name"] == NOTICE_HEADER]
