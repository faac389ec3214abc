# SPDX-License-Identifier: Apache-2.0
"""Events POSTed to a real server: judged by the CNCF's SDK, signed, refused, put off, unanswered."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import math
import re
import shutil
import ssl
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
import trustme
from cloudevents.http import from_http
from hypothesis import given
from hypothesis import strategies as st

from eservice_operator.api.base import LocalizedText
from eservice_operator.api.notices import NoticeKind
from eservice_operator.core.letters import Delivery, Letter
from eservice_operator.notify.cloudevents import EventsSender, host_of, seconds_to_wait
from eservice_operator.notify.event import CONTENT_TYPE, encoded, event_of, signature, source_of
from eservice_operator.notify.sender import NoCredentials, SigningKey
from eservice_operator.notify.tls import Trust
from tests.notify.letters import LETTER, NOW, letter, letters, noting
from tests.support.sink import Sink, event_sink

KEY = b"0123456789abcdef0123456789abcdef"
ACCEPTED = Delivery(accepted=True, at=NOW)


async def key() -> bytes:
    return KEY


@asynccontextmanager
async def sender_to(
    url: str, signing: SigningKey | None = None, *, ca_file: str | None = None, patience: float = 5.0
) -> AsyncIterator[EventsSender]:
    sender = EventsSender(url, signing, lambda: NOW, trusted=Trust(ca_file), timeout=patience)
    try:
        yield sender
    finally:
        await sender.close()


@asynccontextmanager
async def channel() -> AsyncIterator[tuple[Sink, EventsSender]]:
    async with event_sink() as sink, sender_to(sink.url) as sender:
        yield sink, sender


def transient(delivery: Delivery) -> bool:
    return not delivery.accepted and not delivery.permanent


def verified(headers: dict[str, str], body: bytes, secret: bytes, now: datetime) -> bool:
    """As docs/notices.md tells receivers to."""
    at = int(headers["webhook-timestamp"])
    if abs(now.timestamp() - at) > 300:
        return False
    signed = f"{headers['webhook-id']}.{at}.".encode() + body
    digest = base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()
    return any(hmac.compare_digest(one, f"v1,{digest}") for one in headers["webhook-signature"].split())


async def test_an_event_is_what_the_sdk_of_the_cncf_takes_for_one() -> None:
    async with channel() as (sink, sender):
        assert await sender.send(LETTER) == ACCEPTED
        (taken,) = sink.taken
        event = from_http(taken.headers, taken.body)
        attributes = dict(event.get_attributes())
        assert attributes == {
            "specversion": "1.0",
            "id": LETTER.id,
            "source": "/apis/eservice.dev/v1alpha1/namespaces/pmlp-production/eservices/address-declaration",
            "type": "dev.eservice.notice.UnpublishScheduled.v1",
            "subject": "EP-000042",
            "time": "2026-11-02T09:30:00Z",
            "datacontenttype": "application/json",
        }
        assert taken.path == "/events?source=eservice"
        assert taken.headers["content-type"] == CONTENT_TYPE
        assert "webhook-signature" not in taken.headers


async def test_an_event_is_made_while_the_event_loop_goes_on() -> None:
    async with channel() as (_, sender):
        facts = noting()
        assert await sender.send(letter(facts=facts)) == ACCEPTED
        assert facts.readers
        assert threading.get_ident() not in facts.readers


async def test_its_data_are_the_facts_and_the_texts() -> None:
    data = event_of(LETTER)["data"]
    assert data["kind"] == "UnpublishScheduled"
    assert data["due"] == "2027-05-03"
    assert data["title"] == {"lv": "Dzīvesvietas deklarēšana", "en": "Declaration of residence"}
    assert data["contacts"] == list(LETTER.contacts)
    assert (data["institution"], data["agencyContact"]) == ("PMLP", "j.ozols@agency.example")
    assert data["facts"] == LETTER.facts
    assert data["texts"]["lv"]["subject"] == "publicēšana tiks pārtraukta 2027-05-03"
    assert data["texts"]["en"]["parts"][0]["text"].startswith("The e-service “Declaration of residence”")


@pytest.mark.parametrize(
    "identifier, source, subject",
    [
        ("EP-000042", "EService a/b", "EP-000042"),
        ("", "EService a/b", "EService a/b"),
        ("", "", None),
    ],
)
def test_its_subject_is_the_number_or_else_the_object(
    identifier: str, source: str, subject: str | None
) -> None:
    assert event_of(letter(identifier=identifier, source=source)).get("subject") == subject


def test_a_title_in_one_language_is_given_in_that_one() -> None:
    given = letter(title=LocalizedText(lv="Dzīvesvietas deklarēšana"))
    assert event_of(given)["data"]["title"] == {"lv": "Dzīvesvietas deklarēšana"}


def test_what_is_not_known_is_left_out_of_its_data() -> None:
    unknown = letter(due=None, institution="", contacts=(), agency_contact="")
    left_out = {"due", "institution", "contacts", "agencyContact"}
    assert set(event_of(LETTER)["data"]) - set(event_of(unknown)["data"]) == left_out


def test_the_same_facts_are_the_same_bytes_in_the_letters_of_the_language() -> None:
    turned = dict(reversed(list(LETTER.facts.items())))
    assert list(turned) != list(LETTER.facts)
    assert encoded(letter(facts=turned)) == encoded(LETTER)
    assert '"lv":"Dzīvesvietas deklarēšana"'.encode() in encoded(LETTER)


async def test_the_signature_can_be_verified_and_a_change_is_found() -> None:
    async with event_sink() as sink, sender_to(sink.url, key) as sender:
        assert await sender.send(LETTER) == ACCEPTED
        (taken,) = sink.taken
        assert verified(taken.headers, taken.body, KEY, NOW)
        assert not verified(taken.headers, taken.body + b" ", KEY, NOW)
        assert not verified(taken.headers, taken.body, b"another key, long enough", NOW)
        assert not verified(taken.headers, taken.body, KEY, NOW + timedelta(minutes=6))
        later = taken.headers | {"webhook-timestamp": str(int(NOW.timestamp()) + 60)}
        assert not verified(later, taken.body, KEY, NOW)
        assert KEY.decode() not in str(taken)


def test_the_signature_is_that_of_the_standard_webhooks_example() -> None:
    secret = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    at = datetime.fromtimestamp(1614265330, UTC)
    headers = signature(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", at, b'{"test": 2432232314}')
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


async def test_without_its_key_nothing_is_sent() -> None:
    async def none() -> bytes:
        raise NoCredentials("there is no Secret a/b")

    async with event_sink() as sink, sender_to(sink.url, none) as sender:
        assert await sender.send(LETTER) == Delivery(
            accepted=False, at=NOW, error="there is no Secret a/b", channel_failed=True
        )
        assert not sink.taken


@pytest.mark.parametrize(
    "status,permanent",
    [
        (301, False), (302, False), (307, False), (400, True), (401, False), (403, False), (404, False),
        (405, True), (408, False), (410, True), (413, True), (415, True), (422, True), (425, False),
        (429, False),
        (500, False), (502, False), (503, False), (504, False),
    ],
)  # fmt: skip
async def test_what_can_be_mended_is_tried_again_and_no_redirect_is_followed(
    status: int, permanent: bool
) -> None:
    async with channel() as (sink, sender):
        sink.answers = [(status, {"Location": sink.url})]
        delivery = await sender.send(LETTER)
        assert (delivery.accepted, delivery.permanent) == (False, permanent)
        assert delivery.channel_failed is not permanent
        assert delivery.error == f"the sink answered {status}"
        assert len(sink.taken) == 1
        assert await sender.send(LETTER) == ACCEPTED
        assert sink.taken[0].body == sink.taken[1].body


@pytest.mark.parametrize("status", [200, 201, 202, 204])
async def test_any_success_is_one(status: int) -> None:
    async with channel() as (sink, sender):
        sink.answers = [(status, {})]
        assert await sender.send(LETTER) == ACCEPTED


async def test_a_sink_can_ask_to_wait() -> None:
    async with channel() as (sink, sender):
        sink.answers = [(503, {"Retry-After": "120"}), (410, {"Retry-After": "120"})]
        assert (await sender.send(LETTER)).retry_after == 120.0
        assert (await sender.send(LETTER)).retry_after == 0.0


@pytest.mark.parametrize(
    "header,seconds",
    [
        ("", 0.0),
        ("90", 90.0),
        ("-1", 0.0),
        ("soon", 0.0),
        ("²", 0.0),
        ("9" * 400, math.inf),
        (format_datetime(NOW + timedelta(minutes=2), usegmt=True), 120.0),
        (format_datetime(NOW - timedelta(minutes=2), usegmt=True), 0.0),
        ("Mon, 02 Nov 2026 09:31:00 -0000", 60.0),
    ],
)
def test_how_long_a_sink_asks_to_wait(header: str, seconds: float) -> None:
    assert seconds_to_wait(header, NOW) == seconds


async def test_over_https_the_certificate_counts(
    certified: ssl.SSLContext, strange: ssl.SSLContext, misnamed: ssl.SSLContext, ca_file: str
) -> None:
    async with event_sink(certified) as sink:
        async with sender_to(sink.url, key, ca_file=ca_file) as sender:
            assert await sender.send(LETTER) == ACCEPTED
        async with sender_to(sink.url, key) as sender:
            assert transient(await sender.send(LETTER))
        assert len(sink.taken) == 1
    for context in (strange, misnamed):
        async with event_sink(context) as sink, sender_to(sink.url, key, ca_file=ca_file) as sender:
            delivery = await sender.send(LETTER)
            assert transient(delivery)
            assert "certificate" in delivery.error.lower()
            assert not sink.taken


async def test_authorities_that_were_replaced_count_without_a_restart(
    certified: ssl.SSLContext, ca_file: str, tmp_path: Path
) -> None:
    path = tmp_path / "ca.pem"
    trustme.CA().cert_pem.write_to_path(str(path))
    async with event_sink(certified) as sink, sender_to(sink.url, ca_file=str(path)) as sender:
        assert "certificate" in (await sender.send(LETTER)).error.lower()
        path.unlink()
        gone = await sender.send(LETTER)
        assert gone.error == f"the authorities in {path} are not there"
        assert (transient(gone), gone.channel_failed) == (True, True)
        shutil.copyfile(ca_file, path)
        assert await sender.send(LETTER) == ACCEPTED
        path.unlink()
        trustme.CA().cert_pem.write_to_path(str(path))
        assert transient(await sender.send(LETTER)), "a connection that was trusted before counts no more"


async def test_a_sink_that_is_not_there_and_one_that_says_nothing_are_tried_again() -> None:
    end = asyncio.Event()

    async def listen(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await end.wait()
        writer.close()

    server = await asyncio.start_server(listen, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/secret-path?token=s3cret"
    async with sender_to(url, patience=1.0) as sender:
        silent = await sender.send(LETTER)
        end.set()
        server.close()
        await server.wait_closed()
        gone = await sender.send(LETTER)
    assert (silent.error, transient(silent)) == ("the sink took too long", True)
    assert transient(gone)
    assert "no connection to the sink" in gone.error
    assert (silent.channel_failed, gone.channel_failed) == (True, True)
    assert "secret" not in silent.error + gone.error


@pytest.mark.parametrize("answer", [b"", b"no HTTP at all\r\n\r\n"])
async def test_a_sink_that_hangs_up_or_talks_nonsense_is_tried_again(answer: bytes) -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    async with sender_to(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/?s3cret") as sender:
        delivery = await sender.send(LETTER)
    server.close()
    await server.wait_closed()
    assert transient(delivery)
    assert "s3cret" not in delivery.error


async def test_an_id_that_is_unfit_for_a_header_is_refused() -> None:
    async with event_sink() as sink, sender_to(sink.url, key) as sender:
        delivery = await sender.send(letter(id="a\r\nX-Admin: yes"))
        assert (delivery.accepted, delivery.permanent) == (False, True)
        assert not sink.taken


@pytest.mark.parametrize(
    "source,path",
    [
        ("EServiceTemplate viss-2020", "/apis/eservice.dev/v1alpha1/eservicetemplates/viss-2020"),
        ("UnpublishDecision a-1", "/apis/eservice.dev/v1alpha1/unpublishdecisions/a-1"),
        ("EServiceRegistration a", "/apis/eservice.dev/v1alpha1/eserviceregistrations/a"),
        ("Unheard a/b?c/d", "/apis/eservice.dev/v1alpha1/namespaces/a%2Fb%3Fc/unheard/d"),
    ],
)
def test_the_source_is_the_objects_path(source: str, path: str) -> None:
    assert source_of(letter(source=source)) == path


def test_a_ledger_knows_a_sink_by_its_host() -> None:
    assert host_of("https://Broker.example:8443/a?b=c") == "broker.example"


@pytest.mark.parametrize("kind", NoticeKind)
def test_every_kind_has_a_type_of_its_own(kind: NoticeKind) -> None:
    assert event_of(letter(kind=kind))["type"] == f"dev.eservice.notice.{kind.value}.v1"


@given(letters(st.text(), st.just(LETTER.id)))
def test_whatever_anybody_wrote_it_is_one_event_in_json(given: Letter) -> None:
    body = encoded(given)
    assert body == encoded(given)
    event = from_http({"content-type": CONTENT_TYPE}, body)
    attributes = event.get_attributes()
    assert attributes["id"] == LETTER.id
    assert all(attributes.values())
    assert re.fullmatch(r"/[A-Za-z0-9%/._~-]*", attributes["source"])
    assert all(map(str.isprintable, strings(json.loads(body))))


def strings(value: Any) -> list[str]:
    match value:
        case dict():
            return [text for pair in value.items() for part in pair for text in strings(part)]
        case list():
            return [text for part in value for text in strings(part)]
        case _:
            return [str(value)]
