# SPDX-License-Identifier: Apache-2.0
"""How the public release stands to its template (R7, R8), also where nothing is decided about it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from eservice_operator.api.decisions import UnpublishDecision
from eservice_operator.api.lifecycle import Enforcement
from eservice_operator.api.template import EServiceTemplate
from eservice_operator.cli.dated import Days, on_day
from eservice_operator.core.facts import Facts
from eservice_operator.core.known import KnownTemplate
from eservice_operator.core.lag import Lag
from eservice_operator.core.unpublication import governing_decision, is_open
from eservice_operator.core.versions import current


class Said(NamedTuple):
    """What a rule says of it."""

    rule: str
    text: str


@dataclass(frozen=True)
class Behind:
    """A public release, and what its lag comes to."""

    release: str
    """Template and version in public use."""
    current: str
    """The current version; empty where there is none."""
    lag: Lag
    policy: str
    """What the template's policy does about it, in one word."""
    says: tuple[Said, ...]
    """By the rules, in their order; empty where nothing is due and nothing is to come."""

    @property
    def to_do(self) -> str:
        """What ends it; empty where nothing is to be done, or nowhere is to go."""
        known = self.current and self.current != self.release.rpartition(" ")[2]
        return f"deliver a release on {self.current}, the current version" if self.says and known else ""

    def document(self) -> dict[str, Any]:
        """As JSON."""
        found = {
            "release": self.release,
            "currentVersion": self.current or None,
            "enforcement": self.policy,
            "migrateBy": self.lag.migrate_by,
            "overdueSince": self.lag.overdue_since,
            "says": [said._asdict() for said in self.says],
            "toDo": self.to_do or None,
        }
        return {
            field: str(value) if field in {"migrateBy", "overdueSince"} else value
            for field, value in found.items()
            if value is not None
        }


def behind_of(facts: Facts, days: Days) -> Behind | None:
    """How the public release stands; None where nothing is public, or its template is not known."""
    template, lag = facts.public_template, facts.public_lag
    known = None if template is None else facts.world.templates.get(template.name)
    if template is None or lag is None or known is None:
        return None
    newest = current(known.catalogue, facts.today)
    return Behind(
        release=f"{template.name} {template.version}",
        current="" if newest is None else newest.text,
        lag=lag,
        policy=known.template.spec.lifecycle.enforcement.value,
        says=(*_migration(facts, lag, days), *_overdue(facts, known, lag, days)),
    )


def _migration(facts: Facts, lag: Lag, days: Days) -> Iterator[Said]:
    """R7: the year for migrating."""
    if lag.migrate_by is None:
        return
    verb = "should have been migrated by" if lag.migration_due(facts.today) else "is to be migrated by"
    yield Said("R7", f"{verb} {on_day(lag.migrate_by, days)}{_elsewhere(facts)}")


def _overdue(facts: Facts, known: KnownTemplate, lag: Lag, days: Days) -> Iterator[Said]:
    """R8: too far behind, now or from a day to come, and what follows from it."""
    if lag.overdue_since is None:
        if lag.at_risk is not None:
            yield Said("R8", f"becomes overdue once {lag.at_risk.text} gets its migration instruction")
        return
    version = facts.public_template.version if facts.public_template is not None else ""
    cause = known.cause_of(version, lag)
    most = known.template.spec.lifecycle.maximum_lag
    why = "it was withdrawn" if cause is None else f"it lags behind {cause} by more than {most}"
    now = lag.overdue(facts.today)
    since = f"overdue {'since' if now else 'from'} {on_day(lag.overdue_since, days)}: {why}"
    yield Said("R8", f"{since}{_elsewhere(facts) or _follows(facts, known.template, now=now)}")


def _elsewhere(facts: Facts) -> str:
    """Test and Acceptance have no such duty."""
    return "" if facts.production else f" (shown in {facts.spec.environment.value}, never enforced there)"


def _follows(facts: Facts, template: EServiceTemplate, *, now: bool) -> str:
    """What comes of being overdue, where no open decision says so."""
    if governing_decision(facts) is not None:
        return ""
    if (gone := revoked_decision(facts)) is not None:
        return f"; the Agency took its decision {gone.metadata.name} back"
    match template.spec.lifecycle.enforcement:
        case Enforcement.ENFORCE:
            return "; a decision to unpublish it is about to be made"
        case Enforcement.WARN:
            told = "the institution is told" if now else "the institution is warned"
            return f"; {told}, and nothing is unpublished: the template's policy is Warn"
        case Enforcement.OBSERVE:
            return "; nobody is told, and nothing is unpublished: the template's policy is Observe"


def revoked_decision(facts: Facts) -> UnpublishDecision | None:
    """The last decision about the public release that the Agency took back; None while another is open."""
    template = facts.public_template
    if template is None or governing_decision(facts) is not None:
        return None
    found = (
        decision
        for decision in reversed(facts.decisions)
        if decision.spec.revoked is not None
        and not is_open(decision)
        and decision.spec.release.template == template
    )
    return next(found, None)
