# SPDX-License-Identifier: Apache-2.0
"""A small world of web services in memory, read the way that each side sees it.

The objects of holders, agents and consumers, and from them what a consumer sees of its uses, a holder of its
web service and of an assignment. What one side sees is never built from what the other does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Any, Final

from typing_extensions import override

from eservice_operator.api.agent import AgentAssignment
from eservice_operator.api.connection import ConnectionTest
from eservice_operator.api.grant import WebServiceGrant, WebServiceGrantStatus
from eservice_operator.api.uses import Use
from eservice_operator.core.access.case import AgentCase, Consumer, GrantCase, Offer, Order, UseCase
from eservice_operator.core.access.terms import Times
from eservice_operator.core.access.using import UseStanding, use_standing
from eservice_operator.core.access.worlds import AssignmentWorld, WebServiceWorld
from eservice_operator.core.actions import Manifest
from eservice_operator.core.world import Observed
from tests.support import access, worlds
from tests.support.worlds import NOW

APPLICATION: Final = ("evry-production", "gateway")
CODES: Final = {"Rēzekne": "90000025465", "Cēsis": "90000031048", "Ogre": "90000024455"}


def times(now: datetime = NOW) -> Times:
    return Times(now, worlds.RIGA)


def registration(name: str, code: str, namespace: str, environment: str = "Production") -> Manifest:
    """A registration of an institution, in order, with one namespace."""
    place = {"environment": environment, "name": namespace}
    return worlds.registration(
        metadata={"name": name},
        spec={"institution": {"name": name, "code": code}, "namespaces": [place]},
        status={"namespaces": [place | {"state": "Ready"}]},
    )


def consumer(
    place: tuple[str, str], *uses: Manifest, code: str = "90000054163", claims: str | None = None
) -> Consumer:
    """An e-service that its own registration places there; ``claims``: that it only says is its own."""
    return replace(_placed(place, code, claims), uses=tuple(Use.model_validate(entry) for entry in uses))


@cache
def _placed(place: tuple[str, str], code: str, claims: str | None) -> Consumer:
    namespace, name = place
    registered = registration(name, code, claims or namespace)
    body = worlds.eservice(metadata={"namespace": namespace, "name": name}, spec={"registration": name})
    return access.consumer(service=body, registered=registered)


def joined(name: str, since: str = "2026-09-01", code: str | None = None) -> Manifest:
    """A customer of an agent, as the holder lists it."""
    return {"name": name, "code": code or CODES[name], "since": since}


@dataclass(frozen=True, repr=False)
class Register:
    """All there is."""

    offers: tuple[Offer, ...] = ()
    grants: tuple[WebServiceGrant, ...] = ()
    """The oldest first."""
    assignments: tuple[AgentAssignment, ...] = ()
    consumers: tuple[Consumer, ...] = ()
    tests: tuple[ConnectionTest, ...] = ()
    contact_domains: frozenset[str] = frozenset({"ur.example"})
    """Of the holder's contacts in the Agency's register."""

    @override
    def __repr__(self) -> str:
        """Short enough for a failure that somebody has to read."""
        offers = [
            (one.web_service.spec.model_dump(exclude_defaults=True), one.confirmed, one.pods is not None)
            for one in self.offers
        ]
        grants = [
            (
                one.metadata.name,
                one.spec.model_dump(
                    exclude={"contract_versions": {"__all__": {"evidence"}}}, exclude_defaults=True
                ),
            )
            for one in self.grants
        ]
        assignments = [
            (
                one.metadata.name,
                one.spec.model_dump(include={"pilot_customers", "customers", "valid_until", "ended"}),
            )
            for one in self.assignments
        ]
        uses = [
            (one.place, [use.model_dump(exclude_none=True) for use in one.uses]) for one in self.consumers
        ]
        return f"Register({offers=}, {grants=}, {assignments=}, {uses=}, {len(self.tests)} tests)"

    def _repr_pretty_(self, printer: Any, _cycle: object) -> None:
        """What Hypothesis shows."""
        printer.text(repr(self))

    def offer(self, namespace: str, name: str) -> Offer | None:
        return next((one for one in self.offers if one.place == f"{namespace}/{name}"), None)

    def consumer(self, namespace: str, name: str) -> Consumer | None:
        return next((one for one in self.consumers if one.place == (namespace, name)), None)

    def case(self, grant: WebServiceGrant) -> GrantCase:
        namespace, named, agent = grant.metadata.namespace, grant.spec.consumer, grant.spec.agent
        return GrantCase(
            grant,
            self.offer(namespace, grant.spec.web_service),
            self.consumer(named.namespace, named.name),
            tests=self.tests,
            assignment=None if agent is None else self.assignment(namespace, agent.assignment),
        )

    def assignment(self, namespace: str, name: str) -> AgentAssignment | None:
        wanted = (namespace, name)
        found = (one for one in self.assignments if (one.metadata.namespace, one.metadata.name) == wanted)
        return next(found, None)

    def agent(self, assignment: AgentAssignment, *, orders: bool = False) -> AgentCase:
        namespace, name = assignment.metadata.namespace, assignment.metadata.name
        connections = (
            self.case(grant)
            for grant in self.grants
            if grant.metadata.namespace == namespace
            and grant.spec.agent is not None
            and grant.spec.agent.assignment == name
            and grant.spec.web_service == assignment.spec.web_service
        )
        asked = (order for order in self.orders(namespace, assignment.spec.web_service))
        return AgentCase(
            assignment,
            self.offer(namespace, assignment.spec.web_service),
            tuple(connections),
            tuple(order for order in asked if order.use.agent == name) if orders else (),
        )

    def orders(self, namespace: str, name: str) -> Iterable[Order]:
        for asking in self.consumers:
            for use in asking.uses:
                if (use.web_service.namespace, use.web_service.name) == (namespace, name):
                    yield Order(asking, use)

    def standings(self, place: tuple[str, str], now: datetime = NOW) -> tuple[UseStanding, ...]:
        """What an e-service reads of its uses, in their order."""
        asking = self.consumer(*place)
        assert asking is not None
        found = []
        for use in asking.uses:
            holder, name = use.web_service.namespace, use.web_service.name
            assigned = None if use.agent is None else self.assignment(holder, use.agent)
            case = UseCase(
                use,
                self.offer(holder, name),
                tuple(
                    self.case(grant)
                    for grant in self.grants
                    if (grant.metadata.namespace, grant.spec.web_service) == (holder, name)
                    and (grant.spec.consumer.namespace, grant.spec.consumer.name) == place
                ),
                None if assigned is None else self.agent(assigned),
            )
            found.append(use_standing(case, asking, times(now)))
        return tuple(found)

    def standing(self, place: tuple[str, str], now: datetime = NOW) -> UseStanding:
        """What an e-service reads of its only use."""
        (found,) = self.standings(place, now)
        return found

    def web_service(
        self, namespace: str = access.HOLDER, name: str = access.REGISTER, **more: Any
    ) -> WebServiceWorld:
        """What a holder sees."""
        offer = self.offer(namespace, name)
        assert offer is not None
        return WebServiceWorld(
            offer,
            contact_domains=self.contact_domains,
            grants=tuple(
                self.case(grant)
                for grant in self.grants
                if (grant.metadata.namespace, grant.spec.web_service) == (namespace, name)
            ),
            orders=tuple(self.orders(namespace, name)),
            agents=tuple(
                self.agent(one)
                for one in self.assignments
                if (one.metadata.namespace, one.spec.web_service) == (namespace, name)
            ),
            **more,
        )

    def assigned(self, namespace: str = access.HOLDER, name: str = access.AGENT) -> AssignmentWorld:
        """What the holder sees of an assignment."""
        found = self.assignment(namespace, name)
        assert found is not None
        return AssignmentWorld(self.agent(found, orders=True))

    def but(self, **parts: Any) -> Register:
        """The same with other parts."""
        return replace(self, **parts)


def granted(*bodies: Manifest) -> tuple[WebServiceGrant, ...]:
    """Grants that opened what they name."""
    return tuple(WebServiceGrant.model_validate(access.opened(body)) for body in bodies)


NOT_OPEN: Final = "granted, and not yet open: Role grant.x exists and is not ours; it was left alone"


def not_open(grant: WebServiceGrant, *versions: str, reason: str = "NameCollision") -> WebServiceGrant:
    """A grant of which the operator has written that these contract versions are not open, though allowed."""
    entry = {"state": "Pending", "reason": reason, "message": NOT_OPEN}
    status = {
        "observedGeneration": grant.metadata.generation,
        "state": "Pending",
        "reason": reason,
        "contractVersions": [
            *(entry | {"version": version} for version in versions),
            *(one for one in grant.status.contract_versions if one.version not in versions),
        ],
    }
    return grant.model_copy(update={"status": WebServiceGrantStatus.model_validate(status)})


def assigned(*bodies: Manifest) -> tuple[AgentAssignment, ...]:
    return tuple(AgentAssignment.model_validate(body) for body in bodies)


def passed(*bodies: Manifest) -> tuple[ConnectionTest, ...]:
    return tuple(ConnectionTest.model_validate(body) for body in bodies)


def customer(name: str) -> Consumer:
    """An e-service of a customer, which orders through the agent."""
    place = customer_place(name)
    return consumer(place, access.use(None, agent=access.AGENT), code=CODES[name])


def customer_place(name: str) -> tuple[str, str]:
    return {"Rēzekne": ("rezekne", "rezekne"), "Cēsis": ("cesis", "cesis"), "Ogre": ("ogre", "ogre")}[name]


def connection(*versions: str, **patch: Any) -> Manifest:
    """The grant that lets the agent's application in."""
    spec: Mapping[str, Any] = {
        "consumer": {"namespace": APPLICATION[0], "name": APPLICATION[1]},
        "contractVersions": access.granted(*(versions or ("v5",))),
        "agent": {"assignment": access.AGENT},
    }
    return dict(worlds.merged(access.grant("evry", spec=spec), patch))


