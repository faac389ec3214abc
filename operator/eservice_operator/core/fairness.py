# SPDX-License-Identifier: Apache-2.0
"""R8: who has done its part of a renewal does not lose the public route for what others still owe.

The wait is granted once for a decision, and once for a release. Its end follows from the day on which it
began and from the Agency's act; nothing that the institution edits later moves it.
"""

from __future__ import annotations

from datetime import date

from eservice_operator.api.base import TemplateRef
from eservice_operator.api.decisions import DecisionState, UnpublishDecision
from eservice_operator.api.gates import GateOwner
from eservice_operator.api.ground import Fairness
from eservice_operator.api.reasons import Gate
from eservice_operator.core.checklist import IN_PRODUCTION
from eservice_operator.core.dates import add_working_days
from eservice_operator.core.facts import Facts
from eservice_operator.core.releases import same_template
from eservice_operator.core.signed import Subject
from eservice_operator.core.unmet import Blocks, Unmet
from eservice_operator.core.versions import is_withdrawn

INSTALL_WITHIN_WORKING_DAYS = 10
"""R5."""
VERIFY_WITHIN_WORKING_DAYS = 5
"""How long after the day on which the installation is due the institution may verify it."""


def waiting(facts: Facts, decision: UnpublishDecision) -> Fairness | None:
    """The wait for a renewal as it is to be kept: begun now, as it was, or with the end that an act gives it.

    None when the decision has no wait and gets none. Whether it holds today: see `holds`.
    """
    granted = decision.status.fairness or _granted_before(facts, decision)
    if granted is not None:
        return _extended(facts, granted)
    if not _renewing(facts, decision.spec.release.template) or not _has_done_its_part(facts):
        return None
    until = _end(facts, facts.today)
    return Fairness(release=facts.wanted.name, since=facts.today, until=until)


def _granted_before(facts: Facts, decision: UnpublishDecision) -> Fairness | None:
    """The wait for this very release that an earlier decision about the same template version granted.

    It goes on, or is over: going back after a renewal gains no second one.
    """
    earlier = (
        one.status.fairness
        for one in facts.decisions
        if one.status.state is DecisionState.CLOSED
        and same_template(one.spec.release.template, decision.spec.release.template)
    )
    same = [wait for wait in earlier if wait is not None and wait.release == facts.wanted.name]
    return max(same, key=lambda wait: wait.until, default=None)


def holds(facts: Facts, decision: UnpublishDecision, wait: Fairness) -> bool:
    """Whether a wait still holds: up to its last day, as long as the spec names a supported renewal."""
    return facts.today <= wait.until and _renewing(facts, decision.spec.release.template)


def _renewing(facts: Facts, public: TemplateRef) -> bool:
    """Whether the spec names another template version, known, not recalled, and not overdue itself."""
    wanted = facts.wanted.template
    version, lag = facts.version(wanted), facts.lag(wanted)
    if version is None or lag is None or same_template(wanted, public):
        return False
    return not (version.is_prerelease or is_withdrawn(version, facts.today) or lag.overdue(facts.today))


def _has_done_its_part(facts: Facts) -> bool:
    """Whether what is missing is owed by others; with nothing missing it is the switch, which is ours."""
    unmet = unmet_by_the_renewal(facts)
    if not unmet:
        return True
    missing = {one.gate for one in unmet}
    others = [one for one in unmet if one.owner is not GateOwner.INSTITUTION]
    owed = [one for one in unmet if one.owner is GateOwner.INSTITUTION]
    return bool(others) and all(_excused(one, unmet, missing) for one in owed)


def unmet_by_the_renewal(facts: Facts) -> tuple[Unmet, ...]:
    """The gates that the release which the spec names does not pass, R8's own apart."""
    subject = Subject(facts.wanted, wanted=True)
    return tuple(unmet for check in IN_PRODUCTION if (unmet := check(facts, subject)) is not None)


def _excused(owed: Unmet, unmet: tuple[Unmet, ...], missing: set[Gate]) -> bool:
    """Whether the institution cannot supply this before others have done something."""
    if owed.gate is Gate.REQUESTED:
        return Gate.ACCEPTED in missing
    if owed.gate is Gate.VERIFIED:
        return any(one.blocks is Blocks.INSTALL or one.gate is Gate.INSTALLED for one in unmet)
    return False


def _end(facts: Facts, since: date) -> date:
    """Five working days after the installation is due, by R5 and by what is known on ``since``."""
    act, request = facts.act(facts.wanted), facts.spec.production_request
    requested_at = since if request is None else min(request.requested_at, since)
    signed_at = since if act is None or not facts.in_force(act) else act.spec.signed_at
    return last_day(facts, max(signed_at, requested_at))


def last_day(facts: Facts, start: date) -> date:
    """The last day of a wait for an installation that was owed from ``start`` on."""
    calendar = facts.policy.calendar
    due = add_working_days(start, INSTALL_WITHIN_WORKING_DAYS, calendar)
    return add_working_days(due, VERIFY_WITHIN_WORKING_DAYS, calendar)


def _extended(facts: Facts, granted: Fairness) -> Fairness:
    """The same wait; longer when the act for that very release was signed after it began."""
    act = facts.act(facts.wanted) if facts.wanted.name == granted.release else None
    if act is None or not facts.in_force(act):
        return granted
    until = max(granted.until, last_day(facts, act.spec.signed_at))
    return granted if until == granted.until else granted.model_copy(update={"until": until})
