# SPDX-License-Identifier: Apache-2.0
"""The stories in which an operator is killed: where each begins, what people do, and where it ends."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from typing_extensions import override

from eservice_operator.api.uses import Use
from eservice_operator.core.access.naming import binding_of
from eservice_operator.core.actions import Manifest, Ref
from tests.support.fleet import Planned, with_instruction
from tests.support.oracles.seen import owner_uid
from tests.support.portrait import Names
from tests.support.register import Register
from tests.support.site import Site, condition, gates, poll, says, up_to_date

Story = Callable[[Site], Awaitable[None]]


@dataclass(frozen=True)
class Scenario:
    """``before`` is played by an operator that nobody touches, ``story`` by one that is killed."""

    name: str
    before: Story
    story: Story

    @override
    def __str__(self) -> str:
        return self.name.replace(" ", "-")


def names_of(site: Site) -> Names:
    """Words for what two sites must differ in."""
    old, planned = outdated(site), site.planned()
    return Names(site, [old.release, planned.release, old.renewed().release, _binding(site)])


def _binding(site: Site) -> str:
    """The name of what the site's e-service has of the register."""
    return binding_of(site.planned().name, Use.model_validate(Register(site).use()))


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


async def public(site: Site) -> None:
    await site.prepare()
    await site.published(site.planned())


async def switch(site: Site) -> None:
    """Another release is installed beside the public one, verified, and takes its place."""
    planned = site.planned()
    renewed = planned.renewed()
    await site.apply(renewed.act(), renewed.eservice())
    await site.candidate(renewed)
    await site.apply(renewed.verification())
    await site.settled(renewed, "Published")
    await site.kept_without_pods(planned)


async def installed(site: Site) -> None:
    planned = site.planned()
    await site.prepare()
    await site.apply(planned.registration(), planned.act(), planned.eservice())
    await site.settled(planned, "AwaitingVerification")


async def failed_verification(site: Site) -> None:
    """It does not become public; once it is verified again, it does."""
    planned = site.planned()
    await site.apply(planned.verification("Failed"))
    await site.until(
        planned.ref, lambda obj: says(obj, "Verified", "False", "VerificationFailed"), "it failed"
    )
    await site.apply(planned.verification(number=2))
    await site.settled(planned, "Published")


async def public_on_the_old_version(site: Site) -> None:
    await site.prepare()
    await site.published(outdated(site))


async def unpublication(site: Site) -> None:
    """R8: the decision, the notices, the end of the public route."""
    await site.apply(with_instruction(await site.see_template()))
    await site.settled(outdated(site), "Unpublished")


async def unpublished(site: Site) -> None:
    await public_on_the_old_version(site)
    await unpublication(site)


async def republication(site: Site) -> None:
    await renewal(site, outdated(site))


async def renewal(site: Site, old: Planned) -> None:
    """An e-service that is off comes back with a release that is new enough."""
    renewed = old.renewed()
    await site.apply(renewed.act(), renewed.eservice())
    await site.candidate(renewed)
    await site.settled(renewed, "Unpublished")
    await site.apply(renewed.verification())
    await site.settled(renewed, "Published")
    await site.kept_without_pods(old)


async def unpublication_and_return(site: Site) -> None:
    await unpublication(site)
    await republication(site)


async def waiting_for_a_grant(site: Site) -> None:
    register, planned = Register(site), site.planned()
    await site.prepare()
    await register.prepare()
    await site.apply(planned.registration(), planned.act(), register.tested(planned))
    await site.apply(planned.eservice(spec={"uses": [register.use()]}))
    await site.until(planned.ref, lambda obj: set(gates(obj)) >= {"AccessGranted"}, "it waits for the holder")


async def grant(site: Site) -> None:
    """The holder opens its register, and what waited for that is installed."""
    await site.apply(Register(site).grant(site.planned()))
    await site.settled(site.planned(), "AwaitingVerification")


async def publication_by_a_grant(site: Site) -> None:
    await grant(site)
    await site.apply(site.planned().verification())
    await site.settled(site.planned(), "Published")


