# SPDX-License-Identifier: Apache-2.0
"""What a template's policy lets happen that its author may not mean: told offline, when it is reviewed.

Each is allowed, so none is an error. What depends on the fleet is left to ``forecast``.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Final

from eservice_operator.api.lifecycle import Enforcement, LagMeasure, Lifecycle
from eservice_operator.api.template import EServiceTemplate
from eservice_operator.cli.check_judging import Judged, Severity
from eservice_operator.core.dates import add_period, parse_period
from eservice_operator.core.known import KnownTemplate
from eservice_operator.core.templating import catalogue_of
from eservice_operator.core.versions import CatalogueVersion

LIFECYCLE: Final = "spec.lifecycle"
MANY: Final = 100
"""E-services at once from which ``brake.atLeast`` is no longer about small fleets."""
ALL: Final = 100
FORESEEABLE: Final = parse_period("P3Y")
"""How far ahead a date is believed to be meant."""


def policy_findings(template: EServiceTemplate, first: date) -> Iterator[Judged]:
    """Everything to be said of a template's policy on a day."""
    lifecycle = template.spec.lifecycle
    if lifecycle.brake.release is not None:
        look = f"kubectl eservice release-brake {template.metadata.name} --list"
        text = (
            f"lets the set {lifecycle.brake.release} go, where the brake holds it: look at it first with"
            f" {look}. In a new template no set can be meant: leave it out"
        )
        yield Judged(Severity.NOTE, f"{LIFECYCLE}.brake.release", "R8", text)
    if lifecycle.enforcement is Enforcement.OBSERVE:
        return
    if not lifecycle.warn_before:
        yield _unwarned(lifecycle)
    if lifecycle.enforcement is Enforcement.ENFORCE:
        known = KnownTemplate(template, catalogue_of(template))
        yield from _without_notice(known, first)
        yield from _brake(lifecycle)
        yield from [*_far_ahead(lifecycle, first)] or _overdue_at_once(known, first)
        yield from _no_time(lifecycle)


def _unwarned(lifecycle: Lifecycle) -> Judged:
    if lifecycle.enforcement is Enforcement.ENFORCE:
        text = "institutions are told once, when an unpublication is decided, and not again before it"
    else:
        text = "under Warn nobody is told before an e-service is overdue"
    example = "write steps such as [P6M, P3M, P1M, P7D]"
    return Judged(Severity.WARNING, f"{LIFECYCLE}.warnBefore", "R8", f"without any step {text}: {example}")


def _without_notice(known: KnownTemplate, first: date) -> Iterator[Judged]:
    """The instruction that makes somebody overdue on the day of its publication."""
    lifecycle = known.template.spec.lifecycle
    at_once = lifecycle.lag_measure is LagMeasure.RELEASE_GAP or _nothing(lifecycle.maximum_lag)
    if not at_once or not _nothing(lifecycle.notice_period):
        return
    day = max(first, lifecycle.enforce_from or first)
    limit = parse_period(lifecycle.maximum_lag)
    hit = [one.text for one in _in_support(known, day) if add_period(one.released, limit) < day]
    whom = f" (for a version released that day: all on {', '.join(hit)})" if hit else ""
    text = (
        f"{lifecycle.notice_period} leaves no day between telling an institution and unpublishing: an"
        f" instruction published on {day} takes e-services that it makes overdue off the public route within"
        f" a second{whom}. warnBefore does not help, all of its steps have passed by then; the brake holds"
        " large waves only. Write the shortest time in which an institution can act, such as P1M"
    )
    yield Judged(Severity.WARNING, f"{LIFECYCLE}.noticePeriod", "R8", text)


def _in_support(known: KnownTemplate, day: date) -> list[CatalogueVersion]:
    """The versions that e-services can be on, and that are not overdue yet."""
    found = []
    for version in known.catalogue.versions:
        lag = known.lag(version.text, day)
        if not version.is_prerelease and lag is not None and not lag.overdue(day):
            found.append(version)
    return found


def _brake(lifecycle: Lifecycle) -> Iterator[Judged]:
    brake = lifecycle.brake
    if brake.percent >= ALL:
        text = (
            "at 100 the brake never engages, and one wrong date takes every e-service of the"
            " template down. Write a share that would alarm you, such as 10"
        )
        yield Judged(Severity.WARNING, f"{LIFECYCLE}.brake.percent", "R8", text)
    elif brake.at_least >= MANY:
        text = (
            f"{brake.at_least} e-services may leave the public route within 24 hours before the brake engages"
            f", also where that is more than {brake.percent} % of them. It is there for small fleets: write 5"
            " or so, and let percent decide"
        )
        yield Judged(Severity.WARNING, f"{LIFECYCLE}.brake.atLeast", "R8", text)


def _overdue_at_once(known: KnownTemplate, first: date) -> Iterator[Judged]:
    """The versions on which e-services are overdue on the first day that the policy is enforced."""
    enforce_from = known.template.spec.lifecycle.enforce_from
    day = max(first, enforce_from or first)
    lags = [(one, known.lag(one.text, day)) for one in known.catalogue.versions]
    overdue = [
        f"{one.text} (since {lag.overdue_since})" for one, lag in lags if lag is not None and lag.overdue(day)
    ]
    if not overdue:
        return
    when = f"from {day} on" if day > first else "as soon as this policy is applied"
    text = (
        f"{when} e-services on {len(overdue)} of {len(lags)} versions are overdue and enforced at once:"
        f" {', '.join(overdue)}. kubectl eservice forecast shows which; a later enforceFrom gives them time"
    )
    yield Judged(Severity.NOTE, f"{LIFECYCLE}.enforceFrom", "R8", text)


def _far_ahead(lifecycle: Lifecycle, first: date) -> Iterator[Judged]:
    """A slip of the pen that no later edit takes back."""
    day = lifecycle.enforce_from
    if day is not None and day > add_period(first, FORESEEABLE):
        text = (
            f"{day} is more than three years away: unpublications are announced for that day at the earliest,"
            " and what was announced never moves earlier, also when the date is corrected. Write Warn until"
            " the day is known"
        )
        yield Judged(Severity.WARNING, f"{LIFECYCLE}.enforceFrom", "R8", text)


def _no_time(lifecycle: Lifecycle) -> Iterator[Judged]:
    if _nothing(lifecycle.maximum_deferral):
        text = (
            f"with {lifecycle.maximum_deferral} no deferral gives more than the rest of the day itself. Write"
            " the longest time that the Agency may grant, such as P6M"
        )
        yield Judged(Severity.WARNING, f"{LIFECYCLE}.maximumDeferral", "R8", text)
    if _nothing(lifecycle.hold_uninformed):
        text = (
            f"with {lifecycle.hold_uninformed} an e-service whose notices fail until midnight leaves the"
            " public route though nobody was told. Write how long it waits for a first notice, such as P3D"
        )
        yield Judged(Severity.WARNING, f"{LIFECYCLE}.holdUninformed", "R8", text)


def _nothing(duration: str) -> bool:
    return add_period(date.min, parse_period(duration)) == date.min
