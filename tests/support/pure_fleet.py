# SPDX-License-Identifier: Apache-2.0
"""Several e-services in memory, each in a cluster of its own, under one brake.

Templates and deferrals are the same for all of them; decisions lie with the e-service that they are about.
What the reconcile of a template does is done here: tokens are given, and its status is kept.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime

from eservice_operator.api.base import EServiceRef
from eservice_operator.api.decisions import DecisionState, UnpublishDecision, UnpublishDeferral
from eservice_operator.api.reasons import ConditionType
from eservice_operator.api.remembered import RememberedDecision
from eservice_operator.api.template import EServiceTemplate, EServiceTemplateStatus
from eservice_operator.core.actions import Action, Manifest, SetStatus
from eservice_operator.core.braking import TemplateDecision, decide_template
from eservice_operator.core.counting import PublicService
from eservice_operator.core.drivers import driver_of
from eservice_operator.core.fleet import Fleet
from eservice_operator.core.policy import Policy
from eservice_operator.core.public_record import decision_on
from eservice_operator.core.templating import catalogue_of
from eservice_operator.core.unjudged import as_recorded
from eservice_operator.core.world import Observed, TemplateWorld
from tests.support import worlds
from tests.support.pure_cluster import PureCluster, status_body
from tests.support.status import assert_status_sound
from tests.support.worlds import NAME, NOW, TEMPLATE

ROUNDS = 12
"""Rounds of e-services and templates before a fleet that does not become quiet fails the test."""


@dataclass(repr=False)
class PureFleet:
    """E-services by a short name, and what the brake made of their templates."""

    policy: Policy = worlds.POLICY
    members: dict[str, PureCluster] = field(default_factory=dict)
    templates: dict[str, Manifest] = field(default_factory=dict)
    frozen: list[str] = field(default_factory=list)
    """Names of decisions in the order in which they got a token."""
    kind: type[PureCluster] = PureCluster
    """What each e-service lives in."""
    crash_after: int | None = None
    """How many tokens the operator still gives before it dies in the middle."""

    @classmethod
    def of(cls, names: Iterable[str], template: Manifest | None = None, version: str = "3.0.0") -> PureFleet:
        """E-services that are public on a version of a template and at rest."""
        fleet = cls()
        fleet.templates[TEMPLATE] = worlds.template() if template is None else template
        for name in names:
            fleet.join(name, version)
        fleet.settle(NOW)
        assert set(fleet.served()) == set(fleet.members)
        return fleet

    def join(self, name: str, version: str = "3.0.0", template: str = TEMPLATE) -> PureCluster:
        """One more e-service, with everything that lets it go public."""
        cluster = self.kind(policy=self.policy, fleet=self.fleet)
        used = {"template": {"name": template, "version": version}}
        of = {"eService": {"name": f"{NAME}-{name}"}} | used
        cluster.put(
            *self.templates.values(),
            worlds.registration(metadata={"name": f"{NAME}-{name}"}),
            worlds.act(spec=of),
            worlds.verification(spec={"eService": f"{NAME}-{name}"} | used),
            worlds.eservice(
                metadata={"name": f"{NAME}-{name}", "uid": f"uid-{name}"},
                spec={"registration": f"{NAME}-{name}"} | used,
            ),
        )
        self.members[name] = cluster
        return cluster

    # what people do

    def put_template(self, body: Manifest) -> None:
        """Apply a template, for all e-services."""
        name = body["metadata"]["name"]
        self.templates[name] = body
        for cluster in self.members.values():
            cluster.put(body)

    def set_policy(self, template: str = TEMPLATE, **lifecycle: object) -> None:
        """Change the policy of a template."""
        self.put_template(worlds.merged(self.templates[template], {"spec": {"lifecycle": lifecycle}}))

    def release(self, token: str, template: str = TEMPLATE) -> None:
        """The Agency lets a held set go."""
        self.set_policy(template, brake={"release": token})

    def trust_clock(self, *, trusted: bool) -> None:
        """Whether the operator's clock agrees with the API server's."""
        self.policy = replace(self.policy, clock_trusted=trusted)
        for cluster in self.members.values():
            cluster.policy = self.policy

    # what there is

    def decisions(self) -> dict[str, UnpublishDecision]:
        """The newest decision about each e-service that has one."""
        return {name: one.decisions[-1] for name, one in self.members.items() if one.decisions}

    def served(self) -> list[str]:
        """The e-services that have their public route."""
        return [
            name for name, cluster in self.members.items() if cluster.of_kind("EService") and cluster.routed()
        ]

    def held(self) -> list[str]:
        """The e-services whose decisions are held."""
        found = self.decisions().items()
        return [name for name, decision in found if decision.status.state is DecisionState.HELD]

    def gone(self) -> list[str]:
        """The e-services whose decisions are in effect."""
        found = self.decisions().items()
        return [name for name, decision in found if decision.status.state is DecisionState.EFFECTIVE]

    def tokens(self) -> set[str]:
        """Every token that was given."""
        found = (decision.status.hold_token for one in self.members.values() for decision in one.decisions)
        return {token for token in found if token is not None}

    def template_status(self, now: datetime, template: str = TEMPLATE) -> EServiceTemplateStatus:
        """What the status of a template says."""
        return self.decide_template(template, now).status

    def fleet(self, template: str) -> Fleet:
        """What the brake counts, read as the cluster says it."""
        services, decisions = [], []
        for cluster in self.members.values():
            recorded = _recorded(cluster)
            decisions += [
                as_recorded(one, recorded)
                for one in cluster.decisions
                if one.spec.release.template.name == template
            ]
            if not cluster.of_kind("EService"):
                continue
            public = cluster.status.release.public
            if public is not None and public.template.name == template:
                published = cluster.reason(ConditionType.PUBLISHED)
                up = published is not None and published[0] == "True"
                services.append(PublicService(cluster.service.spec.registration, public.template.version, up))
        return Fleet(tuple(services), tuple(decisions), self._deferrals, self._forsaken)

    def _deferrals(self, service: EServiceRef) -> tuple[UnpublishDeferral, ...]:
        found = [
            UnpublishDeferral.model_validate(body)
            for cluster in self.members.values()
            for body in cluster.of_kind("UnpublishDeferral").values()
        ]
        return tuple(one for one in found if one.spec.e_service == service)

    def _forsaken(self, decision: UnpublishDecision) -> bool:
        return not any(
            cluster.of_kind("EService") and cluster.service.spec.registration == decision.spec.registration
            for cluster in self.members.values()
        )

    # what happens

    def settle(self, now: datetime, order: Iterable[str] | None = None) -> datetime | None:
        """Let e-services and templates work, one after another, until nothing happens any more.

        Answers the next instant at which any of them is to be looked at.
        """
        names = list(self.members if order is None else order)
        for _ in range(ROUNDS):
            before = self._written()
            nexts = []
            for name in names:
                decision = self.members[name].settle(now)
                nexts.append(None if decision is None else decision.next_at)
            nexts += [self._reconcile_template(template, now) for template in self.templates]
            if before == self._written():
                return min((at for at in nexts if at is not None), default=None)
        raise AssertionError(f"not quiet after {ROUNDS} rounds")

    def advance(self, now: datetime, until: datetime) -> None:
        """Settle now and at every instant that anything names, up to and including ``until``."""
        following = self.settle(now)
        while following is not None and following <= until:
            assert following > now, "next_at has to lie ahead"
            now, following = following, self.settle(following)

    def decide_template(self, template: str, now: datetime) -> TemplateDecision:
        """What the operator decides about a template now."""
        read = EServiceTemplate.model_validate(self.templates[template])
        world = TemplateWorld(read, catalogue_of(read), fleet=self.fleet(template))
        return decide_template(world, now, self.policy)

    def _reconcile_template(self, template: str, now: datetime) -> datetime | None:
        decision = self.decide_template(template, now)
        for action in decision.actions:
            if self.crash_after == 0:
                return None
            self._carry_out(action)
            if self.crash_after is not None:
                self.crash_after -= 1
        decision = self.decide_template(template, now)
        assert self.crash_after is not None or not decision.actions, "a set is made in one go"
        body = self.templates[template] | {"status": status_body(decision.status)}
        assert_status_sound(body)
        self.templates[template] = body
        return decision.next_at

    def _carry_out(self, action: Action) -> None:
        assert isinstance(action, SetStatus)
        (cluster,) = [
            one for one in self.members.values() if action.ref.name in one.of_kind("UnpublishDecision")
        ]
        cluster.objects["UnpublishDecision", "", action.ref.name]["status"] = action.status
        self.frozen.append(action.ref.name)

    def _written(self) -> int:
        return sum(len(one.log) + len(one.statuses) for one in self.members.values()) + len(self.frozen)


def _recorded(cluster: PureCluster) -> RememberedDecision | None:
    """What the public route says of the last decision, where only the Agency writes it."""
    route = cluster.public_route() if driver_of(cluster.policy).far else None
    return None if route is None else decision_on(Observed(route))
