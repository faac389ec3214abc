# SPDX-License-Identifier: Apache-2.0
"""Credentials of a grant: with the right to copy them, without it, and that nobody reads of them anywhere."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from eservice_operator.api.uses import Use
from eservice_operator.cluster.client import KubeApi
from eservice_operator.core.access.naming import binding_of
from eservice_operator.core.actions import Manifest, Ref
from tests.support.audit import AuditLog
from tests.support.operator import OperatorProcess, assert_log_clean
from tests.support.register import Register
from tests.support.rights import CREDENTIAL_RIGHTS, RIGHTS, applied, granted, used
from tests.support.site import EVENTS, Site, message, says

if TYPE_CHECKING:
    from controlplane import Cluster

pytestmark = pytest.mark.cluster

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


async def seen_by_anybody(site: Site, register: Register) -> str:
    """Every object of ours and every Event of the site, as text."""
    objects = await site.objects()
    for namespace in (site.namespace, register.namespace):
        items, _ = await site.api.list(EVENTS, namespace)
        objects += items
    return json.dumps(objects, ensure_ascii=False)


async def test_they_are_copied_where_that_is_allowed(
    register: Register, cluster: Cluster, operator_kubeconfig: Path, audit: AuditLog, tmp_path: Path
) -> None:
    site, planned = register.site, register.site.planned()
    *others, _ = planned.everything()
    await site.apply(*others, register.tested(planned), planned.eservice(spec={"uses": [register.use()]}))
    key: Manifest = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "persons-key", "namespace": register.namespace},
        "type": "eservice.dev/credentials",
        "stringData": {"password": PASSWORD},
    }
    await site.create(key)
    grant = register.grant(planned, credentials={"secretName": "persons-key"})
    ref, name = register.grant_ref(planned), binding_of(planned.name, Use.model_validate(register.use()))
    copy = Ref("v1", "Secret", planned.namespace, name)
    operator = OperatorProcess(operator_kubeconfig, tmp_path / "log")
    try:
        await operator.start()
        await site.apply(grant)
        refused = await site.until(
            ref, lambda obj: says(obj, "CredentialsCopied", "False", "CredentialsForbidden"), "it says so"
        )
        assert "rbac-credentials.yaml" in message(refused, "CredentialsCopied")
        assert says(refused, "Active", "True"), "the rest is open"
        told = await site.until(
            planned.ref,
            lambda obj: says(obj, "AccessGranted", "True", "CredentialsForbidden"),
            "its consumer, too",
        )
        assert message(refused, "CredentialsCopied") in message(told, "AccessGranted")
        await site.settled(planned, "Published")
        await operator.at_rest()
        asked = [one for one in audit.by() if one.resource == "secrets"]
        assert 1 <= len(asked) <= 3, "no haste where a right is missing"
        assert await operator.terminate() == 0

        applied(cluster, CREDENTIAL_RIGHTS)
        audit.skip()
        await operator.start()
        await site.until(ref, lambda obj: says(obj, "CredentialsCopied", "True"), "they are copied")
        assert (await site.see(copy))["data"] == {"password": ENCODED}
        await operator.at_rest()
        assert used(audit.by()) <= granted(RIGHTS, CREDENTIAL_RIGHTS)
        audit.skip()
        await operator.at_rest()
        assert not audit.writes()

        everything = await seen_by_anybody(site, register)
        said = operator.log.read_text() + json.dumps(operator.metrics())
        for secret in (PASSWORD, ENCODED):
            assert secret not in everything
            assert secret not in said

        await site.apply(register.grant(planned))
        await site.gone(copy)
        await site.until(ref, lambda obj: not says(obj, "CredentialsCopied", "True"), "there are none")
        await site.apply(grant)
        await site.until(copy, lambda _: True, "they are copied again")
        await site.apply(
            register.grant(planned, refused={"reason": "no"}, credentials={"secretName": "persons-key"})
        )
        await site.gone(copy)
        await site.until(ref, lambda obj: not obj["metadata"].get("finalizers"), "all of it is gone")
        assert_log_clean(operator.records())
        assert await operator.terminate() == 0
    finally:
        operator.end()
        applied(cluster, CREDENTIAL_RIGHTS, "delete")
