# SPDX-License-Identifier: Apache-2.0
"""What happens by itself from now on: the operator's decisions lived through ahead of time.

The very same ``decide`` answers, over worlds in memory. What people may do is not foreseen: nobody renews,
nothing is signed, no brake is released. Pods start, gateways agree and notices are accepted at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime

from eservice_operator.api.fields import SEMVER_PATTERN
from eservice_operator.api.reasons import ConditionType
from eservice_operator.api.template import EServiceTemplate, MigrationInstruction, TemplateVersion
from eservice_operator.core.conditions import find
from eservice_operator.core.foresight import Foreseen, is_public
from eservice_operator.core.policy import Policy
from eservice_operator.core.simulated_cluster import Scene
from eservice_operator.core.simulation import Simulation
from eservice_operator.core.templating import catalogue_of, recorded_dates
from eservice_operator.core.world import TemplateWorld


@dataclass(frozen=True, slots=True)
class Ending:
    """How an e-service stands at the end of a forecast."""

    namespace: str
    name: str
    public: bool
    reason: str
    """Reason and message of its condition Published."""
    message: str
    template: str
    """Template and version in public use, or else those that the spec names."""
    version: str


@dataclass(frozen=True)
class Forecast:
    """What happens up to an instant, in order, and how every e-service stands then."""

    foreseen: tuple[Foreseen, ...]
    endings: tuple[Ending, ...]


def forecast(
    scene: Scene,
    start: datetime,
    until: datetime,
    policy: Policy,
    what_if: Iterable[EServiceTemplate] = (),
    *,
    release_brake: bool = False,
) -> Forecast:
    """What happens to the e-services of a scene after ``start``, up to and including ``until``.

    ``what_if`` holds editions of templates that take the place of those in the scene at ``start``. What
    happens at ``start`` is told too, and what is held already: nothing else, where the operator is at work
    and nothing was edited. With ``release_brake`` every set that the brake holds is released at once.
    """
    start = start.replace(microsecond=0)
    simulation = Simulation(scene, start, policy, release_brake=release_brake)
    for template in what_if:
        simulation.cluster.edit(_edition(scene, template))
    simulation.run(until)
    return Forecast(tuple(sorted(simulation.foreseen)), tuple(_endings(simulation)))


def _edition(scene: Scene, template: EServiceTemplate) -> TemplateWorld:
    name = template.metadata.name
    known = next(world for world in scene.templates if world.template.metadata.name == name)
    return replace(known, template=template, catalogue=catalogue_of(template))


def _endings(simulation: Simulation) -> Iterable[Ending]:
    for place, world in sorted(simulation.cluster.worlds.items()):
        status = world.service.status
        published = find(status.conditions, ConditionType.PUBLISHED)
        reason, message = ("", "") if published is None else (published.reason, published.message)
        used = (
            world.service.spec.template if status.release.public is None else status.release.public.template
        )
        yield Ending(*place, is_public(status), reason, message, used.name, used.version)


def rehearsed(
    template: EServiceTemplate, version: str, released: date | None, published: date | None
) -> EServiceTemplate:
    """The template as if an instruction for a version were published on a day, for trying it out.

    A version that there is keeps its ``released``; one that there is not needs it.

    Raises:
        ValueError: what cannot be, in words for people.
    """
    _require_number(version)
    known = next((one for one in template.spec.versions if one.version == version), None)
    day = released or (None if known is None else known.released)
    if day is None:
        raise ValueError(f"{version} is a new version of {template.metadata.name}: say when it is released")
    if known is not None and known.released != day:
        raise ValueError(f"{version} was released on {known.released}: that never changes")
    if published is not None and published < day:
        raise ValueError(f"{version} cannot be published on {published}, before its release on {day}")
    recorded = recorded_dates(template).get(version)
    if recorded is not None and published not in {None, recorded}:
        raise ValueError(f"{version} was published on {recorded}: a publication that took effect stays")
    edited = _edited(known, version, day, published)
    others = (one for one in template.spec.versions if one.version != version)
    spec = template.spec.model_copy(update={"versions": (*others, edited)})
    return template.model_copy(update={"spec": spec})


def _require_number(version: str) -> None:
    """A version as the API takes it; refuses anything else with what to write."""
    if re.search(SEMVER_PATTERN, version) is None:
        raise ValueError(f"{version!r} is not a version: write SemVer 2.0, such as 3.0.0 or 3.1.0-rc.1")


def _edited(
    known: TemplateVersion | None, version: str, released: date, published: date | None
) -> TemplateVersion:
    instruction = None if known is None else known.migration_instruction
    if published is not None:
        url = "https://rehearsal.invalid/" if instruction is None else instruction.url
        instruction = MigrationInstruction(url=url, published=published)
    withdrawn = None if known is None else known.withdrawn
    return TemplateVersion.model_validate(
        {
            "version": version,
            "released": released,
            "migrationInstruction": instruction,
            "withdrawn": withdrawn,
        }
    )
