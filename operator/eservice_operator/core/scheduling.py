# SPDX-License-Identifier: Apache-2.0
"""R8: when a decision to unpublish is made, and what it records."""

from __future__ import annotations

from datetime import datetime

from eservice_operator.api import names
from eservice_operator.api.base import TemplateRef
from eservice_operator.api.template import Enforcement, Lifecycle
from eservice_operator.core.actions import Manifest
from eservice_operator.core.dates import add_period, day_after_end, instant, parse_period, start_of_day
from eservice_operator.core.facts import Facts
from eservice_operator.core.lag import Lag
from eservice_operator.core.releases import same_template, short_hash
from eservice_operator.core.unpublication import governing_decision
from eservice_operator.core.versions import current as current_version

LONGEST_STEM = 244
"""Leaves room for the number in the name of an object, which has at most 253 characters."""


def new_decision(facts: Facts) -> Manifest | None:
    """The decision that has to be made now about the public release, if any.

    It is made as soon as a date is known, which can lie far ahead. One is open at a time for a template
    version; one that the Agency revoked is not made again for the same cause.
    """
    template, lag = facts.public_template, facts.public_lag
    if not facts.production or not facts.stands or template is None or lag is None:
        return None
    lifecycle = facts.lifecycle(template)
    if lifecycle is None or lifecycle.enforcement is not Enforcement.ENFORCE or lag.overdue_since is None:
        return None
    if governing_decision(facts) is not None or _forgiven(facts, template, lag):
        return None
    return _decision(facts, template, lag, lifecycle)


def _forgiven(facts: Facts, template: TemplateRef, lag: Lag) -> bool:
    """Whether the Agency has revoked a decision about this template version for the same cause."""
    caused_by = cause_of(facts, template, lag)
    return any(
        decision.spec.revoked is not None
        and same_template(decision.spec.release.template, template)
        and decision.spec.caused_by == caused_by
        for decision in facts.decisions
    )


def cause_of(facts: Facts, template: TemplateRef, lag: Lag) -> str | None:
    """The version that makes a release overdue; none when it is its own recall."""
    cause = lag.caused_by
    return None if cause is None or cause == facts.version(template) else cause.text


def _promise(facts: Facts, lag: Lag, lifecycle: Lifecycle) -> datetime:
    """When a decision made now takes effect: once overdue, enforced and announced for long enough."""
    zone = facts.policy.zone
    days = [day for day in (lag.overdue_since, lifecycle.enforce_from) if day is not None]
    instants = [facts.now, *(start_of_day(day, zone) for day in days)]
    notice = parse_period(lifecycle.notice_period)
    if notice.months or notice.days:
        instants.append(day_after_end(add_period(facts.today, notice), zone))
    return max(instants)


def decision_name(facts: Facts) -> str:
    """Name of the next decision of this registration and environment; the numbers go up, also over gaps."""
    stem = f"{facts.spec.registration}-{facts.spec.environment.value.lower()}-"
    taken = [decision.metadata.name.rpartition("-")[2] for decision in facts.world.decisions]
    number = 1 + max((int(text) for text in taken if text.isdecimal()), default=0)
    if len(stem) > LONGEST_STEM:
        digest = short_hash(stem)
        stem = f"{stem[: LONGEST_STEM - len(digest) - 2].rstrip('-.')}-{digest}-"
    return f"{stem}{number:03d}"


def _decision(facts: Facts, template: TemplateRef, lag: Lag, lifecycle: Lifecycle) -> Manifest:
    decided = _decided(facts, template, lag, lifecycle)
    labels = {
        names.MANAGED_BY_LABEL: names.MANAGER,
        names.REGISTRATION_LABEL: short_hash(facts.spec.registration),
    }
    dated = {
        "effectiveAt": instant(_promise(facts, lag, lifecycle)),
        "decidedAt": instant(facts.now),
        "inputsHash": short_hash(decided, 16),
    }
    return {
        "apiVersion": names.API_VERSION,
        "kind": "UnpublishDecision",
        "metadata": {"name": decision_name(facts), "labels": labels},
        "spec": decided | dated,
    }


def _decided(facts: Facts, template: TemplateRef, lag: Lag, lifecycle: Lifecycle) -> Manifest:
    """The facts that the decision is made on."""
    known = facts.world.templates.get(template.name)
    current = None if known is None else current_version(known.catalogue, facts.today)
    remembered = facts.world.service.status.release.public
    image = facts.public.image if facts.public is not None else remembered.image if remembered else "unknown"
    namespace, name = facts.place
    decided = {
        "eService": {"namespace": namespace, "name": name},
        "registration": facts.spec.registration,
        "environment": facts.spec.environment.value,
        "release": {"image": image, "template": {"name": template.name, "version": template.version}},
        "currentVersion": None if current is None else current.text,
        "causedBy": cause_of(facts, template, lag),
        "maximumLag": lifecycle.maximum_lag,
        "lagMeasure": lifecycle.lag_measure.value,
        "overdueSince": str(lag.overdue_since),
    }
    return {key: value for key, value in decided.items() if value is not None}
