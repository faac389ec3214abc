# SPDX-License-Identifier: Apache-2.0
"""Who is told about an e-service, and the entries of a ledger that telling them takes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from eservice_operator.api.notices import Audience, Channel, Notice, NoticeState
from eservice_operator.api.people import mail_domain
from eservice_operator.api.registration import EServiceRegistration
from eservice_operator.core.facts import Facts
from eservice_operator.core.ledger import Notices, notice_id
from eservice_operator.core.policy import Policy
from eservice_operator.core.tidings import Tiding


@dataclass(frozen=True, slots=True)
class Recipient:
    """Somebody, or a sink, that is told by one channel."""

    channel: Channel
    address: str
    audience: Audience


def recipients(policy: Policy, registration: EServiceRegistration | None) -> tuple[Recipient, ...]:
    """Everybody who is told about an e-service: its institution's contacts first, then the Agency's.

    A sink is told once, and it is the Agency's. It stands for the institution only where it is the only
    channel and the registration names whom to tell there: then it is the way to them.
    """
    found: dict[tuple[Channel, str], Recipient] = {}
    relayed = all(channel is Channel.CLOUD_EVENTS for channel, _ in policy.channels)
    for channel, sink in policy.channels:
        if channel is Channel.CLOUD_EVENTS:
            reached = [(sink, _behind_the_sink(registration) if relayed else Audience.AGENCY)]
        else:
            reached = [] if registration is None else _by_mail(registration)
        for address, audience in reached:
            key = _mailbox(address) if channel is Channel.EMAIL else address
            found.setdefault((channel, key), Recipient(channel, address, audience))
    return tuple(found.values())


def _mailbox(address: str) -> str:
    """The same for addresses of one mailbox: a domain has no case, what is before it may have."""
    local, at, _ = address.rpartition("@")
    return f"{local}{at}{mail_domain(address)}"


def _behind_the_sink(registration: EServiceRegistration | None) -> Audience:
    named = registration is not None and bool(registration.spec.institution.contacts)
    return Audience.INSTITUTION if named else Audience.AGENCY


def _by_mail(registration: EServiceRegistration) -> list[tuple[str, Audience]]:
    contacts = [(contact.email, Audience.INSTITUTION) for contact in registration.spec.institution.contacts]
    return [*contacts, (registration.spec.agency_contact.email, Audience.AGENCY)]


def told_of(facts: Facts) -> tuple[Recipient, ...]:
    """Everybody who is told about an EService: nobody where another one stands for its registration.

    Anybody can name any registration in a namespace of their own.
    """
    return recipients(facts.policy, facts.world.registration) if facts.stands else ()


def owner_and_sinks(policy: Policy, email: str) -> tuple[Recipient, ...]:
    """Everybody who is told about a template: its owner at the Agency, and the sinks."""
    return tuple(Recipient(channel, sink or email, Audience.AGENCY) for channel, sink in policy.channels)


def holder_and_sinks(policy: Policy, email: str | None) -> tuple[Recipient, ...]:
    """Everybody who is told about a web service: its holder, where it can be reached, and the sinks."""
    return tuple(
        Recipient(channel, address, Audience.AGENCY if sink else Audience.HOLDER)
        for channel, sink in policy.channels
        if (address := sink or email) is not None
    )


def entries(tiding: Tiding, uid: str, now: datetime, everybody: Iterable[Recipient]) -> Iterator[Notice]:
    """The entries that telling them takes, in the ledger of the object with that UID."""
    for one in everybody:
        yield Notice(
            id=notice_id(uid, tiding.kind, tiding.change, one.channel, one.address),
            kind=tiding.kind,
            channel=one.channel,
            audience=one.audience,
            recipient=one.address,
            state=NoticeState.SENDING,
            entered=now,
            at=now,
            due=tiding.due,
            about=tiding.about or None,
            held=tiding.held or None,
        )


def is_among(notice: Notice, everybody: Iterable[Recipient]) -> bool:
    """Whether the recipient of an entry is one of those that are told: a ledger's word alone is none."""
    return any((one.channel, one.address) == (notice.channel, notice.recipient) for one in everybody)


def told_before(notices: Notices, tiding: Tiding, uid: str) -> bool:
    """Whether anybody was told this very thing, or will be: what flaps is told once."""
    return any(
        notice.kind is tiding.kind
        and notice.state is not NoticeState.SUPERSEDED
        and notice.id == notice_id(uid, tiding.kind, tiding.change, notice.channel, notice.recipient)
        for notice in notices
    )
