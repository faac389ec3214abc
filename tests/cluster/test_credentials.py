# SPDX-License-Identifier: Apache-2.0
"""Which cluster, and as whom; and that tokens that change are followed."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from kubernetes.aio.config import incluster_config

from eservice_operator.cluster import credentials
from eservice_operator.cluster.client import KubeApi
from eservice_operator.cluster.credentials import CredentialsError, load
from eservice_operator.cluster.errors import Forbidden
from eservice_operator.cluster.transport import Request
from eservice_operator.core.actions import Ref

if TYPE_CHECKING:
    from controlplane import Cluster

SOMEBODY = {"token": "secret"}
DEFAULT = Ref("v1", "Namespace", "", "default")


@pytest.fixture(autouse=True)
def nothing_given(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)


def kubeconfig(path: Path, *servers: str, **user: Any) -> Path:
    """A kubeconfig with a context for each server, the first one current."""
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": servers[0],
        "clusters": [{"name": name, "cluster": {"server": f"https://{name}.example"}} for name in servers],
        "contexts": [{"name": name, "context": {"cluster": name, "user": "me"}} for name in servers],
        "users": [{"name": "me", "user": user}],
    }
    path.write_text(yaml.safe_dump(document))
    return path


async def token(configuration: Any) -> str | None:
    settings = await configuration.auth_settings()
    return settings["BearerToken"]["value"] if settings else None


async def test_the_flag_comes_before_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = kubeconfig(tmp_path / "given", "one", "two", **SOMEBODY)
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig(tmp_path / "other", "three", **SOMEBODY)))
    assert (await load(str(given), None)).host == "https://one.example"
    assert (await load(str(given), "two")).host == "https://two.example"
    assert (await load(None, None)).host == "https://three.example"
    assert (await load("", "")).host == "https://three.example"


async def test_the_environment_names_the_proxy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = kubeconfig(tmp_path / "given", "one", "two", **SOMEBODY)
    assert (await load(str(given), None)).proxy is None
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("NO_PROXY", "two.example")
    assert (await load(str(given), None)).proxy == "http://proxy.example:3128"
    assert (await load(str(given), "two")).proxy is None
    document = yaml.safe_load(given.read_text())
    document["clusters"][0]["cluster"]["proxy-url"] = "http://other.example:3128"
    given.write_text(yaml.safe_dump(document))
    assert (await load(str(given), None)).proxy == "http://other.example:3128"


async def test_several_files_are_merged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = kubeconfig(tmp_path / "first", "one", **SOMEBODY)
    second = kubeconfig(tmp_path / "second", "two", **SOMEBODY)
    monkeypatch.setenv("KUBECONFIG", f"{first}:{tmp_path / 'missing'}:{second}")
    assert (await load(None, "one")).host == "https://one.example"


async def test_no_cluster_is_taken_by_chance(tmp_path: Path) -> None:
    (tmp_path / ".kube").mkdir()
    kubeconfig(tmp_path / ".kube" / "config", "production", **SOMEBODY)
    with pytest.raises(
        CredentialsError, match="no cluster given: pass --kubeconfig FILE, set KUBECONFIG, or run in a Pod"
    ):
        await load(None, None)


@pytest.mark.parametrize(
    "text,says",
    [
        (None, "no such kubeconfig: .*/broken"),
        ("{", "cannot use .*/broken: "),
        ("{}", "cannot use .*/broken: Invalid kube-config file. Expected key current-context"),
        ("[]", "cannot use .*/broken"),
        ("", "cannot use .*/broken"),
    ],
)
async def test_a_broken_file_is_named(tmp_path: Path, text: str | None, says: str) -> None:
    path = tmp_path / "broken"
    if text is not None:
        path.write_text(text)
    with pytest.raises(CredentialsError, match=says):
        await load(str(path), None)


async def test_an_unknown_context_is_named(tmp_path: Path) -> None:
    with pytest.raises(CredentialsError, match="Expected object with name nowhere"):
        await load(str(kubeconfig(tmp_path / "given", "one", **SOMEBODY)), "nowhere")


async def test_a_token_file_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "token"
    file.write_text("first")
    configuration = await load(str(kubeconfig(tmp_path / "given", "one", tokenFile=str(file))), None)
    assert await token(configuration) == "Bearer first"
    file.write_text("second")
    assert await token(configuration) == "Bearer first", "once a minute is enough"
    monkeypatch.setattr(credentials, "TOKEN_FILE_PERIOD", 0.0)
    configuration = await load(str(kubeconfig(tmp_path / "given", "one", tokenFile=str(file))), None)
    file.write_text("third")
    assert await token(configuration) == "Bearer third"


def plugin(path: Path, *, seconds: int) -> dict[str, Any]:
    """An exec plugin that gives a new token at each call, valid for ``seconds`` beyond the renewal margin."""
    script = f"""
