# SPDX-License-Identifier: Apache-2.0
"""Secrets read from a real API server, with the rights that the manifests give and no others."""

from __future__ import annotations

import base64
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from eservice_operator.cluster import credentials
from eservice_operator.cluster.client import KubeApi
from eservice_operator.cluster.errors import Forbidden
from eservice_operator.core.actions import Ref
from eservice_operator.notify.sender import Login, NoCredentials
from eservice_operator.runtime.secrets import KEPT, SecretKey, SecretLogin, SecretReader
from eservice_operator.runtime.settings import SecretName
from tests.support.kubectl import Kubectl
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from controlplane import Cluster

pytestmark = pytest.mark.cluster

ROOT = Path(__file__).parents[2]
OPERATOR = "system:serviceaccount:eservice-system:eservice-operator"
SMTP = "eservice-operator-smtp"
WORD = "s3cret-bāka"
OTHER = "rotated"


class Time:
    """Seconds that a test lets pass."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


def encoded(data: dict[str, str | bytes]) -> dict[str, str]:
    return {
        key: base64.b64encode(value if isinstance(value, bytes) else value.encode()).decode()
        for key, value in data.items()
    }


def secret(namespace: str, name: str, /, **data: str | bytes) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"namespace": namespace, "name": name},
        "type": "Opaque",
        "data": encoded(data),
    }


async def replace(api: KubeApi, manifest: dict[str, Any]) -> None:
    await api.apply(manifest, field_manager="agency", force=True)


@pytest.fixture
async def operator(cluster: Cluster, namespace: str, tmp_path: Path) -> AsyncIterator[KubeApi]:
    """A client that may do what the Role of the manifests says, in a namespace of the test's own."""
    documents = yaml.safe_load_all((ROOT / "docs/manifests/rbac.yaml").read_text())
    rights = [one for one in documents if one["metadata"]["name"] == "eservice-operator-channels"]
    for document in rights:
        document["metadata"]["namespace"] = namespace
    manifest = tmp_path / "rights.yaml"
    manifest.write_text(yaml.safe_dump_all(rights))
    code, printed = await Kubectl(cluster.kubeconfig)("apply", "-f", str(manifest))
    assert (code, printed.count("created")) == (0, 2), printed
    kubeconfig = cluster.user_kubeconfig(OPERATOR, [], tmp_path / "kubeconfig")
    async with KubeApi(await credentials.load(str(kubeconfig), None)) as client:

        async def may() -> bool:
            try:
                await client.get(Ref("v1", "Secret", namespace, SMTP))
            except Forbidden:
                return False
            return True

        await eventually(may, "its rights, of which the API server's authorizer hears a moment later")
        yield client


async def test_the_login_is_read_by_name_and_a_rotated_one_is_picked_up(
    api: KubeApi, operator: KubeApi, namespace: str, time: Time, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    login = SecretLogin(SecretReader(operator, SecretName(namespace, SMTP), time))
    kind = {"type": "kubernetes.io/basic-auth"}
    await replace(api, secret(namespace, SMTP, username="operator", password=WORD) | kind)
    assert await login() == Login("operator", WORD)
    await replace(api, secret(namespace, SMTP, username="operator", password=OTHER) | kind)
    time.now += KEPT - 1
    assert (await login()).password == WORD
    time.now += 1
    assert (await login()).password == OTHER
    assert WORD not in caplog.text + repr(await login()) + repr(vars(login))
    assert base64.b64encode(WORD.encode()).decode() not in caplog.text


async def test_what_cannot_be_read_is_said_and_tried_again(
    api: KubeApi, operator: KubeApi, namespace: str, time: Time
) -> None:
    login = SecretLogin(SecretReader(operator, SecretName(namespace, SMTP), time))
    with pytest.raises(NoCredentials, match=f"there is no Secret {namespace}/{SMTP}"):
        await login()
    await replace(api, secret(namespace, SMTP, username="operator"))
    with pytest.raises(NoCredentials, match="has nothing under password"):
        await login()
    time.now += KEPT
    await replace(api, secret(namespace, SMTP, username="operator", password=b"\xff\xfe"))
    with pytest.raises(NoCredentials, match="text in UTF-8") as raised:
        await login()
    assert raised.value.__cause__ is None
    assert raised.value.__context__ is None


async def test_no_other_secret_can_be_read(
    api: KubeApi, operator: KubeApi, namespace: str, time: Time
) -> None:
    await replace(api, secret(namespace, "somebody-elses", **{"hmac-key": "x" * 32}))
    key = SecretKey(SecretReader(operator, SecretName(namespace, "somebody-elses"), time))
    with pytest.raises(NoCredentials, match="cannot be read: 403 Forbidden"):
        await key()


async def test_a_key_has_to_be_long_enough(
    api: KubeApi, operator: KubeApi, namespace: str, time: Time
) -> None:
    name = "eservice-operator-events"
    key = SecretKey(SecretReader(operator, SecretName(namespace, name), time))
    await replace(api, secret(namespace, name, **{"hmac-key": "x" * 23}))
    with pytest.raises(NoCredentials, match="at least 24 random bytes"):
        await key()
    time.now += KEPT
    await replace(api, secret(namespace, name, **{"hmac-key": b"\x00" * 24}))
    assert await key() == b"\x00" * 24
    assert (await api.get(Ref("v1", "Secret", namespace, name))) is not None
