# SPDX-License-Identifier: Apache-2.0
"""The status of an EService: from what was observed plus the outcome of the writes.

``Ready=True`` means that the operator has carried out all that the rules allow for this spec. Waiting
for a person is Ready, with the reason of what is awaited and the domain condition False.
"""

from __future__ import annotations

from datetime import datetime

from eservice_operator.api.base import ConditionStatus
from eservice_operator.api.eservice import (
    EServiceStatus,
    Installation,
    Releases,
    ReleaseStatus,
    TemplateLag,
)
from eservice_operator.api.gates import UnmetGate
from eservice_operator.api.reasons import ConditionType, Phase, Reason
from eservice_operator.core import conditions as c
from eservice_operator.core.abandoned import addressed, in_reach
from eservice_operator.core.actions import Outcome
from eservice_operator.core.addressees import told_of
from eservice_operator.core.availability import available, condition_of
from eservice_operator.core.conditions import Verdict
from eservice_operator.core.contests import contenders
from eservice_operator.core.dates import following_day, local_day, parse_instant
from eservice_operator.core.deadlines import installation_due
from eservice_operator.core.decide import Decision
from eservice_operator.core.domain import domain_conditions, template_current
from eservice_operator.core.driver import url_of
from eservice_operator.core.facts import Facts
from eservice_operator.core.history import history
from eservice_operator.core.limits import limits, not_in_place, removed_annotations
from eservice_operator.core.outlook import outlook
from eservice_operator.core.outside_in import publication_of, seen_from_outside
from eservice_operator.core.phases import phase_of
from eservice_operator.core.posting import warned_at, with_notices
from eservice_operator.core.preview import preview_url, preview_verdict
from eservice_operator.core.progress import held_by, progress, why_not
from eservice_operator.core.published import published_verdict
from eservice_operator.core.releases import Snapshot
from eservice_operator.core.remembered import last_decision
from eservice_operator.core.squatters import not_final
from eservice_operator.core.unmet import Unmet
from eservice_operator.core.unpublication import governing_decision, judge
from eservice_operator.core.used import used


def report(decision: Decision, outcome: Outcome) -> EServiceStatus:
    """The whole new status of an EService; the instant is that of the decision."""
    facts = decision.facts
    service, now = facts.world.service, facts.now
    old = service.status
    if facts.world.errors and service.metadata.deletion_timestamp is None:
        return _told(facts, _report_unread(decision))
    said = published_verdict(decision)
    published = seen_from_outside(decision, said)
    summary = progress(decision, outcome, published)
    phase = phase_of(decision, said)
    published = not_final(decision, why_not(published, summary))
    previewed, unknown = preview_verdict(facts), published.status is ConditionStatus.UNKNOWN
    stays = not_in_place(decision.rollout.shown)
    about_routes = (*limits(facts), *stays, *([previewed] if previewed else []))
    verdicts = (*summary, *domain_conditions(decision), published, *about_routes)
    status = EServiceStatus(
        observed_generation=service.metadata.generation,
        conditions=c.merge(old.conditions, verdicts, service.metadata.generation, now),
        phase=phase,
        identifier=_identifier(facts),
        public_url=_url(facts, published),
        preview_url=preview_url(facts),
        publication=publication_of(decision),
        release=_releases(decision),
        template=_template(facts),
        last_decision=last_decision(facts),
        installation=_installation(facts),
        gates=_gates(decision.rollout.gates, old, now),
        contested=contenders(facts),
        removed_annotations=removed_annotations(facts, outcome),
        uses=used(facts),
        next=outlook(decision),
        history=history(old, now, phase, (said if unknown else published).reason, facts),
    )
    return _told(facts, status)


def _told(facts: Facts, status: EServiceStatus) -> EServiceStatus:
    """The status with its ledger."""
    told = with_notices(facts, status)
    reached = in_reach(told.notices, facts.policy)
    if facts.world.registration is not None:  # where it is away, nobody knows who is told: it waits
        reached = addressed(reached, told_of(facts), under_way=facts.world.under_way)
    return told if reached is told.notices else told.model_copy(update={"notices": reached})


def report_invalid(
    old: EServiceStatus, generation: int, errors: tuple[str, ...], now: datetime
) -> EServiceStatus:
    """The status of an EService whose spec cannot be read: the last good children and facts stay."""
    return old.model_copy(
        update={
            "observed_generation": generation,
            "conditions": c.stalled(old.conditions, Reason.INVALID_SPEC, "; ".join(errors), generation, now),
            "phase": Phase.INVALID,
            "history": history(old, now, Phase.INVALID, Reason.INVALID_SPEC),
        }
    )