async def granted_and_public(site: Site) -> None:
    await waiting_for_a_grant(site)
    await publication_by_a_grant(site)


async def revocation(site: Site) -> None:
    """The grant is deleted: everything that it has opened closes."""
    register, planned = Register(site), site.planned()
    ref = register.grant_ref(planned)
    await site.delete(ref)
    await site.gone(ref)
    await site.until(planned.ref, lambda obj: not says(obj, "AccessGranted", "True"), "it says what it lost")


async def removal(site: Site) -> None:
    """An EService is deleted: the public route goes before it does, and what it had with it."""
    planned = site.planned()
    uid = (await site.see(planned.ref))["metadata"]["uid"]
    await site.delete(planned.ref)
    await site.gone(planned.ref)

    async def collected() -> bool:
        return not [obj for obj in await site.objects() if owner_uid(obj) == uid]

    await poll(collected, lambda: "the garbage collector has taken its children")


KEY = "persons-key"


async def waiting_for_credentials(site: Site) -> None:
    """The holder has a Secret for whom it will let in."""
    await waiting_for_a_grant(site)
    metadata = {"name": KEY, "namespace": Register(site).namespace}
    content = {"type": "eservice.dev/credentials", "stringData": {"password": f"horse-{site.mark}"}}
    await site.create({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, **content})


async def credentials_and_their_end(site: Site) -> None:
    """They are copied beside the consumer, and the copy goes with the grant."""
    register, planned = Register(site), site.planned()
    copy = Ref("v1", "Secret", planned.namespace, _binding(site))
    await site.apply(register.grant(planned, credentials={"secretName": KEY}))
    await site.until(
        register.grant_ref(planned), lambda obj: says(obj, "CredentialsCopied", "True"), "they are copied"
    )
    await site.settled(planned, "AwaitingVerification")
    assert (await site.see(copy))["data"]
    # of what is not true any more nobody is told
    await site.until(planned.ref, all_told, "its people know of it")
    await revocation(site)
    await site.gone(copy)


def all_told(obj: Manifest) -> bool:
    notices = obj["status"].get("notices") or []
    return "AccessGranted" in {one["kind"] for one in notices} and {one["state"] for one in notices} == {
        "Sent"
    }


async def a_grant_and_its_end(site: Site) -> None:
    await publication_by_a_grant(site)
    await revocation(site)


async def deferral(site: Site) -> None:
    """The Agency grants a later day: it is announced, and the public goes on being served."""
    old = outdated(site)
    await site.apply(old.deferral(days=20))
    await site.until(old.ref, lambda obj: says(obj, "Published", "True"), "as before")
    await site.apply(with_instruction(await site.see_template()))
    await site.until(old.ref, lambda obj: obj["status"]["template"].get("decision"), "it is announced")
    await site.settled(old, "Published")


async def three_at_once(site: Site) -> None:
    services = [site.planned(name, replicas=2) for name in ("address", "parking", "tax")]
    for planned in services:
        await site.apply(planned.registration(), planned.eservice(), planned.act())
    for planned in services:
        await site.settled(planned, "AwaitingVerification")
        await site.apply(planned.verification())
    for planned in services:
        await site.settled(planned, "Published")


PUBLISHING = (
    Scenario("registration", nothing, registration),
    Scenario("first publication", prepared, first_publication),
    Scenario("switch to another release", public, switch),
    Scenario("failed verification", installed, failed_verification),
    Scenario("removal", public, removal),
)
CLOSING = (
    Scenario("unpublication", public_on_the_old_version, unpublication),
    Scenario("return after a renewal", unpublished, republication),
    Scenario("grant", waiting_for_a_grant, grant),
    Scenario("revocation", granted_and_public, revocation),
    Scenario("deferral", public_on_the_old_version, deferral),
)
CREDENTIALS = Scenario("credentials and their end", waiting_for_credentials, credentials_and_their_end)
"""With the right to copy them."""
NOTICE_PAGE = Scenario("unpublication with a notice page", public_on_the_old_version, unpublication)
"""By an operator with ``--notice-service``: the route stays, and leads there."""
