# SPDX-License-Identifier: Apache-2.0
"""A grant on real components: asked for, given, used through Envoy, ended, and nothing restarted."""

from __future__ import annotations

import pytest

from eservice_operator.api.uses import WebServiceRef
from eservice_operator.core.access.naming import access_policy, audience_of
from eservice_operator.core.actions import Manifest, Ref
from tests.access.stage import GRANTED, Front, binding_ref, identity, requests
from tests.support.figures import Figures
from tests.support.fleet import Planned
from tests.support.kubectl import Kubectl
from tests.support.operator import OperatorProcess
from tests.support.register import NAME, Register
from tests.support.site import gates, message, says

pytestmark = pytest.mark.cluster

TOKEN_KEPT = 75.0
"""Seconds: a Pod has half a minute to end, and a review counts for ten; the machine may be busy."""


async def asking(register: Register, name: str, version: str = "v5") -> Planned:
    """An e-service with everything that it takes, but the holder's answer."""
    planned = register.site.planned(name, replicas=2)
    *others, _ = planned.everything()
    tested = register.tested(planned, version)
    await register.site.apply(*others, tested, planned.eservice(spec={"uses": [register.use(version)]}))
    return planned


async def opened(register: Register, planned: Planned, *versions: str) -> Manifest:
    await register.site.apply(register.grant(planned, *versions))
    await register.site.settled(planned, "Published")
    return await register.site.until(
        register.grant_ref(planned), lambda grant: says(grant, "Active", "True"), "it is open"
    )


async def shown(register: Register, wanted: dict[str, str]) -> None:
    await register.site.until(register.ref, lambda obj: requests(obj) == wanted, f"the holder reads {wanted}")


def way_out(planned: Planned) -> Ref:
    return Ref("networking.k8s.io/v1", "NetworkPolicy", planned.namespace, access_policy(planned.name))


async def waits(register: Register, planned: Planned, kubectl: Kubectl) -> None:
    """Both sides see the request, and nothing is open."""
    await shown(register, {planned.name: "Waiting"})
    waiting = await register.site.until(planned.ref, lambda obj: "AccessGranted" in gates(obj), "it waits")
    assert waiting["status"]["phase"] == "Pending"
    assert not await register.may(kubectl, planned)


async def is_let_in(register: Register, planned: Planned, kubectl: Kubectl) -> None:
    """It is told where, has a way there, and may invoke that version."""
    await shown(register, {planned.name: "Granted"})
    await register.comes_to_may(kubectl, planned)
    assert not await register.may(kubectl, planned, "v6")
    bound = (await register.site.see(binding_ref(planned, register.use())))["data"]
    assert (bound["host"], bound["port"]) == (f"{NAME}.{register.namespace}.svc", "8443")
    (rule,) = (await register.site.see(way_out(planned)))["spec"]["egress"]
    assert rule["to"][0]["podSelector"] == {"matchLabels": {"app": NAME}}


async def is_let_out(register: Register, planned: Planned, kubectl: Kubectl) -> None:
    """Nothing of what let it in is left, and it says what it lost; it runs on."""
    await register.may_no_more(kubectl, planned)
    await register.site.gone(register.grant_ref(planned))
    for ref in (*register.children(planned), binding_ref(planned, register.use()), way_out(planned)):
        assert await register.site.api.get(ref) is None, f"{ref} outlives the grant"
    lost = await register.site.until(
        planned.ref, lambda obj: says(obj, "AccessGranted", "False", "AccessLost"), "it says what it lost"
    )
    assert f"{register.namespace}/{NAME} v5" in message(lost, "AccessGranted")
    assert says(lost, "Published", "True")
    await shown(register, {planned.name: "Waiting"})


async def test_asked_granted_called_ended(
    register: Register, front: Front, kubectl: Kubectl, operator: OperatorProcess, figures: Figures
) -> None:
    site, planned = register.site, await asking(register, "address")
    await waits(register, planned, kubectl)
    await opened(register, planned)
    await is_let_in(register, planned, kubectl)

    token = await front.token(planned, register.use())
    await front.until(GRANTED, token)
    (_, headers, _), *_ = front.backend.taken
    assert headers["X-EService-Consumer"] == f"{planned.namespace}/{planned.name}"
    before = identity(await front.pods(planned))
    deployment = Ref("apps/v1", "Deployment", planned.namespace, planned.deployment)
    generation = (await site.see(deployment))["metadata"]["generation"]

    await site.delete(register.grant_ref(planned))
    seconds = await front.until((403, "nogrant"), token)
    figures.add("A grant deleted, the operator and Envoy at work: 403 after", f"{seconds:.2f} s")
    await is_let_out(register, planned, kubectl)

    await opened(register, planned)
    await front.until(GRANTED, token)
    assert identity(await front.pods(planned)) == before, "no Pod was touched by all that"
    assert len(before) == 2
    assert (await site.see(deployment))["metadata"]["generation"] == generation
    said = operator.log.read_text() + front.authorizer.log.read_text()
    assert token not in said


async def test_who_is_refused(register: Register, front: Front, kubectl: Kubectl) -> None:
    """No token, one for the API server or another web service, no grant, and one of another version."""
    planned, other = await asking(register, "address"), await asking(register, "parking", "v6")
    await opened(register, planned)
    await opened(register, other, "v6")
    use = register.use()
    token = await front.token(planned, use)
    await front.until(GRANTED, token)
    front.backend.taken.clear()

    assert await front.call(None) == (401, "tokenmissing")
    elsewhere = audience_of(WebServiceRef(namespace=register.namespace, name="address-register"))
    for audience in ("https://kubernetes.default.svc", elsewhere):
        foreign = await front.token(planned, use, audience)
        assert await front.call(foreign) == (401, "tokenrefused")
    assert await front.call(token, "X-On-Behalf-Of: 90000024455") == (403, "customernotlisted")
    newer = await front.token(other, register.use("v6"))
    assert await front.call(newer) == (403, "versionnotgranted")
    await register.comes_to_may(kubectl, other, "v6")  # it has its own version all the same
    assert front.backend.taken == []

    await register.site.apply(register.grant(other, "v5", "v6"))
    await register.site.delete(register.grant_ref(other))
    await front.until((403, "nogrant"), newer)
    assert await front.call(token) == GRANTED, "the end of one is not the end of another"


async def test_an_end_needs_no_operator(register: Register, front: Front, operator: OperatorProcess) -> None:
    """Killed before the grant is deleted: nobody is let in, and the rest follows once it is back."""
    planned = await asking(register, "address")
    await opened(register, planned)
    token = await front.token(planned, register.use())
    await front.until(GRANTED, token)
    operator.kill()
    assert await front.call(token) == GRANTED, "what is open stays so"
    await register.site.delete(register.grant_ref(planned))
    await front.until((403, "closing"), token)
    await operator.start()
    await register.site.gone(register.grant_ref(planned))
    for ref in register.children(planned):
        assert await register.site.api.get(ref) is None


async def test_dying_pods_take_their_tokens_with_them(register: Register, front: Front) -> None:
    """A token is of the Pod that has it: a copy of it is worth nothing when that Pod is gone."""
    planned = await asking(register, "address")
    await opened(register, planned)
    token = await front.token(planned, register.use())
    await front.until(GRANTED, token)
    pod = (await front.pods(planned))[0]["metadata"]
    place = (pod["name"], f"--namespace={pod['namespace']}")
    code, printed = await front.kubectl("delete", "pod", *place, "--wait=false")
    assert code == 0, printed
    await front.until((401, "tokenrefused"), token, within=TOKEN_KEPT)
