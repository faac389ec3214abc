# SPDX-License-Identifier: Apache-2.0
"""Entries of a ledger as letters: with the facts as they are now, in whatever attempt it is sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from eservice_operator.api import names
from eservice_operator.api.base import TemplateRef
from eservice_operator.api.decisions import UnpublishDecision
from eservice_operator.api.eservice import EServiceStatus
from eservice_operator.api.notices import Notice, NoticeKind
from eservice_operator.api.reasons import Reason
from eservice_operator.api.registration import EServiceRegistration, EServiceRegistrationStatus
from eservice_operator.api.template import EServiceTemplate, EServiceTemplateStatus, HeldSet
from eservice_operator.core.actions import Ref
from eservice_operator.core.addressees import is_among, told_of
from eservice_operator.core.dates import local_day
from eservice_operator.core.facts import Facts
from eservice_operator.core.grounds import grounds_of_decision, grounds_of_lag, recalled
from eservice_operator.core.held_tidings import announced_as_held, tells_of_hold
from eservice_operator.core.ledger import ANNOUNCING, notice_id, to_send
from eservice_operator.core.letters import Letter
from eservice_operator.core.recorded import recorded_ground
from eservice_operator.core.use_tidings import OF_USES, facts_of_use
from eservice_operator.core.versions import current

OF_THE_WANTED = frozenset(
    {NoticeKind.INSTALLATION_DUE, NoticeKind.INSTALLATION_OVERDUE, NoticeKind.VERIFICATION_WANTED}
)
"""What speaks of the release that the spec names, not of the public one."""


def service_letters(facts: Facts, status: EServiceStatus) -> tuple[Letter, ...]:
    """The letters to hand over now about an e-service.

    ``status`` is its own as it stands in the cluster; the ledgers of its decisions are taken as observed. A
    status lies in the institution's namespace: its word alone is sent to nobody.
    """
    due = to_send(status.notices, facts.now)
    everybody = told_of(facts) if due else ()
    return (
        *(_about_service(facts, status, notice) for notice in due if is_among(notice, everybody)),
        *(
            _about_decision(facts, status, decision, notice)
            for decision in facts.decisions
            for notice in to_send(decision.status.notices, facts.now)
        ),
    )


def registration_letters(
    registration: EServiceRegistration, status: EServiceRegistrationStatus, now: datetime
) -> tuple[Letter, ...]:
    """The letters to hand over now about a registration with its number; ``status`` as it was written."""
    metadata = registration.metadata
    source = Ref(names.API_VERSION, "EServiceRegistration", "", metadata.name)
    return tuple(
        signed(letter_of(notice, source, metadata.uid), registration, status.identifier)
        for notice in to_send(status.notices, now)
    )


def template_letters(
    template: EServiceTemplate, status: EServiceTemplateStatus, now: datetime
) -> tuple[Letter, ...]:
    """The letters to hand over now about a template whose brake engaged; ``status`` as it was written."""
    metadata = template.metadata
    source = Ref(names.API_VERSION, "EServiceTemplate", "", metadata.name)
    return tuple(
        replace(
            letter_of(notice, source, metadata.uid),
            agency_contact=template.spec.owner.email,
            facts=filled({"template": metadata.name} | _held(metadata.uid, status.held, notice)),
        )
        for notice in to_send(status.notices, now)
    )


def _held(uid: str, held: tuple[HeldSet, ...], notice: Notice) -> dict[str, str]:
    """The set that a notice is about: token, size, members, and why; nothing once that is released."""
    for one in held:
        if notice_id(uid, notice.kind, one.token, notice.channel, notice.recipient) == notice.id:
            return {
                "token": one.token,
                "count": str(one.count),
                "cause": ", ".join(one.caused_by),
                "decisions": ", ".join(one.decisions),
            }
    return {}


def letter_of(notice: Notice, source: Ref, uid: str) -> Letter:
    """An entry as a letter about an object, without any facts."""
    return Letter(
        id=notice.id,
        kind=notice.kind,
        channel=notice.channel,
        recipient=notice.recipient,
        audience=notice.audience,
        at=notice.entered,
        source=str(source),
        uid=uid,
        due=notice.due,
    )


def signed(letter: Letter, registration: EServiceRegistration | None, number: str | None) -> Letter:
    """The letter with whose e-service it is, and whom to ask."""
    if registration is None:
        return replace(letter, identifier=number or "")
    spec = registration.spec
    return replace(
        letter,
        institution=spec.institution.name,
        contacts=tuple(contact.email for contact in spec.institution.contacts),
        agency_contact=spec.agency_contact.email,
        title=spec.title,
        identifier=number or registration.status.identifier or "",
    )


def _about_service(facts: Facts, status: EServiceStatus, notice: Notice) -> Letter:
    if notice.kind in OF_USES:
        return _from(facts, status, notice, facts_of_use(facts, status, notice))
    template = facts.wanted.template
    if notice.kind not in OF_THE_WANTED:
        template = facts.public_template or template
    grounds = grounds_of_lag(facts, template)
    if notice.kind is NoticeKind.UNPUBLISHED:
        decided = (one for one in facts.decisions if one.metadata.name == status.template.decision)
        grounds = next((grounds_of_decision(facts, one) for one in decided), grounds)
    if notice.kind is NoticeKind.VERSION_WITHDRAWN:
        grounds = recalled(facts, template)
    late = {"late": "yes"} if _is_over(facts, notice) else {}
    return _placed(facts, status, notice, _template_facts(facts, template) | grounds | late)


def _about_decision(
    facts: Facts, status: EServiceStatus, decision: UnpublishDecision, notice: Notice
) -> Letter:
    return _placed(
        facts,
        status,
        notice,
        _template_facts(facts, decision.spec.release.template)
        | grounds_of_decision(facts, decision)
        | {
            "decision": decision.metadata.name,
            "overdueSince": str(recorded_ground(decision).overdue_since),
            "reason": decision.status.message if _explains(decision, notice) else "",
            "late": "yes" if _has_come(facts, notice) else "",
            "held": _held_by(facts, decision, notice),
        },
    )


def _explains(decision: UnpublishDecision, notice: Notice) -> bool:
    """Whether the decision's own words are the reason: a deferral of a move; a renewal, a revocation."""
    if notice.kind is NoticeKind.UNPUBLISH_MOVED:
        return decision.status.reason == Reason.DEFERRED
    return notice.kind is NoticeKind.UNPUBLISH_CANCELLED


