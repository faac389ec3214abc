# SPDX-License-Identifier: Apache-2.0
"""R8: when a decision to unpublish is made, and what it records."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime

from eservice_operator.api import names
from eservice_operator.api.base import TemplateRef
from eservice_operator.api.lifecycle import Enforcement
from eservice_operator.api.reasons import Reason
from eservice_operator.api.remembered import RememberedDecision
from eservice_operator.core.actions import Manifest
from eservice_operator.core.dates import instant, parse_period
from eservice_operator.core.facts import Facts
from eservice_operator.core.forgiveness import cause_of, forgiving
from eservice_operator.core.inputs import hash_of, last_warning, time_for_warning
from eservice_operator.core.known import KnownTemplate
from eservice_operator.core.lag import Lag
from eservice_operator.core.promise import promise
from eservice_operator.core.recorded import ground_of
from eservice_operator.core.releases import same_template, short_hash
from eservice_operator.core.remembered import missing_decision
from eservice_operator.core.replaced import ground_in_place, promised_in_place
from eservice_operator.core.unjudged import number_of
from eservice_operator.core.unpublication import governing_decision

LAST_NUMBER = 999_999
"""Of the decisions of one registration and environment."""
LONGEST_STEM = 244
"""Leaves room for the number in the name of an object, which has at most 253 characters."""


@dataclass(frozen=True, slots=True)
class _Terms:
    """Why a decision is made, and in the place of which other."""

    overdue_since: date
    caused_by: str | None
    replaced: RememberedDecision | None


def new_decision(facts: Facts) -> Manifest | None:
    """The decision that has to be made now about the public release, if any.

    It is made as soon as a date is known, which can lie far ahead. One is open at a time for a template
    version; one that the Agency revoked is not made again for the same cause. None is made by a clock that
    is not trusted: its dates are a promise, and stand whatever the clock says later. What was in effect and
    was deleted goes on by another whatever the policy and the dates say by now: they would bring nobody back.
    About a template version that is public by the institution's word alone there is none: it would count for
    everybody's brake.
    """
    template = facts.public_template
    if not facts.production or not facts.stands or template is None:
        return None
    if not facts.policy.clock_trusted or governing_decision(facts) is not None:
        return None
    gone = missing_decision(facts)
    template = template if gone is None else gone.template
    known, lag = facts.world.templates.get(template.name), facts.lag(template)
    if known is None or lag is None or not facts.attested(template):
        return None
    ground = ground_in_place(gone, lag.overdue_since, cause_of(facts, template, lag))
    goes_on = gone is not None and gone.effective_since is not None
    if ground[0] is None or not (goes_on or _founded(facts, template, known, lag)):
        return None
    return _decision(facts, template, known, _Terms(ground[0], ground[1], gone))


def _founded(facts: Facts, template: TemplateRef, known: KnownTemplate, lag: Lag) -> bool:
    """Whether there is a ground for another decision: a policy that enforces, and no forgiveness."""
    enforced = known.template.spec.lifecycle.enforcement is Enforcement.ENFORCE
    return enforced and not any(forgiving(facts, template, lag))


def decision_name(facts: Facts) -> str:
    """Name of the next decision of this registration and environment.

    The numbers go up, also over gaps, and past the last one that is remembered; after the last number there
    is the first gap is taken.
    """
    stem = f"{facts.spec.registration}-{facts.spec.environment.value.lower()}-"
    remembered = facts.world.service.status.last_decision, facts.recorded_decision
    taken = [decision.metadata.name for decision in facts.world.decisions]
    known = (*taken, *(old.name for old in remembered if old is not None))
    number = 1 + max(map(number_of, known), default=0)
    if number > LAST_NUMBER:
        given = set(map(number_of, known))
        number = next(free for free in range(1, LAST_NUMBER) if free not in given)
    if len(stem) > LONGEST_STEM:
        digest = short_hash(stem)
        stem = f"{stem[: LONGEST_STEM - len(digest) - 2].rstrip('-.')}-{digest}-"
    return f"{stem}{number:03d}"


def _decision(facts: Facts, template: TemplateRef, known: KnownTemplate, terms: _Terms) -> Manifest:
    lifecycle, zone = known.template.spec.lifecycle, facts.policy.zone
    notice = parse_period(lifecycle.notice_period)
    at = promise(terms.overdue_since, lifecycle.enforce_from, notice, facts.now, zone)
    if terms.replaced is None:
        terms = replace(terms, replaced=_announced_later(facts, template, at))
    decided = _decided(facts, template, known, terms)
    warned = time_for_warning(decided["inputs"].get("lastWarning"), facts.now, zone)
    labels = {
        names.MANAGED_BY_LABEL: names.MANAGER,
        names.REGISTRATION_LABEL: short_hash(facts.spec.registration),
    }
    dated = {
        "effectiveAt": instant(promised_in_place(terms.replaced, at, warned)),
        "decidedAt": instant(facts.now),
        "inputsHash": hash_of(decided),
    }
    return {
        "apiVersion": names.API_VERSION,
        "kind": "UnpublishDecision",
        "metadata": {"name": decision_name(facts), "labels": labels},
        "spec": decided | dated,
    }


def _announced_later(facts: Facts, template: TemplateRef, at: datetime) -> RememberedDecision | None:
    """The decision that had announced an instant later than ``at``, before a renewal that was taken back.

    Who migrates and goes back may have heard of that instant only. One that took effect announces nothing.
    """
    renewed = (
        decision
        for decision in facts.decisions
        if decision.status.reason == Reason.RENEWED
        and decision.status.effective_since is None
        and same_template(decision.spec.release.template, template)
    )
    told = [(one.status.undeferred_at or one.spec.effective_at, one.metadata.name) for one in renewed]
    last, name = max(told, default=(at, ""))
    return RememberedDecision(name=name, template=template, effective_at=last) if last > at else None


def _decided(facts: Facts, template: TemplateRef, known: KnownTemplate, terms: _Terms) -> Manifest:
    """The facts that the decision is made on."""
    replaced = terms.replaced
    remembered = facts.world.service.status.release.public
    image = facts.public.image if facts.public is not None else remembered.image if remembered else "unknown"
    namespace, name = facts.place
    decided = {
        "eService": {"namespace": namespace, "name": name},
        "registration": facts.spec.registration,
        "environment": facts.spec.environment.value,
        "release": {"image": image, "template": {"name": template.name, "version": template.version}},
        **ground_of(known, facts.today, facts.policy.zone, terms.overdue_since, terms.caused_by),
    }
    if replaced is not None:
        step = last_warning(known.template.spec.lifecycle, facts.today)
        if replaced.lapsed is not None and step is not None:
            decided["inputs"] = {**decided["inputs"], "lastWarning": step}
        decided["replaces"] = replaced.model_dump(mode="json", by_alias=True, exclude_none=True)
    return decided
