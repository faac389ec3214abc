# SPDX-License-Identifier: Apache-2.0
"""A consumer with every right in its own namespace, on the real API server: what it cannot open by it.

What it can is written in docs/access.md, under "What is not promised".
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from eservice_operator.api.names import API_VERSION, ESERVICE_LABEL
from eservice_operator.core.access.naming import grant_child
from eservice_operator.core.actions import Manifest, Ref
from tests.access.forgeries import (
    ONLY_THE_WALL,
    account,
    audience,
    copied,
    in_the_way,
    moved,
    open_door,
    right_to_invoke,
)
from tests.access.people import Person, person_of
from tests.access.stage import GRANTED, Front, binding_ref, requests
from tests.access.test_story import asking, opened
from tests.support.fleet import namespace
from tests.support.kubectl import Kubectl
from tests.support.operator import OperatorProcess
from tests.support.register import CODE, NAME, Register
from tests.support.site import gates, says

if TYPE_CHECKING:
    from controlplane import Cluster

pytestmark = pytest.mark.cluster

NO_GRANT = (403, "nogrant")


async def test_a_consumer_cannot_write_where_it_counts(register: Register, consumer: Person) -> None:
    planned = await asking(register, "address")
    await register.site.until(register.wall, lambda _: True, "the register is closed")
    elsewhere = register.namespace
    record = {"apiVersion": API_VERSION, "kind": "ConnectionTest", "metadata": {"name": "activation-1"}}
    written: list[Manifest] = [
        record | {"spec": register.tested(planned)["spec"] | {"observed": True}},
        register.grant(planned),
        register.web_service(spec={"isolation": "Observe"}),
        register.tested(planned, "v6"),
        planned.registration(spec={"institution": {"name": "UR", "code": CODE}}),
        *right_to_invoke(elsewhere, grant_child(planned.name), planned),
        open_door(elsewhere, "open"),
        namespace(elsewhere, "90000054163"),
        account(elsewhere, planned.name),
    ]
    for manifest in written:
        await consumer.may_not_make(manifest)


async def test_a_consumer_grants_itself_nothing(
    register: Register, front: Front, consumer: Person, kubectl: Kubectl, operator: OperatorProcess
) -> None:
    """With a register of its own by the same name, and all that a grant has, in its own namespace."""
    planned = await asking(register, "address")
    live = await register.site.see(planned.ref)
    await consumer.makes(*copied(register, planned, live))
    granted = {"type": "AccessGranted", "status": "True", "reason": "Active", "message": "granted"}
    since = {"lastTransitionTime": "2026-01-01T00:00:00Z"}
    await consumer.forges_status(live, {"phase": "Published", "conditions": [granted | since]})

    token = await consumer.token(planned.name, audience(register))
    await operator.at_rest()
    assert await front.call(token) == NO_GRANT
    assert await front.call(token, f"X-EService-Consumer: {register.namespace}/{NAME}") == NO_GRANT
    assert not await register.may(kubectl, planned)
    assert await in_the_way(register) == ONLY_THE_WALL
    await register.site.gone(binding_ref(planned, register.use()))
    await register.site.until(
        planned.ref,
        lambda obj: "AccessGranted" in gates(obj) and not says(obj, "AccessGranted", "True"),
        "it says how it is",
    )


async def test_a_grant_is_of_one_account_and_of_one_place(
    register: Register, front: Front, consumer: Person, cluster: Cluster, tmp_path: Path
) -> None:
    """Not of another ServiceAccount beside it, and not of an EService that claims its name elsewhere."""
    site, planned = register.site, await asking(register, "address")
    await opened(register, planned)
    await front.until(GRANTED, await front.token(planned, register.use()))
    await consumer.makes(account(consumer.namespace, "helper", **{ESERVICE_LABEL: planned.name}))
    assert await front.call(await consumer.token("helper", audience(register))) == NO_GRANT
    own = await consumer.token(planned.name, audience(register))
    assert await front.call(own, "X-On-Behalf-Of: 90000024455") == (403, "customernotlisted")

    place = f"thief-{site.mark}"
    await site.apply(namespace(place, "90000024455", **{"eservice.dev/environment": "production"}))
    thief = await person_of(site, cluster, place, tmp_path)
    claims = planned.eservice(spec={"uses": [register.use()]})
    await thief.makes(moved(claims, place), account(place, planned.name))
    await site.until(
        Ref(API_VERSION, "EService", place, planned.name),
        lambda obj: "Registered" in gates(obj),
        "it is not its registration",
    )
    assert await front.call(await thief.token(planned.name, audience(register))) == NO_GRANT
    shows = await site.until(register.ref, requests, "the holder sees who asks")
    asks = shows["status"]["requests"]
    assert {one["namespace"] for one in asks} == {planned.namespace}, "and it is no request"
    await thief.may_not_make(account(planned.namespace, planned.name))
