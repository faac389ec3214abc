# SPDX-License-Identifier: Apache-2.0
"""A small town: three e-services, a register that they may call, and what people last meant each to be.

Valid edits change what is meant and write it; vandalism writes past it. To heal is to write all that is meant
again, with a new release that everybody stands by.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from eservice_operator.api.uses import Use
from eservice_operator.cluster.resources import CHILDREN, resource_of
from eservice_operator.core.access.naming import binding_of
from eservice_operator.core.actions import Manifest, ref_of
from tests.support import fleet
from tests.support.fleet import Planned, instruction, months_ago, today
from tests.support.register import Register
from tests.support.site import Site
from tests.support.worlds import merged
from tests.transitions.hands import Hands

NAMES = ("address", "parking", "tax")
CONTRACTS = ("v5", "v6")


@dataclass
class Course:
    """What people mean one e-service to be."""

    planned: Planned
    uses: tuple[str, ...] = ()
    hosts: tuple[int, ...] = (0,)
    path: str = "/"
    level: str = "info"
    paused: bool = False
    delivered: bool = True
    suspended: bool = False
    allowed: tuple[int, ...] = (0, 1)

    def host(self, number: int) -> str:
        """One of its two hosts."""
        return self.planned.host if number == 0 else f"also.{self.planned.host}"


@dataclass
class Town:
    """All that people mean to be there."""

    site: Site
    hands: Hands
    services: list[Course] = field(default_factory=list)
    versions: list[Manifest] = field(default_factory=list)
    lifecycle: dict[str, Any] = field(default_factory=dict)
    contracts: dict[str, str | None] = field(default_factory=lambda: dict.fromkeys(CONTRACTS))
    isolation: str = "Enforce"
    known: list[Planned] = field(default_factory=list)
    """Every release that there ever was, the oldest first."""
    _serial: int = 0

    @property
    def register(self) -> Register:
        return Register(self.site)

    def serial(self) -> int:
        """A number that nobody had before."""
        self._serial += 1
        return self._serial

    # what is meant, as manifests

    def template(self) -> Manifest:
        body = fleet.template(self.site.template, (), **self.lifecycle)
        body["spec"]["versions"] = self.versions
        return body

    def registration(self, course: Course) -> Manifest:
        hosts = [{"environment": "Production", "host": course.host(one)} for one in course.allowed]
        suspended = {"suspended": {"reason": "an incident"}} if course.suspended else {}
        return course.planned.registration(spec={"hosts": hosts} | suspended)

    def eservice(self, course: Course) -> Manifest:
        publication: Manifest = {"hosts": [course.host(one) for one in course.hosts], "path": course.path}
        if course.paused:
            publication["paused"] = {"reason": "maintenance"}
        spec: Manifest = {
            "uses": [self.register.use(version) for version in course.uses],
            "workload": {"env": [{"name": "LOG_LEVEL", "value": course.level}]},
            "publication": publication,
        }
        body = course.planned.eservice(spec=spec)
        if not course.delivered:
            body["spec"]["release"]["documents"] = body["spec"]["release"]["documents"][:2]
        return body

    def act(self, course: Course, **spec: Any) -> Manifest:
        """The act of the release that is meant now, under a name that says which that is."""
        planned = course.planned
        body = planned.act(spec=spec)
        named = f"{planned.namespace}.{planned.name}.{planned.version}.{planned.content}"
        return dict(merged(body, {"metadata": {"name": named}}))

    def bindings(self) -> list[str]:
        """Names of all bindings that there can be."""
        uses = [Use.model_validate(self.register.use(version)) for version in CONTRACTS]
        return [binding_of(course.planned.name, use) for course in self.services for use in uses]

    def web_service(self) -> Manifest:
        contracts = [
            {"version": version} | ({} if end is None else {"endOfLife": end})
            for version, end in self.contracts.items()
        ]
        return self.register.web_service(spec={"contracts": contracts, "isolation": self.isolation})

    def assignment(self, *, signed: bool = True, customers: int = 0) -> Manifest:
        """An agent with its agreement and two pilots, and further customers."""
        document = {"url": "https://docs.example/agreement", "sha256": "5" * 64}
        evidence = {"selfDeclaration": document, "endToEnd": document}
        pilots = [
            {"name": "Rēzekne", "code": "90000025465", "evidence": evidence},
            {"name": "Cēsis", "code": "90000031048", "evidence": evidence},
        ]
        joined = [
            {"name": f"Pagasts {number}", "code": f"9000000{number:04d}", "since": fleet.days_ago(1)}
            for number in range(customers)
        ]
        spec: Manifest = {"pilotCustomers": pilots, "customers": joined}
        if signed:
            spec["agreement"] = {"number": "A-12", "signedAt": fleet.days_ago(30), "document": document}
        return dict(merged(self.register.assignment(), {"spec": spec}))

    def released(self, course: Course, **change: Any) -> None:
        """The e-service is meant to be another release."""
        course.planned = replace(course.planned, **change)
        if course.planned not in self.known:
            self.known.append(course.planned)

    # the town at its beginning, and healed

    async def found(self) -> None:
        """Everything in good order, all at once: the e-services become public."""
        numbers = (("1.0.0", 22, 21), ("2.0.0", 12, 11), ("3.0.0", 1, None))
        self.versions = [
            _version(number, months_ago(at), None if since is None else months_ago(since))
            for number, at, since in numbers
        ]
        self.services = [Course(self.site.planned(name)) for name in NAMES]
        self.services[-1].planned = self.site.planned(NAMES[-1], version="1.0.0")  # left behind by the last
        self.services[0].uses = ("v5",)
        self.known = [course.planned for course in self.services]
        await self.order(renewed=False)

    async def order(self, *, renewed: bool = True) -> None:
        """Write all that is meant, with a new release of each e-service that everybody stands by."""
        await self._clear_the_way()
        if renewed:
            self._renew()
        await self.mark()
        await self.site.apply(self.template(), self.register.backend())
        await self.hands.apply(self.web_service())
        for course in self.services:
            await self._order_service(course)

    def _renew(self) -> None:
        number = f"9.0.{self.serial()}"
        self.versions.append(_version(number, str(today()), str(today())))
        self.contracts = dict.fromkeys(CONTRACTS)
        for course in self.services:
            course.delivered, course.suspended, course.paused = True, False, False
            course.allowed = (0, 1)
            self.released(course, version=number, content=f"healed-{number}")

    async def _order_service(self, course: Course) -> None:
        planned, hands = course.planned, self.hands
        await hands.apply(self.registration(course))
        await hands.apply(self.act(course))
        for version in CONTRACTS:
            await hands.apply(self.register.tested(planned, version))
        await self.grant(course)
        await hands.apply(self.eservice(course))
        await self.verify(course)

    async def grant(self, course: Course, *versions: str, **spec: Any) -> bool:
        """The holder's answer; one that cannot be changed to it is written anew."""
        ref = self.register.grant_ref(course.planned)
        if not (versions or course.uses):
            return await self.hands.delete(ref)
        body = self.register.grant(course.planned, *(versions or course.uses), **spec)
        if await self.hands.apply(body):
            return True
        await self.hands.delete(ref)
        live = await self.hands.see(ref)
        if live is not None and HELD_BY in live["metadata"]["finalizers"]:
            return False
        await self.site.gone(ref)
        return await self.hands.apply(body)

    async def verify(self, course: Course, outcome: str = "Passed", **spec: Any) -> bool:
        """The institution's word; a later one has a later name, for those of the same second."""
        body = course.planned.verification(outcome, spec=spec)
        body["metadata"]["name"] = f"{course.planned.name}-{self.serial():06d}"
        return await self.hands.apply(body)

    async def mark(self) -> None:
        """The namespaces are governed: in one that is not, nothing is made and nothing mended."""
        await self.site.apply(fleet.namespace(self.site.namespace), self.register.home())

    async def let_go(self) -> None:
        """Nobody's finalizer holds anything any more."""
        for obj in await self.obstacles():
            await self._unhold(obj)

    async def open_up(self) -> None:
        """Remove what vandals made, and take their finalizers off."""
        for obj in await self.obstacles():
            await self._let_go(obj)

    async def _clear_the_way(self) -> None:
        """Nothing stands in the way, and what is being removed has gone."""
        await self.open_up()
        for course in self.services:
            for ref in (course.planned.ref, course.planned.registered):
                live = await self.site.api.get(ref)
                if live is not None and "deletionTimestamp" in live["metadata"]:
                    await self.site.gone(ref)

    async def obstacles(self) -> list[Manifest]:
        """What vandals made or hold by a finalizer."""
        found = []
        places = (self.site.namespace, self.register.namespace)
        kinds = [*CHILDREN, resource_of("EService"), resource_of("WebServiceGrant")]
        for resource in kinds:
            for place in places:
                items, _ = await self.site.api.list(resource, place)
                found += [item for item in items if _is_vandals(item)]
        return found

    async def _unhold(self, obj: Manifest) -> None:
        kept = [one for one in obj["metadata"].get("finalizers") or () if one != HELD_BY]
        if kept != (obj["metadata"].get("finalizers") or []):
            change = {"op": "replace", "path": "/metadata/finalizers", "value": kept}
            await self.hands.patch(ref_of(obj), change)

    async def _let_go(self, obj: Manifest) -> None:
        await self._unhold(obj)
        if FOREIGN in (obj["metadata"].get("labels") or {}):
            await self.hands.delete(ref_of(obj))


HELD_BY = "example.com/held"
FOREIGN = "example.com/foreign"


def _is_vandals(obj: Manifest) -> bool:
    metadata = obj["metadata"]
    return HELD_BY in (metadata.get("finalizers") or ()) or FOREIGN in (metadata.get("labels") or {})


def _version(number: str, released: str, published: str | None) -> Manifest:
    told = {} if published is None else {"migrationInstruction": instruction(number, published)}
    return {"version": number, "released": released} | told
