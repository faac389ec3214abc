# SPDX-License-Identifier: Apache-2.0
"""A mail server that is slow but well gets each mail once: in a burst, and when the operator ends."""

from __future__ import annotations

import asyncio
from email.utils import parseaddr

import yaml

from eservice_operator.api.notices import Channel, Notice, NoticeState
from eservice_operator.core.keys import ObjectKey
from eservice_operator.core.ledger import Notices, fold
from eservice_operator.core.letters import Letter
from eservice_operator.notify.addresses import mailbox_of
from eservice_operator.notify.smtp import MailServer, Security, SmtpSender
from eservice_operator.runtime import operator
from eservice_operator.runtime.clock import SYSTEM
from eservice_operator.runtime.metrics import Metrics
from eservice_operator.runtime.outbox import DEFAULT_PACE, Outbox, Pace
from eservice_operator.runtime.queue import Limits
from tests.contract.manifests import ROOT
from tests.notify.letters import letter
from tests.support import mailserver
from tests.support.waiting import eventually

KEY = ObjectKey("EService", "pmlp-production", "address")
SENDER = mailbox_of("e-pakalpojumi@agency.example")


def letters(count: int) -> list[Letter]:
    return [letter(id=f"{number:032}", recipient=f"n{number}@pmlp.example") for number in range(count)]


def ledger(sent: list[Letter]) -> Notices:
    return tuple(
        Notice(
            id=one.id,
            kind=one.kind,
            channel=one.channel,
            recipient=one.recipient,
            state=NoticeState.SENDING,
            entered=one.at,
            at=one.at,
        )
        for one in sent
    )


class Office:
    """An outbox with a channel to a real mail server, and the ledger that it fills."""

    def __init__(self, port: int, pace: Pace, sent: list[Letter]) -> None:
        server = MailServer(host="127.0.0.1", port=port, sender=SENDER, security=Security.NONE)
        sender = SmtpSender(server, None, SYSTEM.now)
        self.ledger = ledger(sent)
        self.outbox = Outbox({Channel.EMAIL: sender}, self.fold, Metrics(), pace=pace)
        self.outbox.post(KEY, sent)

    def fold(self, key: ObjectKey) -> None:
        self.ledger = fold(self.ledger, self.outbox.answers(key, self.ledger))
        self.outbox.answers(key, self.ledger)

    def states(self) -> list[str]:
        return [notice.state.value for notice in self.ledger]


async def test_mails_that_wait_their_turn_are_not_cut_off() -> None:
    sent = letters(4)
    async with mailserver.mail_server() as server:
        server.pause = 1.5
        at = Office(server.port, Pace(longest_send=4.0, gather=0.02), sent)
        await eventually(lambda: at.states() == ["Sent"] * 4, within=60)
        assert [notice.attempts for notice in at.ledger] == [0] * 4
        assert [parseaddr(mail.recipients[0])[1] for mail in server.received] == [
            one.recipient for one in sent
        ]
        await at.outbox.close()


async def test_at_the_end_the_answer_to_a_mail_is_waited_for_and_no_further_one_is_begun() -> None:
    async with mailserver.mail_server() as server:
        server.hold = asyncio.Event()
        at = Office(server.port, DEFAULT_PACE, letters(3))
        await eventually(lambda: server.received)
        closing = asyncio.create_task(at.outbox.close())
        asyncio.get_running_loop().call_later(0.5, server.hold.set)
        await closing
        assert at.states() == ["Sent", "Sending", "Sending"]
        assert len(server.received) == 1


def test_senders_limit_themselves_before_the_outbox_does() -> None:
    server = MailServer(host="mail", port=25, sender=SENDER)
    commands = 4 * server.timeout  # MAIL, RCPT, RSET, and one more
    assert DEFAULT_PACE.longest_send > server.patience + commands + 2 * server.verdict


def test_the_pod_is_given_the_time_that_an_orderly_end_takes() -> None:
    manifest = (ROOT / "docs" / "manifests" / "deployment.yaml").read_text()
    (deployment,) = [one for one in yaml.safe_load_all(manifest) if one["kind"] == "Deployment"]
    granted = deployment["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
    takes = DEFAULT_PACE.drain + Limits().drain + 1 + 2 * operator.CLOSING + operator.LAST_SECONDS
    assert takes < granted
