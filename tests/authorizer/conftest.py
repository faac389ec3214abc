# SPDX-License-Identifier: Apache-2.0
"""The authorizer on the real API server, with the rights of docs/manifests/authorizer.yaml."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from eservice_operator.cluster.client import KubeApi
from eservice_operator.core.actions import Ref
from tests.authorizer.register import Register
from tests.authorizer.running import USER, AuthorizerProcess, Tls, authorizing, rights
from tests.support.kubectl import Kubectl
from tests.support.rights import GROUPS, applied

if TYPE_CHECKING:
    from controlplane import Cluster


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Tls:
    return Tls.make(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def own_kubeconfig(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With what the manifest allows, and no more."""
    folder = tmp_path_factory.mktemp("credentials")
    manifest = folder / "rights.yaml"
    manifest.write_text(rights())
    applied(cluster, manifest)
    return cluster.user_kubeconfig(USER, GROUPS, folder / "authorizer")


@pytest.fixture(scope="module")
def running(
    own_kubeconfig: Path, tls: Tls, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[AuthorizerProcess]:
    """``eservice-operator authorizer`` with TLS, ready."""
    with authorizing(tmp_path_factory.mktemp("authorizer"), own_kubeconfig, tls) as process:
        yield process


@pytest.fixture
async def register(api: KubeApi, cluster: Cluster, namespace: str) -> AsyncIterator[Register]:
    """A holder's namespace and one of consumers, with nothing in them."""
    name = f"consumers-{secrets.token_hex(4)}"
    created = await api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    yield Register(api, Kubectl(cluster.kubeconfig), namespace, name)
    await api.delete(Ref("v1", "Namespace", "", name), uid=created["metadata"]["uid"])
