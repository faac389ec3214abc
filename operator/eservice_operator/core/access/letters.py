# SPDX-License-Identifier: Apache-2.0
"""Notices about a web service as letters: with the facts as they are now, in whatever attempt it is sent."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Final

from eservice_operator.api import names
from eservice_operator.api.base import LocalizedText
from eservice_operator.api.notices import Notice, NoticeKind
from eservice_operator.api.people import mail_domain
from eservice_operator.api.webservice_status import WebServiceStatus
from eservice_operator.core.access.web_service_tidings import about, waiting
from eservice_operator.core.access.worlds import WebServiceWorld
from eservice_operator.core.actions import Ref
from eservice_operator.core.drafting import filled, letter_of
from eservice_operator.core.ledger import to_send
from eservice_operator.core.letters import Letter

MOST_NAMED: Final = 20
"""How many consumers a letter names; the rest it counts."""


def web_service_letters(
    world: WebServiceWorld, status: WebServiceStatus, now: datetime
) -> tuple[Letter, ...]:
    """The letters to hand over now about a web service; ``status`` as it stands in the cluster.

    None of a holder that its namespace does not confirm: it may have named anybody.
    """
    if not world.offer.confirmed:
        return ()
    return tuple(_about_web_service(world, status, notice) for notice in to_send(status.notices, now))


def _about_web_service(world: WebServiceWorld, status: WebServiceStatus, notice: Notice) -> Letter:
    web_service = world.offer.web_service
    metadata, spec = web_service.metadata, web_service.spec
    source = Ref(names.API_VERSION, "WebService", metadata.namespace, metadata.name)
    title = spec.title or LocalizedText()
    letter = replace(
        letter_of(notice, source, metadata.uid),
        institution=spec.holder.institution,
        contacts=() if world.contact is None else (world.contact,),
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


def unreachable(world: WebServiceWorld) -> str:
    """Why its holder gets no letter: a WebService could name anybody."""
    holder = world.offer.web_service.spec.holder
    return (
        f"no letter goes to {holder.email}: no contact that the Agency registered for institution"
        f" {holder.code} is at {mail_domain(holder.email)}; name an address at a domain of theirs, or have"
        " the Agency enter such a contact in an EServiceRegistration of the institution"
    )
