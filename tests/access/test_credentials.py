# SPDX-License-Identifier: Apache-2.0
"""Credentials of a grant go to its consumer and to nobody else, and nobody reads of them anywhere."""

from __future__ import annotations

import base64
import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from eservice_operator.api.names import CREDENTIALS_ANNOTATION, GRANT_ANNOTATION
from eservice_operator.core.actions import Manifest, Ref
from tests.access.people import Person, marks_of, person_of
from tests.access.stage import GRANTED, Front, binding_ref
from tests.access.test_story import asking
from tests.support.kubectl import Kubectl
from tests.support.operator import OperatorProcess
from tests.support.register import Register
from tests.support.site import says

if TYPE_CHECKING:
    from controlplane import Cluster

pytestmark = [pytest.mark.cluster, pytest.mark.usefixtures("copying")]

PASSWORD = "k3y of the register, and nobody else's"  # noqa: S105 - a test has to look for something
ENCODED = base64.b64encode(PASSWORD.encode()).decode()
KEY = "persons-key"


def secret(place: str, name: str = KEY, kind: str = "eservice.dev/credentials") -> Manifest:
    metadata = {"name": name, "namespace": place}
    data = {"password": PASSWORD}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": kind, "stringData": data}


async def everything(kubectl: Kubectl) -> str:
    """All that can be listed in the cluster, Secrets apart."""
    code, printed = await kubectl("api-resources", "--verbs=list", "--output=name")
    assert code == 0, printed
    kinds = sorted(set(printed.split()) - {"secrets"})
    code, printed = await kubectl("get", ",".join(kinds), "--all-namespaces", "--output=json")
    assert code == 0, printed[-2000:]
    return printed


async def test_nobody_reads_of_them(
    register: Register,
    front: Front,
    holder: Person,
    kubectl: Kubectl,
    operator: OperatorProcess,
    cluster: Cluster,
) -> None:
    planned = await asking(register, "address")
    await holder.makes(secret(holder.namespace))
    await register.site.apply(register.grant(planned, credentials={"secretName": KEY}))
    grant = register.grant_ref(planned)
    await register.site.until(grant, lambda obj: says(obj, "CredentialsCopied", "True"), "they are there")
    await register.site.settled(planned, "Published")
    copy = Ref("v1", "Secret", planned.namespace, binding_ref(planned, register.use()).name)
    assert (await register.site.see(copy))["data"] == {"password": ENCODED}
    token = await front.token(planned, register.use())
    await front.until(GRANTED, token)
    await operator.at_rest()
    found = await everything(kubectl)
    assert f"credentials: {copy.name}" in found.replace('"', ""), "the search sees what tells of them"
    told = [
        found,
        operator.log.read_text(),
        front.authorizer.log.read_text(),
        json.dumps(operator.metrics()),
        cluster.audit_log.read_text(),
    ]
    for text in told:
        for bytes_of_it in (PASSWORD, ENCODED, token):
            assert bytes_of_it not in text
    await register.site.delete(grant)
    await register.site.gone(grant)
    assert await register.site.api.get(copy) is None


async def test_a_holder_names_no_other_secret(register: Register, holder: Person) -> None:
    """Only one of the type that is made for it, beside the grant: no key of anything else, or elsewhere."""
    site, planned = register.site, await asking(register, "address")
    await site.apply(secret(planned.namespace, "their-own", "Opaque"))
    await holder.makes(secret(holder.namespace, "other", "Opaque"))
    grant, copy = register.grant_ref(planned), binding_ref(planned, register.use()).name
    reasons = {"other": "CredentialsWrongType", "their-own": "CredentialsMissing"}
    for name, reason in reasons.items():
        await holder.makes(register.grant(planned, credentials={"secretName": name}))
        await site.until(
            grant, partial(says, kind="CredentialsCopied", status="False", reason=reason), reason
        )
    elsewhere = register.grant(planned, credentials={"secretName": f"{planned.namespace}/their-own"})
    assert "secretName" in await holder.is_told(elsewhere)
    assert await site.api.get(Ref("v1", "Secret", planned.namespace, copy)) is None


async def test_a_secret_of_the_consumers_own_is_not_written_over(register: Register, holder: Person) -> None:
    site, planned = register.site, await asking(register, "address")
    copy = Ref("v1", "Secret", planned.namespace, binding_ref(planned, register.use()).name)
    own = await site.apply(secret(copy.namespace, copy.name, "Opaque"))
    await holder.makes(secret(holder.namespace), register.grant(planned, credentials={"secretName": KEY}))
    taken = partial(says, kind="CredentialsCopied", status="False", reason="NameCollision")
    grant = await site.until(register.grant_ref(planned), taken, "the name is taken")
    assert says(grant, "Active", "True"), "the rest is open"
    await site.delete(register.grant_ref(planned))
    await site.gone(register.grant_ref(planned))
    left = await site.see(copy)
    assert left["metadata"]["resourceVersion"] == own["metadata"]["resourceVersion"]


async def test_a_binding_that_somebody_made_gets_nothing(
    register: Register, holder: Person, cluster: Cluster, operator: OperatorProcess, tmp_path: Path
) -> None:
    """A ConfigMap that says it is the binding of another's grant, by an owner that is real."""
    site, rich, poor = register.site, await asking(register, "rich"), await asking(register, "poor")
    await holder.makes(secret(holder.namespace))
    await site.apply(register.grant(rich, credentials={"secretName": KEY}))
    await site.until(register.grant_ref(rich), lambda obj: says(obj, "CredentialsCopied", "True"), "copied")
    consumer = await person_of(site, cluster, site.namespace, tmp_path)
    ref = binding_ref(poor, register.use())
    annotations = {
        GRANT_ANNOTATION: f"{register.namespace}/{rich.name}",
        CREDENTIALS_ANNOTATION: ref.name,
    }
    named = {"name": ref.name, "namespace": ref.namespace, "annotations": annotations}
    metadata = named | marks_of(await site.see(poor.ref))
    await consumer.makes({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {}})
    await site.gone(ref)
    await operator.at_rest()
    assert await site.api.get(Ref("v1", "Secret", ref.namespace, ref.name)) is None
