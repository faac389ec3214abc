# SPDX-License-Identifier: Apache-2.0
"""The worlds of the kinds of access: one object and everything that its decision depends on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from eservice_operator.api.people import mail_domain
from eservice_operator.core.access.case import AgentCase, GrantCase, Offer, Order
from eservice_operator.core.letters import Delivery
from eservice_operator.core.world import Observed

Children = Mapping[tuple[str, str], Observed]
"""By kind and name."""


class Copied(StrEnum):
    """What came of copying a grant's credentials to its consumer."""

    COPIED = "Copied"
    MISSING = "Missing"
    WRONG_TYPE = "WrongType"
    TOO_LARGE = "TooLarge"
    FORBIDDEN = "Forbidden"
    NAME_TAKEN = "NameTaken"


@dataclass(frozen=True)
class GrantWorld:
    """One grant."""

    case: GrantCase
    children: Children = field(default_factory=dict)
    """Its own, in the holder's namespace."""
    bindings: tuple[Observed, ...] = ()
    """The ConfigMaps of its consumer, children of that EService, that say they are of this grant
    (`names.GRANT_ANNOTATION`)."""
    customers_bindings: Iterable[Observed] = ()
    """The same of its agent's customers. They may be many, and are looked for only where something ends."""
    copied: Copied | None = None
    """What came of copying its credentials; None while that was not tried."""


@dataclass(frozen=True)
class WebServiceWorld:
    """One WebService."""

    offer: Offer
    grants: tuple[GrantCase, ...] = ()
    """Every grant that names it, the oldest first."""
    orders: tuple[Order, ...] = ()
    """Who asks for it, whether answered or not; through agents, too."""
    agents: tuple[AgentCase, ...] = ()
    """The assignments for it."""
    children: Children = field(default_factory=dict)
    foreign_roles: tuple[str, ...] = ()
    """Names of Roles of others in the holder's namespace that let somebody invoke it."""
    foreign_bindings: tuple[str, ...] = ()
    """Names of RoleBindings of others there, to Roles of its grants."""
    contact_domains: frozenset[str] = frozenset()
    """The mail domains of the contacts that the Agency registered for the institution, in lower case."""
    deliveries: Mapping[str, Delivery] = field(default_factory=dict)
    """What became of its notices since they were handed to a channel, by notice id."""
    under_way: frozenset[str] = frozenset()
    """Ids of its notices that are in the hands of a channel, or wait there."""

    @property
    def contact(self) -> str | None:
        """The holder's address, where letters may go there; None where it may name anybody's.

        It has to be at a domain of the institution's contacts in the Agency's register (R1).
        """
        email = self.offer.web_service.spec.holder.email
        return email if mail_domain(email) in self.contact_domains else None


@dataclass(frozen=True)
class AssignmentWorld:
    """One AgentAssignment."""

    agent: AgentCase
