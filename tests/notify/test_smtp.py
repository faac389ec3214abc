# SPDX-License-Identifier: Apache-2.0
"""Mails handed over to a real SMTP server: TLS, logins, refusals, silence, and one connection for many."""

from __future__ import annotations

import asyncio
import logging
import shutil
import ssl
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trustme

from eservice_operator.core.letters import Delivery
from eservice_operator.notify import smtp
from eservice_operator.notify.sender import Credentials, Login, NoCredentials
from eservice_operator.notify.smtp import Security, SmtpSender
from tests.notify.letters import NOW, OPERATOR, letter, noting
from tests.support.mailserver import MailServer, mail_server
from tests.support.waiting import eventually

PASSWORD = "correct horse, bāka"  # noqa: S105
USERS = {"operator": PASSWORD}
ACCEPTED = Delivery(accepted=True, at=NOW)


async def login() -> Login:
    return Login("operator", PASSWORD)


@asynccontextmanager
async def sender_to(
    port: int,
    credentials: Credentials | None = None,
    **settings: Any,
) -> AsyncIterator[SmtpSender]:
    chosen: dict[str, Any] = {"host": "127.0.0.1", "timeout": 5.0, "rest": 0.0} | settings
    server = smtp.MailServer(port=port, sender=OPERATOR, **chosen)
    sender = SmtpSender(server, credentials, lambda: NOW)
    try:
        yield sender
    finally:
        await sender.close()


@asynccontextmanager
async def relay() -> AsyncIterator[tuple[MailServer, SmtpSender]]:
    """A server that asks for nothing, and a sender that was told so."""
    async with mail_server() as server, sender_to(server.port, security=Security.NONE) as sender:
        yield server, sender


def transient(delivery: Delivery) -> bool:
    return not delivery.accepted and not delivery.permanent


@pytest.mark.parametrize("security", [Security.STARTTLS, Security.TLS])
async def test_a_mail_goes_over_tls_with_a_login(
    security: Security, certified: ssl.SSLContext, ca_file: str
) -> None:
    over: dict[str, Any] = {"starttls": certified} if security is Security.STARTTLS else {"tls": certified}
    async with (
        mail_server(users=USERS, **over) as server,
        sender_to(server.port, login, host="localhost", security=security, ca_file=ca_file) as sender,
    ):
        assert await sender.send(letter()) == ACCEPTED
        (mail,) = server.received
        assert (mail.protected, mail.user) == (True, "operator")
        assert (mail.sender, mail.recipients) == ("e-pakalpojumi@agency.example", ("a.berzina@pmlp.example",))
        assert mail.message["Message-ID"] == "<5b1c0f6a9d3e4c7788aa00bb11cc22dd@agency.example>"


@pytest.mark.parametrize("security", [Security.STARTTLS, Security.TLS])
@pytest.mark.parametrize("certificate", ["strange", "misnamed"])
async def test_a_server_with_a_wrong_certificate_gets_neither_login_nor_mail(
    certificate: str, security: Security, ca_file: str, request: pytest.FixtureRequest
) -> None:
    context = request.getfixturevalue(certificate)
    over: dict[str, Any] = {"starttls": context} if security is Security.STARTTLS else {"tls": context}
    asked = []

    async def credentials() -> Login:
        asked.append(1)
        return await login()

    async with (
        mail_server(users=USERS, **over) as server,
        sender_to(server.port, credentials, security=security, ca_file=ca_file) as sender,
    ):
        delivery = await sender.send(letter())
        assert transient(delivery)
        assert "certificate" in delivery.error.lower()
        assert not server.received
        assert not server.logins
        assert asked == [1]


async def test_without_a_file_only_the_machines_authorities_count(certified: ssl.SSLContext) -> None:
    async with mail_server(starttls=certified) as server, sender_to(server.port) as sender:
        assert transient(await sender.send(letter()))
        assert not server.received


async def test_a_server_without_starttls_is_refused_not_spoken_to_in_plain() -> None:
    async with mail_server() as server, sender_to(server.port) as sender:
        delivery = await sender.send(letter())
        assert transient(delivery)
        assert "STARTTLS" in delivery.error
        assert not server.received


