# SPDX-License-Identifier: Apache-2.0
"""R10 on real components: tried in Test, opened in Production, remembered, and taken back by the Agency."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from eservice_operator.cluster.resources import resource_of
from eservice_operator.core.actions import Manifest, Ref, ref_of
from tests.access.stage import GRANTED, Front
from tests.support.fleet import Planned, in_test, namespace, today
from tests.support.register import CODE, NAME, Register
from tests.support.site import Site, poll, says

pytestmark = pytest.mark.cluster

VERSIONS = [{"version": "v5"}]


@dataclass(frozen=True)
class Trial:
    """The register's twin in Test, and the twin of an e-service that tries it."""

    register: Register
    planned: Planned

    @property
    def site(self) -> Site:
        return self.register.site

    @property
    def place(self) -> str:
        return f"ur-test-{self.site.mark}"

    @property
    def twin(self) -> Planned:
        return replace(self.planned, namespace=f"pmlp-test-{self.site.mark}")

    @property
    def grant(self) -> Manifest:
        """That of the twin: it needs no evidence."""
        granted = self.register.grant(self.twin, contractVersions=VERSIONS)
        return granted | {"metadata": granted["metadata"] | {"namespace": self.place}}

    async def begin(self) -> None:
        """All that is needed in Test, and the Production side but for its grant."""
        here, there = self.register.web_service(), {"name": NAME, "namespace": self.place}
        backend = self.register.backend()
        await self.site.apply(
            namespace(self.place, CODE, **{"eservice.dev/environment": "test"}),
            namespace(self.twin.namespace),
            backend | {"metadata": there},
            here | {"metadata": there, "spec": here["spec"] | {"environment": "Test"}},
            self.register.web_service(spec={"testedAs": {"namespace": self.place, "name": NAME}}),
        )
        places = {"Production": self.planned, "Test": self.twin}
        registration = self.planned.registration(
            spec={
                "namespaces": [{"environment": one, "name": at.namespace} for one, at in places.items()],
                "hosts": [{"environment": one, "host": at.host} for one, at in places.items()],
            }
        )
        _, *others, _ = self.planned.everything()
        tried = {"name": "persons", "webService": there, "contractVersion": "v5"}
        await self.site.apply(
            registration,
            *others,
            in_test(self.twin, spec={"uses": [tried]}),
            self.planned.eservice(spec={"uses": [self.register.use()]}),
        )

    async def record(self) -> Manifest | None:
        """What the operator has kept of it."""
        items, _ = await self.site.api.list(resource_of("ConnectionTest"))
        mine = [one for one in items if one["spec"]["registration"] == self.planned.name]
        return mine[0] if mine else None


async def test_tried_opened_remembered_taken_back(register: Register, front: Front) -> None:
    trial = Trial(register, register.site.planned())
    site, planned, ref = trial.site, trial.planned, register.grant_ref(trial.planned)
    await trial.begin()
    await site.apply(register.grant(planned))
    await site.until(ref, lambda obj: obj["status"].get("reason") == "TestMissing", "it was not tried")
    assert await trial.record() is None

    await site.apply(trial.grant)
    await site.until(ref, lambda obj: says(obj, "Active", "True"), "tried, so opened")
    await site.settled(planned, "Published")
    token = await front.token(planned, register.use())
    await front.until(GRANTED, token)
    record = await poll(trial.record, lambda: "what is kept of the trial")
    assert record["spec"]["contractVersion"] == "v5"

    await site.delete(ref_of(trial.grant))
    await site.gone(ref_of(trial.grant))
    await site.delete(Ref("eservice.dev/v1alpha1", "WebService", trial.place, NAME))
    await site.until(
        ref, lambda obj: record["metadata"]["name"] in str(obj["status"]), "it says what makes up for it"
    )
    assert await front.call(token) == GRANTED

    metadata = {"name": record["metadata"]["name"]}
    revoked = {"revoked": {"at": str(today()), "reason": "the test was not that of this version"}}
    await site.apply(
        {key: record[key] for key in ("apiVersion", "kind")}
        | {"metadata": metadata, "spec": record["spec"] | revoked}
    )
    await front.until((403, "accessnotgranted"), token)
    await site.until(ref, lambda obj: not says(obj, "Active", "True"), "it is over")
