# SPDX-License-Identifier: Apache-2.0
"""Credentials of a grant: with the right to copy them, without it, and that nobody reads of them anywhere."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from eservice_operator.api.uses import Use
from eservice_operator.cluster.client import KubeApi
from eservice_operator.core.access.naming import binding_of
from eservice_operator.core.actions import Manifest, Ref
from tests.support.audit import AuditLog
from tests.support.fleet import Planned
from tests.support.operator import OperatorProcess, assert_log_clean
from tests.support.register import Register
from tests.support.rights import CREDENTIAL_RIGHTS, RIGHTS, granted, used
from tests.support.site import EVENTS, Site, message, says

if TYPE_CHECKING:
    pass

pytestmark = pytest.mark.cluster

KEY = "persons-key"
PASSWORD = "Tr0ub4dor&3 and nobody else's"  # noqa: S105 - a test has to look for something
ENCODED = base64.b64encode(PASSWORD.encode()).decode()


@pytest.fixture
async def register(people: KubeApi) -> AsyncIterator[Register]:
    """A holder with a register, whoever operates it."""
    site = Site(people)
    await site.prepare()
    made = Register(site)
    await made.prepare()
    yield made
    await site.clear(operated=False)


@dataclass(frozen=True)
class Wanted:
    """A grant with credentials to an e-service that asks, and the Secret of the holder's."""

    register: Register
    planned: Planned

    @property
    def site(self) -> Site:
        return self.register.site

    @property
    def ref(self) -> Ref:
        return self.register.grant_ref(self.planned)

    @property
    def copy(self) -> Ref:
        name = binding_of(self.planned.name, Use.model_validate(self.register.use()))
        return Ref("v1", "Secret", self.planned.namespace, name)

    def grant(self, **spec: Any) -> Manifest:
        return self.register.grant(self.planned, credentials={"secretName": KEY}, **spec)

    async def copied(self) -> None:
        """Wait until the consumer has them, and it is said."""
        copy = await self.site.until(self.copy, lambda obj: obj["data"], "it is there")
        assert copy["data"] == {"password": ENCODED}
        await self.site.until(self.ref, lambda obj: says(obj, "CredentialsCopied", "True"), "they are copied")


@pytest.fixture
async def wanted(register: Register) -> Wanted:
    site, planned = register.site, register.site.planned()
    *others, _ = planned.everything()
    await site.apply(*others, register.tested(planned), planned.eservice(spec={"uses": [register.use()]}))
    key: Manifest = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": KEY, "namespace": register.namespace},
        "type": "eservice.dev/credentials",
        "stringData": {"password": PASSWORD},
    }
    await site.create(key)
    made = Wanted(register, planned)
    await site.apply(made.grant())
    return made


@pytest.fixture
async def alone(operator_kubeconfig: Path, tmp_path: Path) -> AsyncIterator[OperatorProcess]:
    """A test's own operator, which it starts; its log is clean, and it ends when it is told to."""
    process = OperatorProcess(operator_kubeconfig, tmp_path / "log")
    try:
        yield process
        assert_log_clean(process.records())
        assert await process.terminate() == 0
    finally:
        process.end()


async def seen_by_anybody(site: Site, register: Register) -> str:
    """Every object of ours and every Event of the site, as text."""
    objects = await site.objects()
    for namespace in (site.namespace, register.namespace):
        items, _ = await site.api.list(EVENTS, namespace)
        objects += items
    return json.dumps(objects, ensure_ascii=False)


async def test_without_the_right_it_says_so_and_the_rest_is_open(
    wanted: Wanted, alone: OperatorProcess, audit: AuditLog
) -> None:
    await alone.start()
    refused = await wanted.site.until(
        wanted.ref, lambda obj: says(obj, "CredentialsCopied", "False", "CredentialsForbidden"), "it says so"
    )
    assert "rbac-credentials.yaml" in message(refused, "CredentialsCopied")
    assert says(refused, "Active", "True"), "the rest is open"
    told = await wanted.site.until(
        wanted.planned.ref, lambda obj: says(obj, "AccessGranted", "True", "CredentialsForbidden"), "both do"
    )
    assert message(refused, "CredentialsCopied") in message(told, "AccessGranted")
    await wanted.site.settled(wanted.planned, "Published")
    await alone.at_rest()
    asked = [one for one in audit.by() if one.resource == "secrets"]
    assert 1 <= len(asked) <= 3, "no haste where a right is missing"


@pytest.mark.usefixtures("copying")
async def test_they_are_copied_where_that_is_allowed_and_nobody_reads_of_them(
    wanted: Wanted, alone: OperatorProcess, audit: AuditLog
) -> None:
    await alone.start()
    await wanted.copied()
    await wanted.site.settled(wanted.planned, "Published")
    await alone.at_rest()
    assert used(audit.by()) <= granted(RIGHTS, CREDENTIAL_RIGHTS)
    audit.skip()
    await alone.at_rest()
    assert not audit.writes()
    everything = await seen_by_anybody(wanted.site, wanted.register)
    said = alone.log.read_text() + json.dumps(alone.metrics())
    for secret in (PASSWORD, ENCODED):
        assert secret not in everything
        assert secret not in said


@pytest.mark.usefixtures("copying")
async def test_they_go_with_what_they_rest_on(wanted: Wanted, alone: OperatorProcess) -> None:
    """With the name of the Secret in the grant, and with the grant's own end."""
    site, ref = wanted.site, wanted.ref
    await alone.start()
    await wanted.copied()
    await site.apply(wanted.register.grant(wanted.planned))
    await site.gone(wanted.copy)
    await site.until(ref, lambda obj: not says(obj, "CredentialsCopied", "True"), "there are none")
    await site.apply(wanted.grant())
    await wanted.copied()
    await site.apply(wanted.grant(refused={"reason": "no"}))
    await site.gone(wanted.copy)
    await site.until(ref, lambda obj: not obj["metadata"].get("finalizers"), "all of it is gone")
