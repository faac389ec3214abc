# SPDX-License-Identifier: Apache-2.0
"""Which cluster, and as whom; and that tokens that change are followed."""

import asyncio
import base64
import json
import os
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from kubernetes.aio.client import Configuration as ClientConfiguration
from kubernetes.aio.config import load_kube_config

from eservice_operator.cluster import credentials, plugins
from eservice_operator.cluster import kubeconfig as kubeconfigs
from eservice_operator.cluster.client import KubeApi
from eservice_operator.cluster.configuration import Configuration
from eservice_operator.cluster.credentials import CredentialsError, load
from eservice_operator.cluster.errors import Forbidden
from eservice_operator.cluster.transport import Request
from eservice_operator.core.actions import Ref
from tests.support.waiting import eventually

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


@pytest.mark.parametrize(
    "direct, host, through",
    [
        ("10.96.0.0/12", "10.96.0.1", False),
        ("10.96.0.0/12", "10.112.0.1", True),
        ("localhost, 10.96.0.1/12 ,.example", "10.97.0.1", False),
        ("fd00::/8", "[fd00::1]", False),
        ("fd00::/8", "10.96.0.1", True),
        ("10.96.0.0/12", "ten.example", True),
        ("all/of/them,10.96.0.0/40", "10.96.0.1", True),
    ],
)
async def test_ranges_of_addresses_are_reached_without_the_proxy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, direct: str, host: str, through: bool
) -> None:
    given = kubeconfig(tmp_path / "given", "one", **SOMEBODY)
    document = yaml.safe_load(given.read_text())
    document["clusters"][0]["cluster"]["server"] = f"https://{host}:6443"
    given.write_text(yaml.safe_dump(document))
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("NO_PROXY", direct)
    assert (await load(str(given), None)).proxy == ("http://proxy.example:3128" if through else None)


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
        ("{}", "cannot use .*/broken: it has no current-context, and none was named"),
        ("[]", "cannot use .*/broken: .*/broken is no kubeconfig"),
        ("", "cannot use .*/broken: .*/broken is no kubeconfig"),
        ("{current-context: a, contexts: [{}]}", "cannot use .*/broken: 'name'"),
        ("{current-context: a, contexts: 1}", "cannot use .*/broken"),
        (
            "{current-context: a, contexts: [{name: a}]}",
            "cannot use .*/broken: there is no cluster called None",
        ),
    ],
)
async def test_a_broken_file_is_named(tmp_path: Path, text: str | None, says: str) -> None:
    path = tmp_path / "broken"
    if text is not None:
        path.write_text(text)
    with pytest.raises(CredentialsError, match=says):
        await load(str(path), None)


@pytest.mark.parametrize(
    "of_cluster, of_user, says",
    [
        (
            {"insecure-skip-tls-verify": "false"},
            {},
            "insecure-skip-tls-verify is 'false'; write true or false",
        ),
        ({"server": "one.example:6443"}, {}, "server one.example:6443 is no URL with http:// or https://"),
        ({"proxy-url": "socks5://proxy:1080"}, {}, "proxy-url socks5://proxy:1080 is no URL with http"),
        ({}, {"token": "t", "as": "weak"}, "a user with as is not supported; name the very user instead"),
        ({}, {"token": "t", "as-groups": ["a"], "as-uid": "1"}, "a user with as-uid, as-groups is not"),
    ],
)
async def test_what_would_be_read_otherwise_than_it_is_meant_is_refused(
    tmp_path: Path, of_cluster: dict[str, Any], of_user: dict[str, Any], says: str
) -> None:
    path = kubeconfig(tmp_path / "given", "one", **of_user)
    document = yaml.safe_load(path.read_text())
    document["clusters"][0]["cluster"] |= of_cluster
    path.write_text(yaml.safe_dump(document))
    with pytest.raises(CredentialsError, match=re.escape(says)):
        await load(str(path), None)


