# SPDX-License-Identifier: Apache-2.0
"""A supplier whose application calls a register, as agent of the municipalities that buy from it (R9)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from eservice_operator.api.names import API_VERSION
from eservice_operator.core.actions import Manifest, Ref
from tests.access.stage import binding_ref
from tests.support.fleet import Planned, days_ago, namespace, today
from tests.support.register import NAME, Register, signed
from tests.support.site import Site

TILTS = "tilts"
CODES = {TILTS: "40203000017", "rezekne": "90000025465", "cesis": "90000031048", "ogre": "90000024455"}
PILOTS = ("rezekne", "cesis")
EVIDENCE = {"selfDeclaration": signed("declaration"), "endToEnd": signed("end-to-end")}
ASSIGNMENT = "tilts"
NOT_LISTED = (403, "customernotlisted")
"""How a call for somebody else than a customer is refused."""


def on_behalf_of(customer: str) -> str:
    return f"X-On-Behalf-Of: {CODES[customer]}"


@dataclass
class Market:
    """A supplier's application that may call the register, and the municipalities that buy from it."""

    register: Register
    pilots: dict[str, Manifest | None] = field(default_factory=dict)
    """The evidence of each pilot, by its name."""
    customers: list[str] = field(default_factory=list)

    @property
    def site(self) -> Site:
        return self.register.site

    @property
    def ref(self) -> Ref:
        return Ref(API_VERSION, "AgentAssignment", self.register.namespace, ASSIGNMENT)

    @property
    def through(self) -> Manifest:
        """How a customer asks."""
        place = {"namespace": self.register.namespace, "name": NAME}
        return {"name": "persons", "webService": place, "agent": ASSIGNMENT}

    def use(self, version: str = "v5") -> Manifest:
        """How the agent's application asks."""
        return self.register.use(version) | {"asAgent": ASSIGNMENT}

    def planned(self, who: str) -> Planned:
        return Planned(f"{who}-{self.site.mark}", f"{who}-{self.site.mark}", self.site.template)

    async def settle_in(self, who: str, *uses: Manifest) -> Planned:
        """Somebody's own namespace, registration and e-service, accepted and so installed."""
        planned = self.planned(who)
        institution = {"name": who, "code": CODES[who]}
        await self.site.apply(
            namespace(planned.namespace, CODES[who]),
            planned.registration(spec={"institution": institution}),
            planned.act(),
            planned.eservice(spec={"uses": list(uses)}),
        )
        return planned

    def assignment(self, **patch: Any) -> Manifest:
        spec = {
            "webService": NAME,
            "agent": {"name": "SIA Tilts", "code": CODES[TILTS]},
            "agreement": {"number": "A-12", "signedAt": days_ago(30), "document": signed("a-12")},
            "pilotCustomers": [
                {"name": one, "code": CODES[one]} | ({"evidence": evidence} if evidence else {})
                for one, evidence in self.pilots.items()
            ],
            "customers": [{"name": one, "code": CODES[one], "since": str(today())} for one in self.customers],
        }
        metadata = {"name": self.ref.name, "namespace": self.ref.namespace}
        return {
            "apiVersion": API_VERSION,
            "kind": "AgentAssignment",
            "metadata": metadata,
            "spec": spec | patch,
        }

    async def assign(self, **patch: Any) -> None:
        await self.site.apply(self.assignment(**patch))

    async def connect(self, *versions: str) -> None:
        """The one grant of the agent's application."""
        granted = self.register.grant(self.planned(TILTS), *versions, agent={"assignment": ASSIGNMENT})
        await self.site.apply(granted)

    async def bound(self, who: str) -> Manifest:
        """The binding of a customer, once it is there."""
        ref = binding_ref(self.planned(who), self.through)
        return await self.site.until(ref, lambda _: True, f"{who} is told where")


async def let_in(market: Market, *customers: str) -> Planned:
    """The application with its connection of v5, tested, and these customers' e-services."""
    register = market.register
    agent = await market.settle_in(TILTS, market.use())
    await market.site.apply(register.tested(agent), register.tested(agent, "v6"))
    for who in customers:
        await market.settle_in(who, market.through)
    return agent