async def test_a_wrong_password_is_our_mistake_and_shown_to_nobody(
    certified: ssl.SSLContext, ca_file: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    async def wrong() -> Login:
        return Login("operator", "hunter2-and-more")

    async with (
        mail_server(starttls=certified, users=USERS) as server,
        sender_to(server.port, wrong, ca_file=ca_file) as sender,
    ):
        delivery = await sender.send(letter())
        assert transient(delivery)
        assert delivery.error == "the mail server refused the login: 535"
        assert ("operator", False) in server.logins
        assert not server.received
    assert "hunter2" not in caplog.text + delivery.error + repr(await wrong())


async def test_a_rotated_password_is_used_for_the_next_connection(
    certified: ssl.SSLContext, ca_file: str
) -> None:
    passwords = iter(["old", "new"])

    async def rotating() -> Login:
        return Login("operator", next(passwords))

    async with (
        mail_server(starttls=certified, users={"operator": "new"}) as server,
        sender_to(server.port, rotating, ca_file=ca_file) as sender,
    ):
        assert transient(await sender.send(letter()))
        assert await sender.send(letter()) == ACCEPTED
        assert server.received[0].user == "operator"


async def test_without_its_credentials_no_connection_is_made() -> None:
    async def none() -> Login:
        raise NoCredentials("there is no Secret a/b")

    async with mail_server() as server, sender_to(server.port, none) as sender:
        assert await sender.send(letter()) == Delivery(
            accepted=False, at=NOW, error="there is no Secret a/b", channel_failed=True
        )
        assert server.connections == 0


async def test_a_refused_recipient_is_refused_for_good_and_the_others_are_not() -> None:
    async with relay() as (server, sender):
        server.answers["gone@pmlp.example"] = ["550 5.1.1 no such\x08 user"]
        refused = await sender.send(letter(recipient="gone@pmlp.example"))
        assert refused == Delivery(
            accepted=False, at=NOW, error="the mail server answered 550 5.1.1 no such user", permanent=True
        )
        assert await sender.send(letter()) == ACCEPTED
        assert [mail.recipients for mail in server.received] == [("a.berzina@pmlp.example",)]


async def test_greylisting_is_met_by_trying_again() -> None:
    async with relay() as (server, sender):
        server.answers["RCPT"] = ["451 4.7.1 greylisted, come back later"]
        first = await sender.send(letter())
        assert transient(first)
        assert "451 4.7.1 greylisted" in first.error
        assert await sender.send(letter()) == ACCEPTED
        assert server.connections == 1


@pytest.mark.parametrize(
    "command,answer,permanent,channel",
    [
        ("MAIL", "550 5.7.1 you may not send as that", False, True),
        ("MAIL", "451 try again", False, True),
        ("RCPT", "530 5.7.0 authentication required", False, True),
        ("RCPT", "530 authentication required", False, True),
        ("RCPT", "550 5.7.1 relaying denied", False, True),
        ("RCPT", "452 4.3.1 out of space", False, True),
        ("RCPT", "421 too many connections", False, True),
        ("RCPT", "451 4.7.1 greylisted", False, False),
        ("RCPT", "452 4.2.2 over quota", False, False),
        ("RCPT", "450 busy", False, False),
        ("RCPT", "550 5.2.1 mailbox disabled", True, False),
        ("DATA", "552 5.3.4 too large", True, False),
        ("DATA", "450 4.1.8 no such sender yet", False, False),
        ("DATA", "452 4.2.2 over quota", False, False),
        ("DATA", "452 4.3.1 out of space", False, True),
        ("DATA", "451 later", False, True),
        ("DATA", "421 4.3.2 going down", False, True),
    ],
)
async def test_what_can_be_mended_is_tried_again_and_what_is_about_one_recipient_is_told_apart(
    command: str, answer: str, permanent: bool, channel: bool
) -> None:
    async with relay() as (server, sender):
        server.answers[command] = [answer]
        delivery = await sender.send(letter())
        assert (delivery.accepted, delivery.permanent) == (False, permanent)
        assert delivery.channel_failed is channel
        assert answer[:3] in delivery.error
        assert not server.received
        assert await sender.send(letter()) == ACCEPTED


async def test_a_burst_takes_one_connection_which_is_closed_when_nothing_follows() -> None:
    async with (
        mail_server() as server,
        sender_to(server.port, security=Security.NONE, idle=0.05) as sender,
    ):
        sent = await asyncio.gather(*(sender.send(letter(id=f"{number:032}")) for number in range(20)))
        assert sent == [ACCEPTED] * 20
        assert len({mail.message["Message-ID"] for mail in server.received}) == 20
        assert server.connections == 1
        await eventually(lambda: not server.open, "the connection is closed")
        assert await sender.send(letter()) == ACCEPTED
        assert server.connections == 2


async def test_a_mail_is_built_while_the_event_loop_goes_on() -> None:
    async with mail_server() as server, sender_to(server.port, security=Security.NONE) as sender:
        facts = noting()
        assert await sender.send(letter(facts=facts)) == ACCEPTED
        assert facts.readers
        assert threading.get_ident() not in facts.readers


async def test_a_connection_that_the_server_has_closed_is_made_anew() -> None:
    async with relay() as (server, sender):
        assert await sender.send(letter()) == ACCEPTED
        await server.hang_up()
        assert await sender.send(letter()) == ACCEPTED
        assert server.connections == 2


@asynccontextmanager
async def mute() -> AsyncIterator[tuple[int, list[int]]]:
    """A server that takes connections and never says a word."""
    connections = []
    end = asyncio.Event()

    async def listen(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(1)
        await end.wait()
        writer.close()

    server = await asyncio.start_server(listen, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1], connections
    finally:
        end.set()
        server.close()
        await server.wait_closed()


@pytest.mark.parametrize(
    "limit,error",
    [
        ("timeout", "the mail server took the connection and says nothing"),
        ("patience", "the mail server took too long"),
    ],
)
async def test_a_server_that_says_nothing_costs_one_wait_for_all_that_follow_at_once(
    limit: str, error: str
) -> None:
    limits: dict[str, Any] = {limit: 1.0, "rest": 60.0, "security": Security.NONE}
    async with mute() as (port, connections), sender_to(port, **limits) as sender:
        sent = [await sender.send(letter()) for _ in range(5)]
        assert all(map(transient, sent))
        assert {(one.error, one.channel_failed) for one in sent} == {(error, True)}
        assert len(connections) == 1


async def test_a_server_that_was_silent_is_asked_again_after_a_rest() -> None:
    async with mute() as (port, connections), sender_to(port, timeout=0.2, security=Security.NONE) as sender:
        assert transient(await sender.send(letter()))
        assert transient(await sender.send(letter()))
        assert len(connections) == 2


async def test_the_answer_to_a_mail_that_was_taken_is_waited_for_longer_than_any_other() -> None:
    async with (
        mail_server() as server,
        sender_to(server.port, security=Security.NONE, timeout=1.0, patience=2.0) as sender,
    ):
        server.hold = asyncio.Event()
        sending = asyncio.create_task(sender.send(letter()))
        await eventually(lambda: server.received, "a mail")
        asyncio.get_running_loop().call_later(2.5, server.hold.set)
        assert await sending == ACCEPTED
        assert len(server.received) == 1


async def test_a_mail_that_was_taken_and_never_answered_says_that_it_may_come_twice() -> None:
    async with (
        mail_server() as server,
        sender_to(server.port, security=Security.NONE, verdict=0.3) as sender,
    ):
        server.hold = asyncio.Event()
        delivery = await sender.send(letter())
        assert transient(delivery)
        assert delivery.channel_failed
        assert delivery.error == "the mail server did not say whether it took the mail: it may come twice"
        server.hold.set()


async def test_authorities_that_were_replaced_count_from_the_next_connection_on(
    certified: ssl.SSLContext, ca_file: str, tmp_path: Path
) -> None:
    path = tmp_path / "ca.pem"
    trustme.CA().cert_pem.write_to_path(str(path))
    async with (
        mail_server(starttls=certified) as server,
        sender_to(server.port, host="localhost", ca_file=str(path)) as sender,
    ):
        assert "certificate" in (await sender.send(letter())).error
        path.unlink()
        gone = await sender.send(letter())
        assert gone.error == f"the authorities in {path} are not there"
        assert (transient(gone), gone.channel_failed) == (True, True)
        shutil.copyfile(ca_file, path)
        assert await sender.send(letter()) == ACCEPTED


async def test_a_server_that_is_not_there_is_tried_again() -> None:
    async with mail_server() as server:
        port = server.port
    async with sender_to(port) as sender:
        delivery = await sender.send(letter())
        assert transient(delivery)
        assert delivery.channel_failed
        assert "no connection to the mail server" in delivery.error


@pytest.mark.parametrize("later", range(8))
async def test_an_attempt_that_is_cancelled_leaves_nothing_half_done(later: int) -> None:
    """Also in the very moment of the connection, where aiosmtplib does not hear of it."""
    async with mute() as (port, connections), sender_to(port) as sender:
        task = asyncio.create_task(sender.send(letter()))
        while not connections:  # noqa: ASYNC110 - turns of the loop are what is tried out
            await asyncio.sleep(0)
        for _ in range(later):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert sender._client is None


@pytest.mark.parametrize("utf8", [True, False])
async def test_an_address_in_another_script_needs_a_server_that_takes_it(utf8: bool) -> None:
    async with (
        mail_server(utf8=utf8) as server,
        sender_to(server.port, security=Security.NONE) as sender,
    ):
        delivery = await sender.send(letter(recipient="bērziņa@iestāde.example"))
        assert (delivery.accepted, delivery.permanent) == (utf8, not utf8)
        if utf8:
            assert server.received[0].recipients == ("bērziņa@xn--iestde-6za.example",)
            assert str(server.received[0].message["To"]) == "bērziņa@xn--iestde-6za.example"
        assert await sender.send(letter(recipient="a@iestāde.example")) == ACCEPTED


async def test_a_recipient_that_is_no_address_is_refused_before_anybody_is_asked() -> None:
    async with relay() as (server, sender):
        delivery = await sender.send(letter(recipient="A <a@pmlp.example>"))
        assert (delivery.accepted, delivery.permanent) == (False, True)
        assert server.connections == 0