def agents_register(assignment: Manifest | None = None, *connections: Manifest) -> Register:
    """A register with an agent in order: two pilots and Ogre, which joined, have ordered."""
    body = access.assignment(spec={"customers": [joined("Ogre")]}) if assignment is None else assignment
    versions = ("v4", "v5", "v6")
    contracts = [{"version": "v4", "endOfLife": "2027-10-31"}, {"version": "v5"}, {"version": "v6"}]
    return Register(
        offers=(access.offer(access.web_service(spec={"contracts": contracts})),),
        grants=granted(*(connections or (connection(),))),
        assignments=assigned(body),
        consumers=(
            consumer(
                APPLICATION,
                *(access.use(one, name=f"as-{one}", as_agent=access.AGENT) for one in versions),
                code="40003022232",
            ),
            *(customer(name) for name in CODES),
        ),
        tests=passed(
            *(
                access.connection_test(f"gateway-{one}", one, spec={"registration": "gateway"})
                for one in versions
            )
        ),
    )


def children(*manifests: Manifest) -> dict[tuple[str, str], Observed]:
    """What was written, as it is observed."""
    found = {}
    for manifest in manifests:
        metadata = manifest["metadata"]
        body = manifest | {"metadata": metadata | {"uid": f"uid-{metadata['name']}"}}
        found[manifest["kind"], metadata["name"]] = Observed(body)
    return found
