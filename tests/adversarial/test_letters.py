# SPDX-License-Identifier: Apache-2.0
"""Who writes a WebService has no letter sent to whom it likes (R3)."""

from __future__ import annotations

import pytest

from eservice_operator.core.actions import Ref
from tests.adversarial.cast import Cast, Part
from tests.adversarial.post_office import PostOffice
from tests.support.operator import OperatorProcess
from tests.support.register import Register
from tests.support.site import message, poll, says

pytestmark = pytest.mark.cluster

VICTIM = "victim@elsewhere.example"


async def test_a_web_service_sends_no_letter_to_a_stranger(
    register: Register, cast: Cast, post: PostOffice, operator: OperatorProcess
) -> None:
    """A holder with ``*`` names a stranger, and has its web service asked for; its own colleague is told."""
    site, holder = register.site, cast[Part.HOLDER]
    await site.apply(register.registration())
    told = {"stranger": VICTIM, "colleague": f"team-{site.mark}@UR.example"}
    web_services = {}
    for name, email in told.items():
        body = register.web_service(metadata={"name": name}, spec={"holder": {"email": email}})
        web_services[name] = Ref(body["apiVersion"], body["kind"], register.namespace, name)
        await holder.apply(body)
    await operator.at_rest()
    uses = [
        {"name": name, "webService": {"namespace": register.namespace, "name": name}, "contractVersion": "v5"}
        for name in told
    ]
    planned = site.planned("asks")
    await site.apply(planned.registration(), planned.eservice(spec={"uses": uses}))

    def asked_for() -> set[str]:
        events = [event["data"] for event in post.events()]
        return {event["object"] for event in events if event["kind"] == "AccessRequested"}

    async def told_of_both() -> bool:
        both = {f"WebService {register.namespace}/{name}" for name in told}
        return both <= asked_for() and told["colleague"].lower() in post.recipients()

    await poll(told_of_both, lambda: f"events of {asked_for()}, mails to {post.recipients()}")
    await operator.at_rest()
    assert VICTIM not in post.recipients()
    seen = await site.see(web_services["stranger"])
    assert says(seen, "HolderUnreachable", "True", "ContactNotRegistered")
    assert f"no letter goes to {VICTIM}" in message(seen, "HolderUnreachable")
    assert not says(await site.see(web_services["colleague"]), "HolderUnreachable", "True")