import datetime, json, pathlib
calls = pathlib.Path({str(path)!r})
number = int(calls.read_text() or 0) + 1 if calls.exists() else 1
calls.write_text(str(number))
expiry = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=300 + {seconds})
print(json.dumps({{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",
  "status": {{"token": f"token-{{number}}", "expirationTimestamp": expiry.strftime("%Y-%m-%dT%H:%M:%SZ")}}}}))
"""
    return {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": sys.executable,
        "args": ["-c", script],
        "interactiveMode": "Never",
    }


@pytest.mark.parametrize("seconds,expected", [(600, "Bearer token-1"), (-1, "Bearer token-2")])
async def test_an_exec_plugin_is_asked_again_when_its_token_expires(
    tmp_path: Path, seconds: int, expected: str
) -> None:
    user = {"exec": plugin(tmp_path / "calls", seconds=seconds)}
    configuration = await load(str(kubeconfig(tmp_path / "given", "one", **user)), None)
    assert await token(configuration) == expected


async def test_an_exec_plugin_that_fails_is_named(tmp_path: Path) -> None:
    user = {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "false"}}
    with pytest.raises(CredentialsError, match=r"the exec plugin false of .*/given gave no credentials"):
        await load(str(kubeconfig(tmp_path / "given", "one", **user)), None)


@pytest.fixture
def pod(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Pod's service account, as the kubelet mounts it; answers the token's file."""
    (tmp_path / "token").write_text("first")
    (tmp_path / "ca.crt").write_text("a certificate")
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "fd00::1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
    monkeypatch.setattr(incluster_config, "SERVICE_TOKEN_FILENAME", str(tmp_path / "token"))
    monkeypatch.setattr(incluster_config, "SERVICE_CERT_FILENAME", str(tmp_path / "ca.crt"))
    return tmp_path / "token"


@pytest.fixture
def rotated(pod: Path) -> Callable[[], None]:
    """Puts another token in the place of the first, as the kubelet does every hour."""

    def rotate() -> None:
        pod.write_text("second")

    return rotate


@pytest.fixture
def without_token(pod: Path) -> None:
    pod.unlink()


async def test_a_pod_uses_its_service_account(
    rotated: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    configuration = await load(None, None)
    assert configuration.host == "https://[fd00::1]:443"
    assert await token(configuration) == "bearer first"
    rotated()
    assert await token(configuration) == "bearer first", "once a minute is enough"
    real = incluster_config.datetime.datetime
    later = real.now() + incluster_config.datetime.timedelta(minutes=2)
    clock = type("Later", (real,), {"now": staticmethod(lambda: later)})
    monkeypatch.setattr(incluster_config.datetime, "datetime", clock)
    assert await token(configuration) == "bearer second"


@pytest.mark.usefixtures("without_token")
async def test_a_pod_without_a_token_says_so() -> None:
    says = "cannot use the service account of this Pod: Service token file does not exist"
    with pytest.raises(CredentialsError, match=says):
        await load(None, None)


@pytest.mark.cluster
async def test_the_certificate_of_a_kubeconfig_opens_the_cluster(cluster: "Cluster") -> None:
    async with KubeApi(await load(str(cluster.kubeconfig), None)) as api:
        assert await api.get(DEFAULT)


@pytest.mark.cluster
async def test_a_token_opens_the_cluster(cluster: "Cluster", api: KubeApi, tmp_path: Path) -> None:
    """A service account's own token, as in a Pod."""
    document = yaml.safe_load(cluster.kubeconfig.read_text())
    request = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "spec": {"expirationSeconds": 600},
    }
    made = await api._transport.send(
        Request("create", "POST", "/api/v1/namespaces/default/serviceaccounts/default/token", request)
    )
    document["users"][0]["user"] = {"token": made["status"]["token"]}
    path = tmp_path / "given"
    path.write_text(json.dumps(document))
    async with KubeApi(await load(str(path), None)) as as_account:
        with pytest.raises(Forbidden, match='User "system:serviceaccount:default:default" cannot get'):
            await as_account.get(DEFAULT)
