# SPDX-License-Identifier: Apache-2.0
"""What the e-services of a forecast share: templates, decisions, and the fleets that the brake counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import islice
from zoneinfo import ZoneInfo

from eservice_operator.api.base import Environment, EServiceRef
from eservice_operator.api.decisions import UnpublishDecision, UnpublishDecisionStatus, UnpublishDeferral
from eservice_operator.api.notices import Channel, Notice, NoticeKind, NoticeState
from eservice_operator.api.template import EServiceTemplate
from eservice_operator.core.actions import Action, Create, SetStatus
from eservice_operator.core.braking import decide_template
from eservice_operator.core.counting import PublicService
from eservice_operator.core.dates import instant, local_day
from eservice_operator.core.fleet import Fleet
from eservice_operator.core.foresight import is_public
from eservice_operator.core.known import KnownTemplate
from eservice_operator.core.ledger import ANNOUNCING
from eservice_operator.core.policy import Policy
from eservice_operator.core.templating import catalogue_of
from eservice_operator.core.unpublication import is_open
from eservice_operator.core.world import TemplateWorld, World

DECISION = UnpublishDecision.__name__

Place = tuple[str, str]
"""Namespace and name of an EService."""
Standing = tuple[str, Environment]
"""Registration and environment: whom a decision is about."""


@dataclass(frozen=True)
class Scene:
    """What a forecast begins with: every EService that can be read, and every template."""

    services: tuple[World, ...]
    templates: tuple[TemplateWorld, ...]


class SimulatedCluster:
    """State of the objects; from it the world of each decision is made."""

    def __init__(self, scene: Scene, start: datetime, policy: Policy, *, release_brake: bool) -> None:
        self._release_brake, self._channels, self._zone = release_brake, bool(policy.channels), policy.zone
        self.worlds = {_place(world): _without_ledger(world) for world in scene.services}
        self.templates = {world.template.metadata.name: world for world in scene.templates}
        self._known = {name: _known(world) for name, world in self.templates.items()}
        self._decisions: dict[str, UnpublishDecision] = {}
        self._standings: dict[Standing, set[str]] = {}
        self._residents: dict[Standing, set[Place]] = {}
        self._fleets: dict[str, Fleet] = {}
        for place, world in self.worlds.items():
            self._residents.setdefault(_standing(world), set()).add(place)
        made = (decision for world in scene.services for decision in world.decisions)
        held = (decision for world in scene.templates for decision in world.fleet.decisions)
        for decision in (*made, *held):
            self._remember(_informed(decision, start) if self._channels else decision)

    def edit(self, world: TemplateWorld) -> None:
        """Put another edition of a template in the place of the one there is."""
        name = world.template.metadata.name
        self.templates[name], self._known[name] = world, _known(world)

    def world(self, place: Place) -> World:
        """What a decision about the e-service sees now."""
        world = self.worlds[place]
        standing = self._standings.get(_standing(world), ())
        decisions = tuple(self._decisions[name] for name in sorted(standing))
        named = {*world.templates, *(decision.spec.release.template.name for decision in decisions)}
        templates = {name: self._known[name] for name in sorted(named) if name in self._known}
        return replace(world, templates=templates, decisions=decisions, fleet=self.fleet)

    def keep(self, place: Place, world: World) -> None:
        """Remember what became of an e-service."""
        self.worlds[place] = world

    def fleet(self, template: str) -> Fleet:
        """The fleet of a template as it was when last counted anew."""
        fleet = self._fleets.get(template)
        if fleet is None:
            fleet = self._fleets[template] = Fleet(
                deferrals=self._deferrals,
                forsaken=self._forsaken,
                services=tuple(self._public_services(template)),
                decisions=tuple(
                    decision
                    for _, decision in sorted(self._decisions.items())
                    if decision.spec.release.template.name == template
                ),
            )
        return fleet

    def count_anew(self) -> None:
        """Forget the fleets that were counted."""
        self._fleets.clear()

    def _deferrals(self, service: EServiceRef) -> tuple[UnpublishDeferral, ...]:
        world = self.worlds.get((service.namespace, service.name))
        return () if world is None else world.deferrals

    def _public_services(self, template: str) -> Iterable[PublicService]:
        for _, world in sorted(self.worlds.items()):
            public, spec = world.service.status.release.public, world.service.spec
            if public is None or public.template.name != template:
                continue
            if spec.environment is Environment.PRODUCTION:
                published = is_public(world.service.status)
                yield PublicService(spec.registration, public.template.version, published)

    def recorded(self, action: Action, now: datetime) -> str | None:
        """Carry out a write to a decision; its name, or None for a write to anything else."""
        if isinstance(action, Create) and action.manifest["kind"] == DECISION:
            made = {**action.manifest["metadata"], "uid": f"foreseen-{action.manifest['metadata']['name']}"}
            metadata = made | {"generation": 1, "creationTimestamp": instant(now)}
            decision = UnpublishDecision.model_validate({**action.manifest, "metadata": metadata})
            self._remember(_informed(decision, now))
            return decision.metadata.name
        if isinstance(action, SetStatus) and action.ref.kind == DECISION:
            status = UnpublishDecisionStatus.model_validate(action.status)
            known = self._decisions[action.ref.name]
            decision = known.model_copy(update={"status": status})
            told = self._channels and status.warned_at != known.status.warned_at
            self._remember(_told(decision, now, self._zone) if told else decision)
            return action.ref.name
        return None

    def _remember(self, decision: UnpublishDecision) -> None:
        name, spec = decision.metadata.name, decision.spec
        self._decisions[name] = decision
        self._standings.setdefault((spec.registration, spec.environment), set()).add(name)

    def subject_to(self, decisions: Iterable[str]) -> set[Place]:
        """The e-services that decisions speak of."""
        found = set()
        for name in decisions:
            spec = self._decisions[name].spec
            found |= self._residents.get((spec.registration, spec.environment), set())
        return found

    def templates_of(self, decisions: Iterable[str]) -> set[str]:
        """The templates whose brake counts these decisions."""
        found = {self._decisions[name].spec.release.template.name for name in decisions}
        return found & self.templates.keys()

    def decide_template(self, name: str, now: datetime, policy: Policy) -> tuple[datetime | None, set[str]]:
        """Decide about a template: when to look again, and the names of the decisions that it wrote to."""
        fleet = self.fleet(name)
        world = replace(
            self.templates[name],
            fleet=fleet,
            in_use=Counter(service.version for service in fleet.services),
        )
        found = decide_template(world, now, policy)
        written = {record for action in found.actions if (record := self.recorded(action, now)) is not None}
        status = found.status
        if written:  # the status that tells of it is that of the next look
            self.count_anew()
            status = decide_template(replace(world, fleet=self.fleet(name)), now, policy).status
        template = world.template.model_copy(update={"status": status})
        if self._release_brake and status.held:
            template = _released(template)
        catalogue = catalogue_of(template)
        changed = template.spec is not world.template.spec or catalogue != world.catalogue
        self.templates[name] = edition = replace(world, template=template, catalogue=catalogue)
        if changed:
            self._known[name] = _known(edition)
        return found.next_at, written

    def _forsaken(self, decision: UnpublishDecision) -> bool:
        """Whether no EService is left that a decision is about."""
        return not self._residents.get((decision.spec.registration, decision.spec.environment))


def _released(template: EServiceTemplate) -> EServiceTemplate:
    """The template once the Agency has released the newest set that the brake holds."""
    lifecycle = template.spec.lifecycle
    brake = lifecycle.brake.model_copy(update={"release": template.status.held[-1].token})
    spec = template.spec.model_copy(update={"lifecycle": lifecycle.model_copy(update={"brake": brake})})
    return template.model_copy(update={"spec": spec})


def _place(world: World) -> Place:
    return world.service.metadata.namespace, world.service.metadata.name


def _standing(world: World) -> Standing:
    return world.service.spec.registration, world.service.spec.environment


def _known(world: TemplateWorld) -> KnownTemplate:
    return KnownTemplate(world.template, world.catalogue)


def _without_ledger(world: World) -> World:
    """The world without notices under way: in a forecast nobody sends, and nothing is tried again."""
    status = world.service.status
    if not status.notices:
        return world
    silent = status.model_copy(update={"notices": ()})
    return replace(world, service=world.service.model_copy(update={"status": silent}))


def _informed(decision: UnpublishDecision, now: datetime) -> UnpublishDecision:
    """The decision as if its notices were accepted at once; the last announcement says which day is known."""
    if not is_open(decision):
        return decision
    status = decision.status
    announcements = (notice for notice in reversed(status.notices) if notice.kind in ANNOUNCING)
    last = [notice.model_copy(update={"state": NoticeState.SENT}) for notice in islice(announcements, 1)]
    change = {"informed_at": status.informed_at or now.astimezone(UTC), "notices": tuple(last)}
    return decision.model_copy(update={"status": status.model_copy(update=change)})


def _told(decision: UnpublishDecision, now: datetime, zone: ZoneInfo) -> UnpublishDecision:
    """The decision once people were told of its day now; one entry stands for all that say so."""
    day = None if decision.status.effective_at is None else local_day(decision.status.effective_at, zone)
    notice = Notice(
        id=decision.metadata.name,
        kind=NoticeKind.UNPUBLISH_SCHEDULED,
        channel=Channel.EMAIL,
        recipient="everybody",
        state=NoticeState.SENT,
        entered=now,
        at=now,
        due=day,
    )
    told = decision.status.model_copy(update={"notices": (notice,)})
    return _informed(decision.model_copy(update={"status": told}), now)
