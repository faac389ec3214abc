# SPDX-License-Identifier: Apache-2.0
"""R8: what the dates of a decision follow from, as it is recorded, and these dates computed from it again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from operator import attrgetter
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import semver

from eservice_operator.api.decisions import UnpublishDecisionSpec
from eservice_operator.api.ground import DecidedVersion, DecisionInputs, Ground
from eservice_operator.api.lifecycle import Lifecycle
from eservice_operator.core.actions import Manifest
from eservice_operator.core.dates import add_period, day_after_end, local_day, parse_period
from eservice_operator.core.known import KnownTemplate
from eservice_operator.core.lag import LagPolicy, measure_lag
from eservice_operator.core.promise import promise
from eservice_operator.core.releases import short_hash
from eservice_operator.core.replaced import ground_in_place, promised_in_place
from eservice_operator.core.versions import Catalogue, CatalogueVersion, current

Recorded = UnpublishDecisionSpec | Ground
"""Where the ground of a decision is recorded: in its spec, as it was made, or later in its status."""
HASH_LENGTH = 16
NOT_HASHED = frozenset({"effective_at", "decided_at", "inputs_hash", "revoked"})
"""Fields of a decision's spec that its hash does not cover."""
GROUND = frozenset({"currentVersion", "causedBy", "maximumLag", "lagMeasure", "overdueSince", "inputs"})
"""The facts of a decision that are its ground."""
NOT_HASHED_OF_A_GROUND = frozenset({"since", "inputs_hash"})
"""Fields of a ground that the hash over its facts does not cover."""


@dataclass(frozen=True, slots=True)
class Recomputed:
    """What a decision's own record, or a ground that it recorded later, says that it should say."""

    overdue_since: date | None
    caused_by: str | None
    current_version: str | None
    effective_at: datetime | None
    """The promise; none when by the record nothing is overdue, and of a ground, which promises nothing."""
    inputs_hash: str


def inputs_of(known: KnownTemplate, zone: ZoneInfo) -> DecisionInputs:
    """What the dates of a decision about a template follow from: its dates in effect, and its policy.

    By precedence, whatever the order of the spec: the same facts have the same hash.
    """
    lifecycle = known.template.spec.lifecycle
    return DecisionInputs(
        versions=tuple(
            DecidedVersion(
                version=version.text,
                released=version.released,
                published=version.published,
                withdrawn_at=version.withdrawn_at,
                replace_by=version.replace_by,
            )
            for version in sorted(known.catalogue.versions, key=attrgetter("precedence"))
        ),
        migrate_within=lifecycle.migrate_within,
        notice_period=lifecycle.notice_period,
        enforce_from=lifecycle.enforce_from,
        time_zone=zone.key,
    )


def last_warning(lifecycle: Lifecycle, day: date) -> str | None:
    """The step of warnBefore that comes last before a day; none where nobody is warned."""
    steps = lifecycle.warn_before
    return min(steps, key=lambda step: add_period(day, parse_period(step)), default=None)


def time_for_warning(step: str | None, now: datetime, zone: ZoneInfo) -> datetime:
    """The first instant that leaves time for a step of warnBefore after ``now``."""
    if step is None:
        return now
    return day_after_end(add_period(local_day(now, zone), parse_period(step)), zone)


def hash_of(decided: Manifest) -> str:
    """The hash over the facts of a decision: its spec but for the fields in `NOT_HASHED`."""
    return short_hash(decided, HASH_LENGTH)


def decided_facts(spec: UnpublishDecisionSpec) -> Manifest:
    """What `hash_of` covers, from a spec as it was recorded."""
    return spec.model_dump(mode="json", by_alias=True, exclude_none=True, exclude=set(NOT_HASHED))


def hash_on(spec: UnpublishDecisionSpec, ground: Manifest) -> str:
    """The hash over the facts of a decision with another ground in the place of the one in its spec."""
    own = {name: value for name, value in decided_facts(spec).items() if name not in GROUND}
    return hash_of(own | ground)


def ground_facts(ground: Ground) -> Manifest:
    """What `hash_on` covers of a ground, from one as it was recorded."""
    return ground.model_dump(
        mode="json", by_alias=True, exclude_none=True, exclude=set(NOT_HASHED_OF_A_GROUND)
    )


def catalogue_from(inputs: DecisionInputs) -> Catalogue:
    """The versions of the template with the dates that were in effect."""
    return Catalogue(
        tuple(
            CatalogueVersion(
                text=version.version,
                number=semver.Version.parse(version.version),
                released=version.released,
                published=version.published,
                withdrawn_at=version.withdrawn_at,
                replace_by=version.replace_by,
            )
            for version in inputs.versions
        )
    )


def lag_policy_from(record: Recorded, inputs: DecisionInputs) -> LagPolicy:
    """The policy under which the lag was measured."""
    return LagPolicy(
        maximum_lag=parse_period(record.maximum_lag),
        measure=record.lag_measure.value,
        migrate_within=parse_period(inputs.migrate_within),
    )


def _zone(name: str) -> ZoneInfo:
    """The zone of that name; a folder of the time zone database, or any other file, is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"there is no time zone {name!r} on this machine") from None


def recompute(spec: UnpublishDecisionSpec, inputs: DecisionInputs) -> Recomputed:
    """The same decision from what it recorded, by the same functions that made it.

    Raises:
        ValueError: this machine does not know the recorded time zone, or an input cannot be read.
    """
    zone = _zone(inputs.time_zone)
    since, cause, newest = _measured(
        spec, spec.release.template.version, inputs, local_day(spec.decided_at, zone)
    )
    since, cause = ground_in_place(spec.replaces, since, cause)
    at, notice = None, parse_period(inputs.notice_period)
    if since is not None:
        at = promise(since, inputs.enforce_from, notice, spec.decided_at, zone)
        warned = time_for_warning(inputs.last_warning, spec.decided_at, zone)
        at = promised_in_place(spec.replaces, at, warned)
    return Recomputed(
        overdue_since=since,
        caused_by=cause,
        current_version=newest,
        effective_at=at,
        inputs_hash=hash_of(decided_facts(spec)),
    )


def recompute_ground(spec: UnpublishDecisionSpec, ground: Ground, inputs: DecisionInputs) -> Recomputed:
    """A ground that the decision recorded later, from what was recorded with it.

    Raises:
        ValueError: as `recompute` does.
    """
    day = local_day(ground.since, _zone(inputs.time_zone))
    since, cause, newest = _measured(ground, spec.release.template.version, inputs, day)
    return Recomputed(
        overdue_since=since,
        caused_by=cause,
        current_version=newest,
        effective_at=None,
        inputs_hash=hash_on(spec, ground_facts(ground)),
    )


def _measured(
    record: Recorded, version: str, inputs: DecisionInputs, day: date
) -> tuple[date | None, str | None, str | None]:
    """Since when a version is overdue, by which other, and the current one: by the record, on a day."""
    catalogue = catalogue_from(inputs)
    used, newest = catalogue.find(version), current(catalogue, day)
    lag = None if used is None else measure_lag(catalogue, used, lag_policy_from(record, inputs), day)
    since, cause = (None, None) if lag is None else (lag.overdue_since, lag.caused_by)
    caused_by = None if cause is None or cause == used else cause.text
    return since, caused_by, None if newest is None else newest.text