def _held_by(facts: Facts, decision: UnpublishDecision, notice: Notice) -> str:
    """What holds the decision, in one word, where that changes what the notice has to say."""
    status = decision.status
    if notice.kind is NoticeKind.UNPUBLISH_HELD:
        return str(status.reason) if tells_of_hold(status) else ""
    announced = notice.kind in ANNOUNCING and announced_as_held(facts, decision, status)
    return Reason.BRAKE.value if announced else ""


def _has_come(facts: Facts, notice: Notice) -> bool:
    """Whether the day that a notice is about had come when it was entered: too late to act before it."""
    return notice.due is not None and notice.due <= local_day(notice.entered, facts.policy.zone)


def _is_over(facts: Facts, notice: Notice) -> bool:
    """Whether the last day for doing something was over when that was entered."""
    return notice.due is not None and notice.due < local_day(notice.entered, facts.policy.zone)


def _placed(facts: Facts, status: EServiceStatus, notice: Notice, about: Mapping[str, str]) -> Letter:
    service = {
        "catalogue": facts.spec.publication.catalogue.url or "",
        "publicURL": status.public_url or "",
        "previewURL": status.preview_url or "" if notice.kind is NoticeKind.VERIFICATION_WANTED else "",
        "dueBy": "" if status.installation.due_by is None else str(status.installation.due_by),
        "decision": status.template.decision or "",
    }
    return _from(facts, status, notice, service | dict(about))


def _from(facts: Facts, status: EServiceStatus, notice: Notice, about: Mapping[str, str]) -> Letter:
    metadata = facts.world.service.metadata
    source = Ref(names.API_VERSION, "EService", metadata.namespace, metadata.name)
    letter = signed(letter_of(notice, source, metadata.uid), facts.world.registration, status.identifier)
    return replace(letter, facts=filled(about))


def _template_facts(facts: Facts, template: TemplateRef) -> dict[str, str]:
    """The version in question, the current one and how to move there, and the days that follow (R7, R8)."""
    known, lag = facts.world.templates.get(template.name), facts.lag(template)
    newest = None if known is None else current(known.catalogue, facts.today)
    given = {"template": template.name, "version": template.version}
    if lag is not None:
        given["overdueSince"] = "" if lag.overdue_since is None else str(lag.overdue_since)
        given["migrateBy"] = "" if lag.migrate_by is None else str(lag.migrate_by)
    if known is None or newest is None:
        return given
    return given | {
        "current": newest.text,
        "instruction": next(_instructions(known.template, newest.text), ""),
    }


def _instructions(template: EServiceTemplate, version: str) -> Iterator[str]:
    for one in template.spec.versions:
        if one.version == version and one.migration_instruction is not None:
            yield one.migration_instruction.url


def filled(facts: Mapping[str, str]) -> dict[str, str]:
    """The facts that are known."""
    return {name: value for name, value in facts.items() if value}