async def test_of_a_token_and_a_file_the_file_is_taken_which_is_renewed(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("renewed")
    given = kubeconfig(tmp_path / "given", "one", token="old", tokenFile=str(file))  # noqa: S106
    assert await token(await load(str(given), None)) == "Bearer renewed"


async def test_an_unknown_context_is_named(tmp_path: Path) -> None:
    with pytest.raises(CredentialsError, match="there is no context called nowhere"):
        await load(str(kubeconfig(tmp_path / "given", "one", **SOMEBODY)), "nowhere")


async def test_a_token_file_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "token"
    file.write_text("first")
    configuration = await load(str(kubeconfig(tmp_path / "given", "one", tokenFile=str(file))), None)
    assert await token(configuration) == "Bearer first"
    file.write_text("second")
    assert await token(configuration) == "Bearer first", "once a minute is enough"
    monkeypatch.setattr(kubeconfigs, "TOKEN_FILE_PERIOD", 0.0)
    configuration = await load(str(kubeconfig(tmp_path / "given", "one", tokenFile=str(file))), None)
    file.write_text("third")
    assert await token(configuration) == "Bearer third"


def plugin(path: Path, *, seconds: int, waits: Path | None = None) -> dict[str, Any]:
    """An exec plugin that gives a new token at each call, valid for ``seconds`` beyond the renewal margin.

    From the second call on it answers only once somebody has written to the pipe ``waits``.
    """
    script = f"""
import datetime, json, pathlib
calls = pathlib.Path({str(path)!r})
number = int(calls.read_text() or 0) + 1 if calls.exists() else 1
calls.write_text(str(number))
if number > 1 and {waits is not None}:
    pathlib.Path({str(waits)!r}).read_text()
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


@pytest.mark.parametrize("seconds,expected", [(600, "Bearer token-1"), (-301, "Bearer token-2")])
async def test_an_exec_plugin_is_asked_again_when_its_token_expires(
    tmp_path: Path, seconds: int, expected: str
) -> None:
    user = {"exec": plugin(tmp_path / "calls", seconds=seconds)}
    configuration = await load(str(kubeconfig(tmp_path / "given", "one", **user)), None)
    assert await token(configuration) == expected


async def test_an_exec_plugin_that_hangs_is_waited_for_a_while_and_not_started_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipe, calls = tmp_path / "pipe", tmp_path / "calls"
    os.mkfifo(pipe)
    user = {"exec": plugin(calls, seconds=-301, waits=pipe)}
    configuration = await load(str(kubeconfig(tmp_path / "given", "one", **user)), None)
    with monkeypatch.context() as impatient:
        impatient.setattr(plugins, "PATIENCE", 0.2)
        for _ in range(3):
            with pytest.raises(TimeoutError, match=r"the exec plugin has not answered in 0.2 s"):
                await token(configuration)
    await asyncio.to_thread(pipe.write_text, "go on")
    assert await token(configuration) == "Bearer token-2"
    assert calls.read_text() == "2"


async def test_nobody_waits_for_a_plugin_while_the_token_is_good(tmp_path: Path) -> None:
    """A leader renews its lease within seconds, and a token minutes before it expires."""
    pipe, calls = tmp_path / "pipe", tmp_path / "calls"
    os.mkfifo(pipe)
    user = {"exec": plugin(calls, seconds=-60, waits=pipe)}
    configuration = await load(str(kubeconfig(tmp_path / "given", "one", **user)), None)
    for _ in range(3):
        async with asyncio.timeout(5):
            assert await token(configuration) == "Bearer token-1"
    await eventually(lambda: calls.read_text() == "2", "the plugin runs beside")
    await asyncio.to_thread(pipe.write_text, "go on")

    async def renewed() -> bool:
        return await token(configuration) == "Bearer token-2"

    await eventually(renewed, "the new token is taken")
    assert calls.read_text() == "2", "not at each request"


async def test_an_exec_plugin_that_hangs_at_the_start_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipe, calls = tmp_path / "pipe", tmp_path / "calls"
    os.mkfifo(pipe)
    calls.write_text("1")
    monkeypatch.setattr(plugins, "PATIENCE", 0.2)
    user = {"exec": plugin(calls, seconds=600, waits=pipe)}
    given = str(kubeconfig(tmp_path / "given", "one", **user))
    for _ in range(3):  # as kopf does, which asks again and again
        with pytest.raises(CredentialsError, match=r"given: the exec plugin has not answered in 0.2 s"):
            await load(given, None)
    await eventually(lambda: calls.read_text() == "2", "the plugin runs")
    running = [task for task in asyncio.all_tasks() if task.get_name() == plugins.TASK]
    await asyncio.to_thread(pipe.write_text, "end")
    await asyncio.wait(running)


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
    monkeypatch.setattr(credentials, "SERVICE_ACCOUNT", tmp_path)
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
    assert await token(configuration) == "Bearer first"
    rotated()
    assert await token(configuration) == "Bearer first", "once a minute is enough"
    later = time.monotonic() + kubeconfigs.TOKEN_FILE_PERIOD
    monkeypatch.setattr(time, "monotonic", lambda: later)
    assert await token(configuration) == "Bearer second"


@pytest.mark.parametrize("lost", [Path.unlink, lambda path: path.write_text("")], ids=["gone", "empty"])
async def test_a_token_that_cannot_be_read_for_a_moment_is_kept(
    pod: Path, lost: Callable[[Path], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    configuration = await load(None, None)
    lost(pod)
    later = time.monotonic() + kubeconfigs.TOKEN_FILE_PERIOD
    monkeypatch.setattr(time, "monotonic", lambda: later)
    assert await token(configuration) == "Bearer first"


@pytest.mark.usefixtures("without_token")
async def test_a_pod_without_a_token_says_so() -> None:
    says = r"cannot use the service account of this Pod: .*No such file or directory: '.*/token'"
    with pytest.raises(CredentialsError, match=says):
        await load(None, None)


@pytest.fixture
def empty_token(pod: Path) -> None:
    pod.write_text("\n")


@pytest.mark.usefixtures("empty_token")
async def test_a_pod_whose_token_is_empty_says_so() -> None:
    with pytest.raises(CredentialsError, match=r"the token file .*/token is empty"):
        await load(None, None)


async def test_as_for_kubectl_the_first_file_names_the_current_context(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = kubeconfig(tmp_path / "first", "one", **SOMEBODY)
    second = kubeconfig(tmp_path / "second", "two", token="another")  # noqa: S106 - not one
    monkeypatch.setenv("KUBECONFIG", f"{first}:{second}")
    configuration = await load(None, None)
    assert (configuration.host, await token(configuration)) == ("https://one.example", "Bearer secret")


def data(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


FILES = {"certificate-authority": "tls/ca", "client-certificate": "tls/cert", "client-key": "tls/key"}
DATA = {f"{field}-data": data(f"in {path}") for field, path in FILES.items()}
STATIC: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("nobody", {}, {}),
    ("a token", {}, {"token": "secret"}),
    ("a token's file beside it", {}, {"tokenFile": "token"}),
    ("a password", {}, {"username": "me", "password": "pass:word"}),
    ("files beside it", FILES, FILES),
    ("what stands in it", DATA, DATA),
    ("both", FILES | DATA, FILES | DATA),
    ("plain HTTP", {"server": "http://one.example:8080/", **FILES}, FILES),
    ("no trust in the server", {"insecure-skip-tls-verify": True}, SOMEBODY),
    ("another name of the server", {"tls-server-name": "other.example", **FILES}, SOMEBODY),
    ("a proxy", {"proxy-url": "http://proxy.example:3128"}, SOMEBODY),
]


@pytest.mark.parametrize("cluster_has,user_has", [one[1:] for one in STATIC], ids=[one[0] for one in STATIC])
async def test_a_kubeconfig_says_what_it_says_to_the_kubernetes_client(
    tmp_path: Path, cluster_has: dict[str, Any], user_has: dict[str, Any]
) -> None:
    """What the client reads is the judge of what we read ourselves."""
    given = kubeconfig(tmp_path / "given", "one", **user_has)
    document = yaml.safe_load(given.read_text())
    document["clusters"][0]["cluster"] |= cluster_has
    given.write_text(yaml.safe_dump(document))
    (tmp_path / "tls").mkdir()
    for path in FILES.values():
        (tmp_path / path).write_text(path)
    (tmp_path / "token").write_text("of the file")
    client = ClientConfiguration()
    await load_kube_config(config_file=str(given), client_configuration=client, persist_config=False)
    ours = await load(str(given), None)
    assert isinstance(ours, Configuration)
    assert await said(ours) == await said(client)


def content(path: str) -> str:
    return Path(path).read_text()


def shown(path: str) -> str:
    """What a link says of itself."""
    return str(Path(path).readlink())


async def said(configuration: Any) -> dict[str, Any]:
    files = ("ssl_ca_cert", "cert_file", "key_file")
    paths = {name: getattr(configuration, name) for name in files}
    plain = ("host", "verify_ssl", "tls_server_name", "proxy", "proxy_headers")
    return {
        **{name: getattr(configuration, name) for name in plain},
        **{name: path and content(path) for name, path in paths.items()},
        "token": await token(configuration),
    }


async def test_keys_that_stand_in_a_kubeconfig_come_onto_no_disk(tmp_path: Path) -> None:
    given = kubeconfig(tmp_path / "given", "one", **DATA)
    configuration = await load(str(given), None)
    assert configuration.key_file is not None
    assert content(configuration.key_file) == "in tls/key"
    assert shown(configuration.key_file).startswith("/memfd:")
    assert (await load(str(given), None)).key_file == configuration.key_file, "each once"


async def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    user = {"client-certificate": "gone", "client-key": "gone"}
    with pytest.raises(CredentialsError, match=r"there is no file .*/gone"):
        await load(str(kubeconfig(tmp_path / "given", "one", **user)), None)


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
