# SPDX-License-Identifier: Apache-2.0
"""The domain conditions of an EService: one for each question that people and machines ask."""

from __future__ import annotations

from collections.abc import Iterator

from eservice_operator.api.reasons import ConditionType, Gate, Reason
from eservice_operator.core import conditions as c
from eservice_operator.core.access.lacking import doing_without
from eservice_operator.core.access_gate import lost_access, told_of
from eservice_operator.core.conditions import Verdict, find
from eservice_operator.core.dates import parse_instant
from eservice_operator.core.decide import Decision
from eservice_operator.core.facts import Facts
from eservice_operator.core.forgiveness import cause_of
from eservice_operator.core.gates import blocks_install
from eservice_operator.core.releases import newest
from eservice_operator.core.signed import Subject
from eservice_operator.core.unmet import Blocks, Unmet

# condition, the gates behind it, and the reason when all of them are passed
GATED: tuple[tuple[ConditionType, tuple[Gate, ...], Reason], ...] = (
    (ConditionType.REGISTERED, (Gate.REGISTERED,), Reason.REGISTERED),
    (ConditionType.ACCESS_GRANTED, (Gate.ACCESS_GRANTED,), Reason.ACCESS_GRANTED),
    (ConditionType.INSTALLED, (Gate.INSTALLED,), Reason.INSTALLED),
)
GATED_IN_PRODUCTION: tuple[tuple[ConditionType, tuple[Gate, ...], Reason], ...] = (
    (ConditionType.DELIVERY_COMPLETE, (Gate.DELIVERY_COMPLETE,), Reason.DELIVERED),
    (ConditionType.ACCEPTED, (Gate.ACCEPTED, Gate.REQUESTED), Reason.ACCEPTED),
    (ConditionType.VERIFIED, (Gate.VERIFIED,), Reason.VERIFIED),
)

LATENESS = {
    Reason.TEMPLATE_CURRENT: 0,
    Reason.TEMPLATE_AT_RISK: 0,
    Reason.MIGRATION_DUE: 1,
    Reason.TEMPLATE_OVERDUE: 2,
}
"""What TemplateCurrent says of a known version, and how late that is."""


def domain_conditions(decision: Decision) -> Iterator[Verdict]:
    """Every domain condition but Published (see `published`), for the release that the spec names."""
    facts, gates = decision.facts, decision.rollout.gates
    unmet = {entry.gate: entry for entry in gates}
    rows = GATED + (GATED_IN_PRODUCTION if facts.production else ())
    lost = lost_access(facts)
    for kind, needed, passed in rows:
        missing = next((unmet[gate] for gate in needed if gate in unmet), None)
        if kind is ConditionType.ACCESS_GRANTED and lost:
            yield c.false(kind, Reason.ACCESS_LOST, f"the public release runs without {told_of(facts, lost)}")
        elif missing is None:
            yield _passed(decision, kind, passed)
        elif missing.reason is Reason.AWAITING_INSTALLATION and blocks_install(gates):
            text = f"not installed before these gates are passed: {gate_list(before_install(gates))}"
            yield c.false(kind, Reason.GATES_UNMET, text)
        else:
            yield c.false(kind, missing.reason, missing.message)
    yield template_current(facts)


def _passed(decision: Decision, kind: ConditionType, reason: Reason) -> Verdict:
    """A passed condition, with what is worth knowing of it."""
    facts = decision.facts
    if kind is ConditionType.ACCESS_GRANTED and not facts.wanted.uses:
        return c.true(kind, Reason.NOTHING_USED)
    if kind is ConditionType.ACCESS_GRANTED:
        without = tuple(doing_without(map(facts.standing, facts.wanted.uses)))
        return c.true(kind, without[0].reason, told_of(facts, without)) if without else c.true(kind, reason)
    if kind is not ConditionType.VERIFIED:
        return c.true(kind, reason)
    # as it runs: a change that the API server refuses has not happened, and has no time
    content = newest(facts.world.snapshots, facts.wanted.name)
    last = facts.last_verification(Subject(facts.wanted, wanted=True))
    if content is not None and last is not None:
        changed = parse_instant(content.configured_at)
        if changed is not None and changed > last.spec.verified_at:
            text = f"its configuration changed at {content.configured_at}, after {last.metadata.name}"
            return c.true(kind, Reason.CONFIG_CHANGED_SINCE_VERIFIED, text)
    return c.true(kind, reason)


def before_install(gates: tuple[Unmet, ...]) -> tuple[Unmet, ...]:
    """The unmet gates that hold back the installation."""
    return tuple(entry for entry in gates if entry.blocks is Blocks.INSTALL)


def gate_list(gates: tuple[Unmet, ...]) -> str:
    """The names of unmet gates."""
    return ", ".join(entry.gate.value for entry in gates)


def template_current(facts: Facts) -> Verdict:
    """R7, R8: how the public release, or else the one the spec names, stands to its template.

    A clock that is not trusted makes nothing worse: what is late is said, and told, by the first that is.
    """
    verdict, old = _template_current(facts), facts.world.service.status
    before = find(old.conditions, ConditionType.TEMPLATE_CURRENT)
    template = facts.told_template
    same = (old.template.name, old.template.version) == (template.name, template.version)
    if facts.policy.clock_trusted or before is None or not same or before.reason not in LATENESS:
        return verdict
    if LATENESS.get(verdict.reason, 0) <= LATENESS[Reason(before.reason)]:
        return verdict
    return Verdict(verdict.type, before.status, Reason(before.reason), before.message)


def _template_current(facts: Facts) -> Verdict:
    kind = ConditionType.TEMPLATE_CURRENT
    template = facts.told_template
    what = f"{template.name} {template.version}"
    if template.name not in facts.world.templates:
        return c.unknown(kind, Reason.TEMPLATE_UNKNOWN, f"EServiceTemplate {template.name} does not exist")
    lag = facts.lag(template)
    if lag is None:
        text = f"EServiceTemplate {template.name} has no version {template.version}"
        return c.unknown(kind, Reason.TEMPLATE_VERSION_UNKNOWN, text)
    if lag.overdue(facts.today):
        cause = cause_of(facts, template, lag)
        why = f"lags too far behind {cause}" if cause else "was withdrawn"
        return c.false(kind, Reason.TEMPLATE_OVERDUE, f"{what} {why}: overdue since {lag.overdue_since}")
    if lag.migration_due(facts.today):
        return c.false(kind, Reason.MIGRATION_DUE, f"{what} should have been migrated by {lag.migrate_by}")
    if lag.at_risk is not None:
        text = f"{what} becomes overdue once {lag.at_risk.text} gets its migration instruction"
        return c.true(kind, Reason.TEMPLATE_AT_RISK, text)
    return c.true(kind, Reason.TEMPLATE_CURRENT, f"{what} is within the limits")
