# SPDX-License-Identifier: Apache-2.0
"""R7, R8: the status of a template: current version, stages, publication dates in effect, use."""

from __future__ import annotations

from datetime import date, datetime

import semver

from eservice_operator.api.reasons import ConditionType, Reason
from eservice_operator.api.template import (
    EServiceTemplate,
    EServiceTemplateStatus,
    HeldSet,
    NextTransition,
    VersionStatus,
)
from eservice_operator.core import conditions as c
from eservice_operator.core.abandoned import in_reach
from eservice_operator.core.conditions import Verdict
from eservice_operator.core.dates import local_day
from eservice_operator.core.held import held_sets
from eservice_operator.core.held_tidings import template_notices
from eservice_operator.core.known import KnownTemplate
from eservice_operator.core.lag import LagPolicy
from eservice_operator.core.policy import Policy
from eservice_operator.core.stages import next_transition, stage_of
from eservice_operator.core.versions import Catalogue, CatalogueVersion, current
from eservice_operator.core.world import TemplateWorld


def recorded_dates(template: EServiceTemplate) -> dict[str, date]:
    """The publication dates that took effect, by version: whatever the spec says later, they stay."""
    return {entry.version: entry.published_at for entry in template.status.versions if entry.published_at}


def catalogue_of(template: EServiceTemplate) -> Catalogue:
    """The versions with the publication dates in effect: a recorded one wins over what the spec now says."""
    recorded = recorded_dates(template)
    versions = []
    for version in template.spec.versions:
        instruction = version.migration_instruction
        withdrawn = version.withdrawn
        versions.append(
            CatalogueVersion(
                text=version.version,
                number=semver.Version.parse(version.version),
                released=version.released,
                published=recorded.get(version.version)
                or (None if instruction is None else instruction.published),
                withdrawn_at=None if withdrawn is None else withdrawn.at,
                replace_by=None if withdrawn is None else withdrawn.replace_by,
            )
        )
    return Catalogue(tuple(versions))


def template_status(
    world: TemplateWorld, now: datetime, policy: Policy
) -> tuple[EServiceTemplateStatus, date | None]:
    """The whole status of a template, and the next local day on which it changes by itself."""
    template, catalogue = world.template, world.catalogue
    today = local_day(now, policy.zone)
    lag_policy = KnownTemplate(template, catalogue).lag_policy
    newest = current(catalogue, today)
    following = next_transition(catalogue, lag_policy, today)
    generation, held = template.metadata.generation, held_sets(world.fleet)
    status = EServiceTemplateStatus(
        observed_generation=generation,
        current_version=None if newest is None else newest.text,
        versions=_versions(world, today, lag_policy, record=policy.clock_trusted),
        e_services=sum(world.in_use.values()),
        next_transition=None if following is None else _transition(world, following, today, lag_policy),
        held=held,
        notices=in_reach(template_notices(template, held, world.deliveries, now, policy), policy),
        conditions=c.merge(
            template.status.conditions, (_ready(template, newest), _brake(template, held)), generation, now
        ),
    )
    to_record = [version.published for version in catalogue.versions if version.published is not None]
    days = [day for day in (following, *to_record) if day is not None and day > today]
    return status, min(days, default=None)


def _versions(
    world: TemplateWorld, today: date, policy: LagPolicy, *, record: bool
) -> tuple[VersionStatus, ...]:
    """Each version, with its publication date once that took effect.

    What is recorded stays also when the clock says that its day has not come: a clock may be wrong for a
    while, and what it made us forget would be lost. For the same reason a clock that is not trusted records
    nothing: a date that was recorded is never taken back.
    """
    recorded, catalogue = recorded_dates(world.template), world.catalogue
    return tuple(
        VersionStatus(
            version=version.text,
            stage=stage_of(catalogue, version, policy, today),
            published_at=version.published
            if version.text in recorded
            or (record and version.published is not None and version.published <= today)
            else None,
            e_services=world.in_use.get(version.text, 0),
        )
        for version in catalogue.versions
    )


def _transition(world: TemplateWorld, day: date, today: date, policy: LagPolicy) -> NextTransition:
    changes = []
    for version in world.catalogue.versions:
        before = stage_of(world.catalogue, version, policy, today)
        after = stage_of(world.catalogue, version, policy, day)
        if before is not after:
            changes.append(f"{version.text}: {before.value} to {after.value}")
    return NextTransition(at=day, message=c.told("; ".join(changes)))


def _brake(template: EServiceTemplate, held: tuple[HeldSet, ...]) -> Verdict:
    """Present while there is a set that the Agency has not released."""
    sets = "; ".join(f"{one.count} under the token {one.token} since {one.since:%Y-%m-%d}" for one in held)
    text = (
        f"too many unpublications within 24 hours are held: {sets}. Check the dates of the versions, then:"
        f" kubectl eservice release-brake {template.metadata.name}"
    )
    kind = ConditionType.BRAKE_ENGAGED
    return c.true(kind, Reason.BRAKE, text) if held else c.false(kind, Reason.SUCCEEDED)


def _ready(template: EServiceTemplate, newest: CatalogueVersion | None) -> Verdict:
    changed = []
    recorded = recorded_dates(template)
    for version in template.spec.versions:
        kept = recorded.get(version.version)
        instruction = version.migration_instruction
        if kept is not None and (instruction is None or instruction.published != kept):
            changed.append(f"{version.version} stays published on {kept}")
    if changed:
        text = f"publication dates that took effect are kept: {'; '.join(changed)}"
        return c.true(ConditionType.READY, Reason.HISTORY_CHANGED, text)
    if newest is None:
        text = "no version has a published migration instruction: nothing is current, nothing is overdue"
        return c.true(ConditionType.READY, Reason.NO_CURRENT_VERSION, text)
    return c.true(ConditionType.READY, Reason.SUCCEEDED, f"{newest.text} is current")
