# SPDX-License-Identifier: Apache-2.0
"""Notices about access as letters: with the facts as they are now, in whatever attempt it is sent."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Final

from eservice_operator.api import names
from eservice_operator.api.base import LocalizedText
from eservice_operator.api.grant import ALL_VERSIONS, WebServiceGrantStatus
from eservice_operator.api.notices import Notice, NoticeKind
from eservice_operator.api.reasons import Reason
from eservice_operator.api.webservice_status import WebServiceStatus
from eservice_operator.core.access.standing import standings
from eservice_operator.core.access.terms import Standing, Times
from eservice_operator.core.access.web_service_tidings import about, waiting
from eservice_operator.core.access.worlds import GrantWorld, WebServiceWorld
from eservice_operator.core.actions import Ref
from eservice_operator.core.drafting import filled, letter_of, signed
from eservice_operator.core.ledger import to_send
from eservice_operator.core.letters import Letter
from eservice_operator.core.policy import Policy

_NO: Final = frozenset({NoticeKind.ACCESS_REFUSED, NoticeKind.ACCESS_ENDED})
MOST_NAMED: Final = 20
"""How many consumers a letter names; the rest it counts."""


def grant_letters(
    world: GrantWorld, status: WebServiceGrantStatus, now: datetime, policy: Policy
) -> tuple[Letter, ...]:
    """The letters to hand over now about a grant; ``status`` as it stands in the cluster."""
    sent = to_send(status.notices, now)
    if not sent:
        return ()
    judged = standings(world.case, Times(now, policy.zone, policy.clock_trusted))
    return tuple(_about_grant(world, status, notice, judged) for notice in sent)


def _about_grant(
    world: GrantWorld, status: WebServiceGrantStatus, notice: Notice, judged: Iterable[Standing]
) -> Letter:
    case, metadata = world.case, world.case.grant.metadata
    spec, consumer = case.grant.spec, world.case.consumer
    source = Ref(names.API_VERSION, "WebServiceGrant", metadata.namespace, metadata.name)
    number = None if consumer is None else consumer.service.status.identifier
    letter = letter_of(notice, source, metadata.uid)
    letter = signed(letter, None if consumer is None else consumer.registration, number)
    holder = None if case.offer is None else case.offer.web_service.spec.holder
    facts = {
        "webService": f"{metadata.namespace}/{spec.web_service}",
        "contractVersion": _version(notice),
        "consumer": f"{spec.consumer.namespace}/{spec.consumer.name}",
        "holder": "" if holder is None else holder.institution,
        "holderContact": "" if holder is None else holder.email,
        "agent": "" if case.assignment is None else case.assignment.spec.agent.name,
    }
    if notice.kind is NoticeKind.ACCESS_GRANTED:
        facts["until"] = _until(status, notice)
    if notice.kind in _NO:
        facts["ended"] = _why(notice, judged)
        facts["reason"] = "" if spec.refused is None else spec.refused.reason
    return replace(letter, facts=filled(facts))


def _version(notice: Notice) -> str:
    return "" if notice.about in (None, ALL_VERSIONS) else str(notice.about)


def _until(status: WebServiceGrantStatus, notice: Notice) -> str:
    days = [entry.ends_on for entry in status.contract_versions if entry.version == notice.about]
    return "".join(str(day) for day in days if day is not None)


def _why(notice: Notice, judged: Iterable[Standing]) -> str:
    """Why the consumer may not call, in one word; one that the grant names no longer was taken out of it."""
    if notice.kind is NoticeKind.ACCESS_REFUSED:
        return Reason.REFUSED.value
    found = next((one for one in judged if one.version == notice.about), None)
    if found is None:
        return Reason.VERSION_NOT_GRANTED.value
    return "" if found.allowed else found.reason.value


def web_service_letters(
    world: WebServiceWorld, status: WebServiceStatus, now: datetime
) -> tuple[Letter, ...]:
    """The letters to hand over now about a web service; ``status`` as it stands in the cluster."""
    return tuple(_about_web_service(world, status, notice) for notice in to_send(status.notices, now))


def _about_web_service(world: WebServiceWorld, status: WebServiceStatus, notice: Notice) -> Letter:
    web_service = world.offer.web_service
    metadata, spec = web_service.metadata, web_service.spec
    source = Ref(names.API_VERSION, "WebService", metadata.namespace, metadata.name)
    title = spec.title or LocalizedText()
    letter = replace(
        letter_of(notice, source, metadata.uid),
        institution=spec.holder.institution,
        contacts=(spec.holder.email,),
        title=title,
    )
    asks = notice.kind is NoticeKind.ACCESS_REQUESTED
    facts = _request(status, notice) if asks else _remaining(status, notice)
    return replace(letter, facts=filled({"webService": world.offer.place} | facts))


def _request(status: WebServiceStatus, notice: Notice) -> dict[str, str]:
    """Who asks for what; nothing once that was answered."""
    found = next((one for one in waiting(status) if about(one) == notice.about), None)
    if found is None:
        return {"consumer": str(notice.about or "")}
    return {
        "consumer": f"{found.namespace}/{found.e_service}",
        "asking": found.institution,
        "contractVersion": found.contract_version or "",
        "agent": found.agent or "",
        "count": str(status.waiting_count),
    }


def _remaining(status: WebServiceStatus, notice: Notice) -> dict[str, str]:
    """Who may still call the contract version that ends."""
    entry = next((one for one in status.contracts if one.version == notice.about), None)
    facts = {"contractVersion": notice.about or ""}
    if entry is None:
        return facts
    named = [f"{one.institution} ({one.namespace}/{one.e_service})" for one in entry.consumers[:MOST_NAMED]]
    count = entry.consumer_count + entry.customer_count
    return facts | {"count": str(count), "consumers": ", ".join(named)}
