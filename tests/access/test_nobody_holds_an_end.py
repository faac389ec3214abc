# SPDX-License-Identifier: Apache-2.0
"""An end of access is the holder's: nothing that others make or keep in their namespaces holds it.

Not a forged copy of what is opened, not a finalizer of somebody's own on what is, and not an EService that
is kept from going.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from eservice_operator.api.names import API_VERSION, GRANT_ANNOTATION
from eservice_operator.cluster.errors import Conflict
from eservice_operator.core.access.naming import access_policy
from eservice_operator.core.actions import Manifest, Ref
from tests.access.forgeries import moved
from tests.access.market import EVIDENCE, PILOTS, Market, let_in
from tests.access.people import Person, marks_of, person_of
from tests.access.stage import GRANTED, Front, binding_ref
from tests.access.test_credentials import KEY, secret
from tests.access.test_story import asking, opened
from tests.support.fleet import Planned, namespace
from tests.support.kubectl import Kubectl
from tests.support.register import Register
from tests.support.site import Site, poll, says

if TYPE_CHECKING:
    from pathlib import Path

    from controlplane import Cluster

pytestmark = [pytest.mark.cluster, pytest.mark.usefixtures("copying")]

HELD = "example.lv/hold"


async def hold(site: Site, ref: Ref) -> None:
    """Somebody's finalizer, which nobody is there to remove; on an EService beside ours."""
    await _finalizers(site, ref, lambda there: [*there, HELD])


async def let_go(site: Site, ref: Ref) -> None:
    """It is removed."""
    await _finalizers(site, ref, lambda there: [one for one in there if one != HELD])
    await site.gone(ref)


async def _finalizers(site: Site, ref: Ref, change: Callable[[list[str]], list[str]]) -> None:
    """Somebody writes them anew, on what is there by then: the operator writes the status beside it."""

    async def written() -> bool:
        metadata = (await site.see(ref))["metadata"]
        ops = [
            {"op": "add", "path": "/metadata/finalizers", "value": change(metadata.get("finalizers", []))},
            {"op": "replace", "path": "/metadata/resourceVersion", "value": metadata["resourceVersion"]},
        ]
        try:
            await site.api.json_patch(ref, ops)
        except Conflict:
            return False
        return True

    await poll(written, lambda: f"the finalizers of {ref}")


def forged(name: str, place: str, owner: Manifest, grant: Ref) -> Manifest:
    """A ConfigMap that says of itself all that a binding does, in a namespace of its maker's."""
    annotations = {GRANT_ANNOTATION: f"{grant.namespace}/{grant.name}"}
    metadata = {"name": name, "namespace": place, "annotations": annotations} | marks_of(owner)
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"contract-version": "v5"}}


async def stranger_in(site: Site, cluster: Cluster, folder: Path) -> Person:
    """An institution that neither asked nor answered, with a namespace as administrators give it."""
    place = f"third-{site.mark}"
    await site.apply(namespace(place, "90000024455", **{"eservice.dev/environment": "production"}))
    return await person_of(site, cluster, place, folder)


async def test_a_forged_binding_elsewhere(
    register: Register, holder: Person, cluster: Cluster, tmp_path: Path
) -> None:
    """Owned by what is really there, and stays: a ConfigMap, and an EService that asks for the same."""
    site, planned = register.site, await asking(register, "address")
    await opened(register, planned)
    stranger = await stranger_in(site, cluster, tmp_path)
    place, grant = stranger.namespace, register.grant_ref(planned)
    anchor = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "anchor", "namespace": place}}
    own = moved(planned.eservice(spec={"uses": [register.use()]}), place, name="own")
    await stranger.makes(anchor, own)
    kept = forged("by-anchor", place, await site.see(Ref("v1", "ConfigMap", place, "anchor")), grant)
    service = await site.see(Ref(API_VERSION, "EService", place, "own"))
    taken = forged("by-eservice", place, service, grant)
    taken["metadata"]["finalizers"] = [HELD]
    await stranger.makes(kept, taken)
    asked = ("delete", "wsg", grant.name, f"--namespace={grant.namespace}", "--wait=false")
    done = await holder.terminal.kubectl(*asked)
    assert done.code == 0, done.err
    await site.gone(grant)
    for name in ("by-anchor", "by-eservice"):
        assert await site.see(Ref("v1", "ConfigMap", place, name)), "it is there still, and held nothing"
    await let_go(site, Ref("v1", "ConfigMap", place, "by-eservice"))


