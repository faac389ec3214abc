# SPDX-License-Identifier: Apache-2.0
"""The stories in which an operator is killed: where each begins, what people do, and where it ends."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from eservice_operator.api.uses import Use
from eservice_operator.core.access.naming import binding_of
from eservice_operator.core.actions import Manifest
from tests.support.fleet import Planned
from tests.support.portrait import Names
from tests.support.register import Register
from tests.support.site import Site, condition, says, up_to_date

Story = Callable[[Site], Awaitable[None]]


@dataclass(frozen=True)
class Scenario:
    """``before`` is played by an operator that nobody touches, ``story`` by one that is killed."""

    name: str
    before: Story
    story: Story


def names_of(site: Site) -> Names:
    """Words for what two sites must differ in."""
    old, planned = outdated(site), site.planned()
    binding = binding_of(planned.name, Use.model_validate(Register(site).use()))
    return Names(site, [old.release, planned.release, old.renewed().release, binding])


def outdated(site: Site) -> Planned:
    """The site's e-service on the version that is soon too old."""
    return site.planned(version="1.0.0")


async def prepared(site: Site) -> None:
    await site.prepare()


async def nothing(_: Site) -> None:
    """The namespace is not there either."""


async def registration(site: Site) -> None:
    """A number is given, the namespace made, people get their rights."""
    planned = site.planned()
    people = {
        "developers": [{"kind": "Group", "name": f"developers-{site.mark}"}],
        "verifiers": [{"kind": "User", "name": f"verifier-{site.mark}"}],
    }
    await site.apply(planned.registration(spec={"access": people}))
    await site.until(planned.registered, registered, "a number, and its namespace")


def registered(obj: Manifest) -> bool:
    return bool(
        (obj.get("status") or {}).get("identifier")
        and says(obj, "Ready", "True", "Succeeded")
        and condition(obj, "Reconciling") is None
        and up_to_date(obj)
    )


async def first_publication(site: Site) -> None:
    planned = site.planned()
    await site.apply(planned.registration(), planned.eservice(), planned.act())
    await site.settled(planned, "AwaitingVerification")
    await site.apply(planned.verification())
    await site.settled(planned, "Published")


SCENARIOS = (
    Scenario("registration", nothing, registration),
    Scenario("first publication", prepared, first_publication),
)
