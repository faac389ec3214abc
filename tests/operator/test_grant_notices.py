# SPDX-License-Identifier: Apache-2.0
"""Notices about access by real channels: the holder hears who asks, the consumer what becomes of it.

What the consumer hears is in the ledger of its EService: a grant that is deleted takes nothing along.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from eservice_operator.cluster.client import KubeApi
from tests.support.fleet import days_ago
from tests.support.mailserver import MailServer, mail_server
from tests.support.operator import OperatorProcess
from tests.support.register import Register
from tests.support.sink import Sink, event_sink
from tests.support.site import Site, poll, under

pytestmark = pytest.mark.cluster


class Post:
    """An operator with both channels, and what they took."""

    def __init__(self, register: Register, mail: MailServer, sink: Sink) -> None:
        self.register = register
        self._mail = mail
        self._sink = sink

    def mails(self, subject: str) -> list[str]:
        """Whom a mail went to, by the end of its subject."""
        return sorted(
            recipient
            for mail in self._mail.received
            if str(mail.message["Subject"]).endswith(subject)
            for recipient in mail.recipients
        )

    def events(self) -> list[dict[str, Any]]:
        """The data of every event."""
        return [json.loads(taken.body)["data"] for taken in self._sink.taken]

    async def until_told(self, kind: str) -> dict[str, Any]:
        """The one event of a kind, once it is there."""
        await soon(lambda: kind in [event["kind"] for event in self.events()], f"an event {kind}")
        (event,) = [event for event in self.events() if event["kind"] == kind]
        return event


async def soon(so: Callable[[], bool], what: str) -> None:
    """Wait for what a channel takes."""

    async def ask() -> bool:
        return so()

    await poll(ask, lambda: what)


@pytest.fixture
async def post(operator_kubeconfig: Path, people: KubeApi, tmp_path: Path) -> AsyncIterator[Post]:
    async with mail_server() as mail, event_sink() as sink:
        settings = {
            "smtp-server": f"127.0.0.1:{mail.port}",
            "smtp-security": "none",
            "mail-from": "e-pakalpojumi@agency.example",
            "events-sink": sink.url,
        }
        operator = OperatorProcess(operator_kubeconfig, tmp_path / "log", settings)
        await operator.start()
        try:
            async with under(operator, Site(people)) as site:
                await site.prepare()
                register = Register(site)
                await site.apply(register.registration())
                await register.prepare()
                await site.until(register.ref, lambda obj: bool(obj.get("status")), "the register is known")
                yield Post(register, mail, sink)
                await register.clear()
        finally:
            operator.end()


async def test_from_the_request_to_the_end_everybody_hears_of_it_once(post: Post) -> None:
    register, site = post.register, post.register.site
    planned = site.planned()
    await site.apply(planned.registration(), planned.eservice(spec={"uses": [register.use()]}))
    asked = await post.until_told("AccessRequested")
    assert asked["facts"]["consumer"] == f"{planned.namespace}/{planned.name}"
    assert (asked["object"], asked["contacts"]) == (
        f"WebService {register.namespace}/population-register",
        ["api@ur.example"],
    )
    await soon(lambda: post.mails("access asked for by PMLP") == ["api@ur.example"], "a mail to the holder")

    await site.apply(register.tested(planned), register.grant(planned))
    granted = await post.until_told("AccessGranted")
    assert granted["identifier"].startswith("EP-")
    people = sorted([*granted["contacts"], granted["agencyContact"]])
    await soon(lambda: post.mails("access to a web service granted") == people, "a mail to each of them")

    await site.apply(register.grant(planned, validUntil=days_ago(-20)))
    ending = await post.until_told("AccessEnding")
    assert ending["due"] == days_ago(-20)

    ref = register.grant_ref(planned)
    await site.delete(ref)
    await site.gone(ref)
    ended = await post.until_told("AccessEnded")
    assert ended["facts"]["ended"] == "Closing"
    assert ended["object"] == f"EService {planned.namespace}/{planned.name}"
    assert ended["facts"]["holder"] == "UR"
    await soon(lambda: post.mails("access to a web service ended") == people, "a mail to each of them")
    told = [event["kind"] for event in post.events() if event["kind"].startswith("Access")]
    assert sorted(told) == ["AccessEnded", "AccessEnding", "AccessGranted", "AccessRequested"]
