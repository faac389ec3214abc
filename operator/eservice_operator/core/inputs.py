# SPDX-License-Identifier: Apache-2.0
"""R8: what the dates of a decision follow from, as it is recorded, and these dates computed from it again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from operator import attrgetter
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import semver

from eservice_operator.api.decisions import DecidedVersion, DecisionInputs, UnpublishDecisionSpec
from eservice_operator.core.actions import Manifest
from eservice_operator.core.dates import local_day, parse_period
from eservice_operator.core.known import KnownTemplate
from eservice_operator.core.lag import LagPolicy, measure_lag
from eservice_operator.core.promise import promise
from eservice_operator.core.releases import short_hash
from eservice_operator.core.replaced import ground_in_place, promised_in_place
from eservice_operator.core.versions import Catalogue, CatalogueVersion, current

HASH_LENGTH = 16
NOT_HASHED = frozenset({"effective_at", "decided_at", "inputs_hash", "revoked"})
"""Fields of a decision's spec that its hash does not cover."""


@dataclass(frozen=True, slots=True)
class Recomputed:
    """What a decision's own record says that it should say."""

    overdue_since: date | None
    caused_by: str | None
    current_version: str | None
    effective_at: datetime | None
    """The promise; none when by the record nothing is overdue."""
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


def hash_of(decided: Manifest) -> str:
    """The hash over the facts of a decision: its spec but for the fields in `NOT_HASHED`."""
    return short_hash(decided, HASH_LENGTH)


def decided_facts(spec: UnpublishDecisionSpec) -> Manifest:
    """What `hash_of` covers, from a spec as it was recorded."""
    return spec.model_dump(mode="json", by_alias=True, exclude_none=True, exclude=set(NOT_HASHED))


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


def lag_policy_from(spec: UnpublishDecisionSpec, inputs: DecisionInputs) -> LagPolicy:
    """The policy under which the lag was measured."""
    return LagPolicy(
        maximum_lag=parse_period(spec.maximum_lag),
        measure=spec.lag_measure.value,
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
    zone, catalogue = _zone(inputs.time_zone), catalogue_from(inputs)
    day = local_day(spec.decided_at, zone)
    used, newest = catalogue.find(spec.release.template.version), current(catalogue, day)
    lag = None if used is None else measure_lag(catalogue, used, lag_policy_from(spec, inputs), day)
    since, cause = (None, None) if lag is None else (lag.overdue_since, lag.caused_by)
    since, cause_text = ground_in_place(
        spec.replaces, since, None if cause is None or cause == used else cause.text
    )
    notice = parse_period(inputs.notice_period)
    return Recomputed(
        overdue_since=since,
        caused_by=cause_text,
        current_version=None if newest is None else newest.text,
        effective_at=None
        if since is None
        else promised_in_place(
            spec.replaces, promise(since, inputs.enforce_from, notice, spec.decided_at, zone)
        ),
        inputs_hash=hash_of(decided_facts(spec)),
    )