def _report_unread(decision: Decision) -> EServiceStatus:
    """The status of an EService whose spec cannot be read, with what is judged of it all the same."""
    facts = decision.facts
    service, now = facts.world.service, facts.now
    published = not_final(decision, seen_from_outside(decision, published_verdict(decision)))
    generation = service.metadata.generation
    status = report_invalid(service.status, generation, facts.world.errors, now)
    stays = tuple(not_in_place(decision.rollout.shown))
    judged = c.merge(status.conditions, (template_current(facts), published, *stays), generation, now)
    kept = (one for one in status.conditions if one.type != ConditionType.ROUTE_IN_PLACE)
    return status.model_copy(
        update={
            "conditions": c.replaced(kept, judged),
            "public_url": _url(facts, published),
            "preview_url": preview_url(facts),
            "publication": publication_of(decision),
            "template": _template(facts),
            "last_decision": last_decision(facts),
            "contested": contenders(facts),
            "next": outlook(decision),
        }
    )


def _identifier(facts: Facts) -> str | None:
    registration = facts.world.registration
    return facts.world.service.status.identifier if registration is None else registration.status.identifier


def _url(facts: Facts, published: Verdict) -> str | None:
    driver, route = facts.served_by or (facts.driver, facts.route)
    if published.status is not ConditionStatus.TRUE or route is None:
        return None
    return url_of(driver, route)


def _release_status(release: Snapshot | None) -> ReleaseStatus | None:
    if release is None:
        return None
    return ReleaseStatus(name=release.name, image=release.image, template=release.template)


def _releases(decision: Decision) -> Releases:
    """The releases as observed: a switch counts once the Service was seen with it."""
    facts, old = decision.facts, decision.facts.world.service.status.release
    public = _release_status(facts.public)
    said = old.public
    if public is None and said is not None and said.name == facts.public_name:
        public = said if facts.attested(said.template, said.image) else None
    candidate = decision.rollout.candidate
    if candidate is not None and facts.deployment(candidate.name) is None:
        candidate = None
    return Releases(public=public, candidate=_release_status(candidate))


def _template(facts: Facts) -> TemplateLag:
    template, governing = facts.told_template, governing_decision(facts)
    lag, held = facts.lag(template), held_by(facts)
    at = None if governing is None else judge(facts, governing).effective_at
    used = facts.version(template)
    migrate_by = None if lag is None else lag.migrate_by
    if migrate_by is not None and not facts.policy.clock_trusted:  # told by the first clock that is trusted
        old = facts.world.service.status.template
        same = (old.name, old.version) == (template.name, template.version)
        migrate_by = old.migrate_by if same else None
    return TemplateLag(
        name=template.name,
        version=template.version,
        migrate_by=migrate_by,
        withdrawn_at=None if used is None else used.withdrawn_at,
        overdue_since=None if lag is None else lag.overdue_since,
        unpublish_at=None if at is None else local_day(at, facts.policy.zone),
        decision=None if governing is None else governing.metadata.name,
        held_by=None if held is None else held[1].reason,
        warned_at=warned_at(facts),
    )


def _installation(facts: Facts) -> Installation:
    """R5: when the release that the spec names is due, and when it was first available."""
    old = facts.world.service.status
    spoken_of = old.release.candidate or old.release.public
    same = spoken_of is not None and spoken_of.name == facts.wanted.name
    at = old.installation.installed_at if same else None
    deployment = facts.deployment(facts.wanted.name)
    if at is None and deployment is not None and available(deployment):
        condition = condition_of(deployment, "Available")
        at = None if condition is None else parse_instant(str(condition.get("lastTransitionTime", "")))
    due = installation_due(facts)
    believed = facts.policy.clock_trusted or old.installation.overdue_since is not None
    late = due is not None and due < facts.today and at is None and believed
    return Installation(
        due_by=due,
        installed_at=at,
        overdue_since=following_day(due) if late and due is not None else None,
    )


def _gates(unmet: tuple[Unmet, ...], old: EServiceStatus, now: datetime) -> tuple[UnmetGate, ...]:
    since = {entry.gate: entry.since for entry in old.gates}
    return tuple(
        UnmetGate(
            gate=entry.gate,
            blocks=entry.blocks.value,
            reason=entry.reason.value,
            message=c.told(entry.message),
            owner=entry.owner,
            rule=entry.rule,
            since=since.get(entry.gate, now),
        )
        for entry in unmet
    )
