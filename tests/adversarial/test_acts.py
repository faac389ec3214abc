# SPDX-License-Identifier: Apache-2.0
"""Acts that people may write, and that do not count: all else that it takes is there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from eservice_operator.cluster.errors import Forbidden
from eservice_operator.core.actions import Manifest, ref_of
from tests.adversarial.cast import Cast, Part
from tests.support.fleet import Planned, days_ago, seconds_ago
from tests.support.register import Register
from tests.support.resting import Rested
from tests.support.site import PERSON, gates, says

pytestmark = pytest.mark.cluster

Made = Callable[[Planned, str], list[Manifest]]


@dataclass(frozen=True)
class Forgery:
    """``who`` writes ``what``; the gate then says ``reason``, and nothing is public."""

    who: str
    what: str
    made: Made
    gate: str
    reason: str
    installs: bool = False

    def is_told(self, obj: Manifest) -> bool:
        """Whether the gate says why."""
        return gates(obj).get(self.gate, ("",))[0] == self.reason


def verification(**spec: object) -> Made:
    """In the place of the true one."""
    return lambda planned, _: [planned.act(), planned.verification(spec=spec)]


def act(**spec: object) -> Made:
    return lambda planned, _: [planned.act(spec=spec), planned.verification()]


def elsewhere(planned: Planned, other: str) -> list[Manifest]:
    """A verification of the same e-service, beside another institution's."""
    moved = planned.verification()
    return [planned.act(), moved | {"metadata": moved["metadata"] | {"namespace": other}}]


def of_another(planned: Planned, other: str) -> list[Manifest]:
    service = {"eService": {"namespace": other, "name": planned.name}}
    return [planned.act(spec=service), planned.verification()]


def failed_since(planned: Planned, _: str) -> list[Manifest]:
    return [planned.act(), planned.verification(), planned.verification("Failed", 2)]


OTHER = f"registry.example/other@sha256:{'e' * 64}"
AWAITED, ABSENT = "AwaitingVerification", "AwaitingAcceptance"
FORGERIES = (
    Forgery("verifier", "verifies another image", verification(image=OTHER), "Verified", AWAITED, True),
    Forgery(
        "verifier",
        "verifies another template version",
        verification(template={"version": "1.0.0"}),
        "Verified",
        AWAITED,
        True,
    ),
    Forgery(
        "verifier", "verifies another e-service", verification(eService="other"), "Verified", AWAITED, True
    ),
    Forgery("holder", "verifies an e-service of another namespace", elsewhere, "Verified", AWAITED, True),
    Forgery(
        "verifier",
        "verifies in the future",
        verification(verifiedAt=seconds_ago(-86_400)),
        "Verified",
        "VerificationNotValid",
        True,
    ),
    Forgery(
        "verifier",
        "verifies before the request",
        verification(verifiedAt=seconds_ago(30 * 86_400)),
        "Verified",
        "VerificationNotValid",
        True,
    ),
    Forgery(
        "verifier",
        "says that it passed, and then that it failed",
        failed_since,
        "Verified",
        "VerificationFailed",
        True,
    ),
    Forgery("the Agency", "signs an act for another image", act(image=OTHER), "Accepted", ABSENT),
    Forgery(
        "the Agency",
        "signs an act for another template version",
        act(template={"version": "1.0.0"}),
        "Accepted",
        ABSENT,
    ),
    Forgery("the Agency", "signs an act for the same name elsewhere", of_another, "Accepted", ABSENT),
    Forgery(
        "the Agency",
        "revokes the act",
        act(revoked={"at": days_ago(1), "reason": "a mistake"}),
        "Accepted",
        "ActRevoked",
    ),
)


async def test_what_does_not_count_opens_no_gate(register: Register, rests: Rested) -> None:
    """All at once: each is an e-service of its own."""
    site = register.site
    cases = [
        (forgery, site.planned(f"forged-{number}", content=f"{number}"))
        for number, forgery in enumerate(FORGERIES)
    ]
    for forgery, planned in cases:
        await site.apply(planned.registration(), *forgery.made(planned, register.namespace))
        await site.apply(planned.eservice())
    for forgery, planned in cases:
        said = f"{forgery.who} {forgery.what}: {forgery.gate} is {forgery.reason}"
        obj = await site.until(planned.ref, forgery.is_told, said)
        assert not says(obj, "Published", "True"), forgery
    await rests()
    for forgery, planned in cases:
        obj = await site.see(planned.ref)
        assert forgery.gate in gates(obj), forgery
        assert await site.api.get(planned.route) is None, forgery
        children = await site.children(planned)
        assert (f"Deployment {planned.deployment}" in children) is forgery.installs, forgery


async def test_only_a_verifier_verifies(register: Register, cast: Cast) -> None:
    """And nobody changes what was verified, under the same name either."""
    planned = register.site.planned("verified")
    body = planned.verification()
    for part in (Part.DEVELOPER, Part.TESTER, Part.ON_CALL, Part.HOLDER, Part.ANYBODY, Part.ANONYMOUS):
        with pytest.raises(Forbidden):
            await cast[part].api.create(body, field_manager=PERSON)
    made = await cast[Part.VERIFIER].api.create(body, field_manager=PERSON)
    for part in (Part.VERIFIER, Part.DEVELOPER):
        with pytest.raises(Forbidden):
            await cast[part].apply(planned.verification("Failed"))
        with pytest.raises(Forbidden):
            await cast[part].api.delete(ref_of(made), uid=made["metadata"]["uid"])