async def test_a_forged_customer_of_an_agent(
    market: Market, holder: Person, cluster: Cluster, tmp_path: Path
) -> None:
    """Whoever writes that it orders, is being deleted, and makes bindings for as long as it likes."""
    site, register = market.site, market.register
    market.pilots = dict.fromkeys(PILOTS, EVIDENCE)
    agent = await let_in(market)
    await holder.makes(market.assignment(), register.grant(agent, agent={"assignment": market.ref.name}))
    grant = register.grant_ref(agent)
    await site.until(grant, lambda obj: says(obj, "Active", "True"), "it is open")
    stranger = await stranger_in(site, cluster, tmp_path)
    place = stranger.namespace
    own = moved(market.planned("own").eservice(spec={"uses": [market.through]}), place, name="own")
    await stranger.makes(own)
    ref = Ref(API_VERSION, "EService", place, "own")
    await hold(site, ref)
    await site.delete(ref)
    await site.until(ref, lambda obj: obj["metadata"]["finalizers"] == [HELD], "ours is gone")
    await stranger.makes(forged("by-eservice", place, await site.see(ref), grant))
    await site.delete(grant)
    await site.gone(grant)
    await let_go(site, ref)


async def credentials_of(register: Register, holder: Person, planned: Planned) -> Ref:
    """It is open, with credentials; where their copy is."""
    await holder.makes(secret(holder.namespace), register.grant(planned, credentials={"secretName": KEY}))
    grant = register.grant_ref(planned)
    await register.site.until(grant, lambda obj: says(obj, "CredentialsCopied", "True"), "they are there")
    return Ref("v1", "Secret", planned.namespace, binding_ref(planned, register.use()).name)


async def test_a_finalizer_on_what_was_opened(register: Register, holder: Person) -> None:
    """On the binding, on the credentials and on the way out: each goes as far as it can."""
    site, planned = register.site, await asking(register, "address")
    await opened(register, planned)
    copy, binding = await credentials_of(register, holder, planned), binding_ref(planned, register.use())
    way_out = Ref("networking.k8s.io/v1", "NetworkPolicy", planned.namespace, access_policy(planned.name))
    for ref in (copy, binding, way_out):
        await hold(site, ref)
    grant = register.grant_ref(planned)
    await site.delete(grant)
    await site.gone(grant)
    for ref in (copy, binding, way_out):
        live = await site.see(ref)
        assert live["metadata"]["deletionTimestamp"], f"{ref} is as good as gone"
    for child in register.children(planned):
        assert await site.api.get(child) is None
    for ref in (copy, binding, way_out):
        await let_go(site, ref)


async def test_a_consumer_that_is_kept_from_going(
    register: Register, front: Front, holder: Person, consumer: Person, kubectl: Kubectl
) -> None:
    """All that was opened for it closes at once, and its holder's grant is free to go."""
    site, planned = register.site, await asking(register, "address")
    await opened(register, planned)
    copy, binding = await credentials_of(register, holder, planned), binding_ref(planned, register.use())
    way_out = Ref("networking.k8s.io/v1", "NetworkPolicy", planned.namespace, access_policy(planned.name))
    token = await front.token(planned, register.use())
    await front.until(GRANTED, token)
    await hold(site, planned.ref)
    await site.delete(planned.ref)
    await front.until((403, "accessnotgranted"), token)
    await register.may_no_more(kubectl, planned)
    for ref in (*register.children(planned), copy, binding, way_out):
        await site.gone(ref)
    grant = register.grant_ref(planned)
    await site.until(grant, lambda obj: not obj["metadata"].get("finalizers"), "nothing is left")
    await site.until(
        grant, lambda obj: obj["status"]["reason"] == "NotRequested", "a grant does not tell why nobody asks"
    )
    live = await site.until(planned.ref, lambda obj: obj["metadata"]["finalizers"] == [HELD], "it is held")
    again = forged(binding.name, planned.namespace, live, grant)
    await consumer.makes(again)
    await site.delete(grant)
    await site.gone(grant)
    await let_go(site, planned.ref)
