# SPDX-License-Identifier: Apache-2.0
"""docs/notices.md shows what a mail server and a sink really receive."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import time
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from eservice_operator.api.notices import NoticeKind, NoticeState
from eservice_operator.core.ledger import LONGEST_BACKOFF, MOST_ATTEMPTS
from eservice_operator.notify.cloudevents import EventsSender
from eservice_operator.notify.event import signature
from eservice_operator.notify.smtp import MailServer, Security, SmtpSender
from eservice_operator.notify.tls import Trust
from tests.notify.letters import LETTER, NOW, OPERATOR
from tests.notify.test_message import content
from tests.support.mailserver import Received, mail_server
from tests.support.sink import event_sink

PATH = Path(__file__).parents[2] / "docs" / "notices.md"
PAGE = PATH.read_text()
HEADERS = ("From", "To", "Reply-To", "Subject", "Date", "Message-ID", "Auto-Submitted")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def assert_shown(language: str, real: list[str], request: pytest.FixtureRequest) -> None:
    """The blocks are these; `--update-golden` writes them into the page."""
    if request.config.getoption("--update-golden"):
        page = PATH.read_text()
        for block, text in zip(blocks(language), real, strict=True):
            page = page.replace(block, text)
        PATH.write_text(page)
    else:
        assert blocks(language) == real


def as_shown(mail: Received) -> tuple[str, str]:
    """The head with the plain text, and the entry for the calendar."""
    head = "".join(f"{name}: {mail.message[name]}\n" for name in HEADERS)
    return f"{head}\n{content(mail.message, 'text/plain')}", content(mail.message, "text/calendar")


def shortened(event: dict[str, Any]) -> dict[str, Any]:
    texts = event["data"]["texts"]
    short = {code: text | {"parts": text["parts"][:1]} for code, text in texts.items()}
    return event | {"data": event["data"] | {"texts": short}}


async def test_the_mail_is_the_one_that_a_server_receives(request: pytest.FixtureRequest) -> None:
    async with mail_server() as server:
        place = MailServer(host="127.0.0.1", port=server.port, sender=OPERATOR, security=Security.NONE)
        sender = SmtpSender(place, None, lambda: NOW)
        assert (await sender.send(LETTER)).accepted
        await sender.close()
        (mail,) = server.received
    assert_shown("text", list(as_shown(mail)), request)


async def test_the_event_is_the_one_that_a_sink_receives(request: pytest.FixtureRequest) -> None:
    async with event_sink() as sink:
        sender = EventsSender(sink.url, None, lambda: NOW, trusted=Trust(None))
        assert (await sender.send(LETTER)).accepted
        await sender.close()
        (taken,) = sink.taken
    event = json.dumps(shortened(json.loads(taken.body)), ensure_ascii=False, indent=2)
    assert_shown("json", [f"{event}\n"], request)


def test_the_example_verifies_a_signature() -> None:
    (block,) = blocks("python")
    names: dict[str, Any] = {}
    exec(block, names)  # noqa: S102 - the page is ours
    verified: Callable[[dict[str, str], bytes, bytes], bool] = names["verified"]
    key, body = b"k" * 32, b'{"a":1}'
    moment = int(time.monotonic())
    names["time"] = type("Time", (), {"time": staticmethod(lambda: moment + 10)})
    signed = b64encode(hmac.new(key, f"id.{moment}.".encode() + body, hashlib.sha256).digest()).decode()
    headers = {"webhook-id": "id", "webhook-timestamp": str(moment), "webhook-signature": f"v1,x v1,{signed}"}
    assert signature(key, "id", NOW, body).keys() == headers.keys()
    assert verified(headers, body, key)
    assert not verified(headers, body + b" ", key)
    assert not verified(headers | {"webhook-timestamp": str(moment - 400)}, body, key)


def test_every_notice_and_state_has_its_line() -> None:
    rows = [line.split("|")[1] for line in PAGE.splitlines() if line.startswith("| `")]
    listed = [word for row in rows for word in re.findall(r"`(\w+)`", row)]
    assert [word for word in listed if word in set(NoticeKind)] == list(NoticeKind)
    assert [word for word in listed if word in set(NoticeState)] == list(NoticeState)
    assert (MOST_ATTEMPTS, LONGEST_BACKOFF.total_seconds()) == (24, 6 * 3600)
