# SPDX-License-Identifier: Apache-2.0
"""The frozen values that access is judged on: who offers, who asks, and what the holder answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from eservice_operator.api import names
from eservice_operator.api.agent import AgentAssignment
from eservice_operator.api.base import ObjectMeta
from eservice_operator.api.connection import ConnectionTest
from eservice_operator.api.eservice import EService
from eservice_operator.api.grant import WebServiceGrant
from eservice_operator.api.registration import EServiceRegistration
from eservice_operator.api.uses import Use, WebServiceRef
from eservice_operator.api.webservice import WebService
from eservice_operator.core.once import once

if TYPE_CHECKING:
    from eservice_operator.core.access.addresses import Network
    from eservice_operator.core.access.connections import Connection
    from eservice_operator.core.access.terms import Standing, Times


@dataclass(frozen=True)
class Pods:
    """The Pods behind a Service, as a NetworkPolicy names them."""

    namespace: str
    selector: Mapping[str, str]
    ports: tuple[int | str, ...]
    """The ports that the Pods listen on, as numbers or names; TCP."""


@dataclass(frozen=True)
class Offer:
    """A WebService, and what decides whether it may be opened at all."""

    web_service: WebService
    namespace_labels: Mapping[str, str] = field(default_factory=dict)
    """Of the holder's namespace: only administrators set those that count."""
    pods: Pods | None = None
    """The Pods behind ``backend.service``; None where there is no such Service, port or selector, and for an
    address outside."""
    trial: Offer | None = None
    """The WebService that ``testedAs`` names, without its Pods; None where there is none that can be read."""
    cluster_networks: tuple[Network, ...] = ()
    """The cluster's own networks, which no address outside is in."""

    @property
    def place(self) -> str:
        """``namespace/name`` of the WebService."""
        metadata = self.web_service.metadata
        return f"{metadata.namespace}/{metadata.name}"

    @property
    def confirmed(self) -> bool:
        """Whether the namespace is the holder's, for this environment: administrators said so."""
        spec, labels = self.web_service.spec, self.namespace_labels
        return (
            labels.get(names.INSTITUTION_LABEL) == spec.holder.code
            and labels.get(names.ENVIRONMENT_LABEL) == spec.environment.value.lower()
        )


@dataclass(frozen=True)
class Consumer:
    """An EService that may call web services, or asks to."""

    service: EService
    registration: EServiceRegistration | None = None
    senior: ObjectMeta | None = None
    """The next older EService for the registration and environment: where there is one, it does not stand."""
    uses: tuple[Use, ...] = ()
    """What it asks for: by its spec, and by the releases of it that are remembered."""
    pods: Pods | None = None
    """Its own Pods, as others reach them (as an agent's application); None before it runs."""
    unread: frozenset[str] = frozenset()
    """The kinds of those of its objects that are there and cannot be read: itself, its registration."""

    @property
    def place(self) -> tuple[str, str]:
        """Its namespace and name."""
        return self.service.metadata.namespace, self.service.metadata.name

    @property
    def code(self) -> str | None:
        """The code of the institution that it is registered for."""
        return None if self.registration is None else self.registration.spec.institution.code


@dataclass(frozen=True)
class GrantCase:
    """A grant and everything that what it opens depends on."""

    grant: WebServiceGrant
    offer: Offer | None = None
    """The WebService that it names; None where there is none that can be read."""
    consumer: Consumer | None = None
    """The EService that it names."""
    tests: tuple[ConnectionTest, ...] = ()
    """Of this web service and the consumer's registration."""
    tested: tuple[GrantCase, ...] = ()
    """The grants of the WebService at ``testedAs``; they have none in turn."""
    assignment: AgentAssignment | None = None
    """Where the consumer is an agent's application: the assignment that the grant names."""
    unread: frozenset[str] = frozenset()
    """The kinds of what it rests on that is there and cannot be read: an absence that says nothing."""
    opened: frozenset[str] = frozenset()
    """The contract versions that its Role gives the right to: what stays open where something is unclear."""
    judged: dict[Times, tuple[Standing, ...]] = field(
        default_factory=dict, init=False, compare=False, repr=False
    )
    """What `standings` found last: everybody that looks at it asks anew."""

    @once
    def web_service(self) -> WebServiceRef:
        """The WebService that it is of."""
        return self.grant.web_service


@dataclass(frozen=True)
class AgentCase:
    """An assignment, its web service and the connection of the agent's application."""

    assignment: AgentAssignment
    offer: Offer | None = None
    connections: tuple[GrantCase, ...] = ()
    """The grants that name the assignment, the oldest first."""
    orders: tuple[Order, ...] = ()
    """Who asks to be served through it; only where that is asked for (the agent's side)."""
    connected: dict[Times, Connection | None] = field(
        default_factory=dict, init=False, compare=False, repr=False
    )
    """What `connection_of` found last: every order asks it anew."""


@dataclass(frozen=True)
class Order:
    """An EService that asks to call a web service through an agent."""

    consumer: Consumer
    use: Use
    unread: frozenset[str] = frozenset()
    """The kinds of what it names that is there and cannot be read: ``WebService``, ``AgentAssignment``."""
    bound: bool = False
    """Whether its binding is there, of a customer of an agent: what it holds on to while nobody can tell."""


@dataclass(frozen=True)
class UseCase:
    """One of the uses of an e-service, and what answers it."""

    use: Use
    offer: Offer | None = None
    grants: tuple[GrantCase, ...] = ()
    """The grants of that web service that name this EService, the oldest first; one that makes it an agent's
    application, too: it asks for that as any other does."""
    agent: AgentCase | None = None
    """The assignment that the use names, if there is one."""
    unread: frozenset[str] = frozenset()
    """``AgentAssignment`` where the one that it names is there and cannot be read."""
    bound: bool = False
    """Whether its binding is there: what a customer of an agent holds on to while nobody can tell."""


def ordered(order: Order, agent: AgentCase) -> UseCase:
    """What answers an order through an agent."""
    return UseCase(order.use, agent.offer, agent=agent, unread=order.unread, bound=order.bound)


@dataclass(frozen=True)
class Access:
    """All that an EService has to do with web services."""

    consumer: Consumer | None = None
    uses: tuple[UseCase, ...] = ()
    """Every use of its spec and of its remembered releases, each once."""
    served: tuple[AgentCase, ...] = ()
    """The assignments whose application this EService is, with who orders through them."""
    unsure: tuple[Order, ...] = ()
    """Who orders through those of them that are there and cannot be read."""

    def case(self, use: Use) -> UseCase:
        """What answers a use; nothing does where it was not looked for."""
        return next((one for one in self.uses if one.use == use), UseCase(use))


NO_ACCESS = Access()
