# SPDX-License-Identifier: Apache-2.0
"""What can be set, by which text, and what is said about a text that cannot be used."""

from __future__ import annotations

from dataclasses import fields
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner, Result

from eservice_operator import __version__
from eservice_operator.core.address import Address
from eservice_operator.core.policy import GatewayRef, NoticeRef, Preview, PublishBy
from eservice_operator.runtime.clock import SYSTEM
from eservice_operator.runtime.commandline import command_line
from eservice_operator.runtime.settings import (
    Settings,
    format_duration,
    parse_duration,
    unknown_variables,
)
from eservice_operator.runtime.wiring import policy_of

PREVIEWED = ("--preview-gateway", "internal/g/http", "--preview-domain", "p.example")

BY_INGRESS = ("--publish-by", "ingress", "--ingress-class", "outside", "--traffic-from", "traefik")


def run(*arguments: str, environment: dict[str, str] | None = None) -> tuple[Result, list[Settings]]:
    given: list[Settings] = []

    def serve(settings: Settings) -> int:
        given.append(settings)
        return 0

    result = CliRunner().invoke(command_line(serve), ["run", *arguments], env=environment or {})
    return result, given


def settings_of(*arguments: str, environment: dict[str, str] | None = None) -> Settings:
    result, given = run(*arguments, environment=environment)
    assert result.exit_code == 0, result.output
    return given[0]


def test_without_anything_the_defaults_count() -> None:
    assert settings_of() == Settings()


@pytest.mark.parametrize(
    "flag,text,value",
    [
        ("context", "agency", "agency"),
        ("namespaces", "pmlp-test, pmlp-production,pmlp-test", ("pmlp-test", "pmlp-production")),
        ("namespaces", "", ()),
        ("gateway", "edge/outside", GatewayRef("edge", "outside")),
        ("gateway", "edge/outside.v2/https", GatewayRef("edge", "outside.v2", "https")),
        ("publish-by", "gateway", "gateway"),
        ("routes-namespace", "agency-routes", "agency-routes"),
        (
            "allowed-gateways",
            "edge/a, edge/b/https,edge/a",
            (GatewayRef("edge", "a"), GatewayRef("edge", "b", "https")),
        ),
        ("allowed-gateways", "", ()),
        ("traffic-from", "envoy,traefik", ("envoy", "traefik")),
        ("notice-service", "eservice-notice", NoticeRef("eservice-notice", 80)),
        ("notice-service", "eservice-notice:8080", NoticeRef("eservice-notice", 8080)),
        ("route-mark", "off", "off"),
        ("probe", "https", "https"),
        ("probe-interval", "1m", timedelta(minutes=1)),
        ("time-zone", "Europe/Stockholm", ZoneInfo("Europe/Stockholm")),
        ("holiday-country", "se", "SE"),
        ("resync", "10m", timedelta(minutes=10)),
        ("resync", "1h30m", timedelta(minutes=90)),
        ("workers", "1", 1),
        ("metrics-address", ":0", Address("", 0)),
        ("metrics-address", "[::1]:8081", Address("::1", 8081)),
        ("log-level", "debug", "debug"),
        ("log-format", "text", "text"),
        ("drain-delay", "0s", timedelta(0)),
        ("settle", "0.25s", timedelta(milliseconds=250)),
    ],
)
def test_a_flag_and_its_variable_mean_the_same(flag: str, text: str, value: Any) -> None:
    field = flag.replace("-", "_")
    assert getattr(settings_of(f"--{flag}", text), field) == value
    assert getattr(settings_of(environment={f"ESERVICE_{field.upper()}": text}), field) == value


def test_a_flag_goes_before_its_variable() -> None:
    assert settings_of("--workers", "3", environment={"ESERVICE_WORKERS": "5"}).workers == 3


def test_the_kubeconfig_has_to_be_there(tmp_path: Path) -> None:
    path = tmp_path / "kubeconfig"
    result, _ = run("--kubeconfig", str(path))
    assert result.exit_code == 2
    assert "write the path of a kubeconfig" in result.output
    path.touch()
    assert settings_of("--kubeconfig", str(path)).kubeconfig == str(path)


@pytest.mark.parametrize(
    "flag,text,advice",
    [
        ("namespaces", "pmlp-*", "write each namespace by its name"),
        ("namespaces", "PMLP", "write lower-case letters"),
        ("gateway", "public", "write NAMESPACE/NAME"),
        ("gateway", "a/b/c/d", "write NAMESPACE/NAME"),
        ("gateway", "a//b", "write NAMESPACE/NAME"),
        ("routes-namespace", "", "write lower-case letters"),
        ("allowed-gateways", "edge/a,b", "write NAMESPACE/NAME"),
        ("traffic-from", "a,*", "write each namespace by its name"),
        ("publish-by", "nodeport", "'gateway', 'ingress'"),
        ("ingress-class", "Outside", "kubectl get ingressclasses"),
        ("ingress-annotations", "a.example/*/b", "cert-manager.io/*"),
        ("preview-gateway", "internal", "write NAMESPACE/NAME"),
        ("preview-domain", "*.agency.example", "write one without a wildcard"),
        ("preview-domain", f"{'a' * 63}.{'b' * 63}.{'c' * 63}", "write one without a wildcard"),
        ("preview-header", "X-Preview", "write NAME=VALUE"),
        ("preview-header", "X Preview=yes", "write NAME=VALUE"),
        ("preview-header", "X-Preview=jā", "write NAME=VALUE of printable ASCII"),
        ("preview-header", "host=a.example", "not the header Host"),
        ("notice-service", "page:0", "write NAME or NAME:PORT"),
        ("notice-service", "page:", "write NAME or NAME:PORT"),
        ("notice-service", "routes/page", "write NAME or NAME:PORT"),
        ("route-mark", "perhaps", "'on', 'off'"),
        ("probe", "on", "'off', 'https', 'http'"),
        ("probe-address", "gateway", "write HOST:PORT"),
        ("probe-address", ":443", "write HOST:PORT"),
        ("probe-allow", "10.0.0.1/8", "write an address and a length"),
        ("probe-interval", "1s", "write a duration from 10s to 24h"),
        ("cluster-networks", "10.96.0.1/12", "write an address and a length"),
        ("time-zone", "Europe/Rīga", "write a name such as Europe/Riga"),
        ("time-zone", "nowhere", "write a name such as Europe/Riga"),
        ("holiday-country", "Latvia", "write the two letters of a country"),
        ("resync", "20", "write hours, minutes and seconds"),
        ("resync", "20 minutes", "write hours, minutes and seconds"),
        ("resync", "", "write hours, minutes and seconds"),
        ("resync", "0s", "write a duration from 1s to 24h"),
        ("resync", "25h", "write a duration from 1s to 24h"),
        ("drain-delay", "2h", "write a duration from 0s to 1h"),
        ("workers", "0", "1<=x<=256"),
        ("workers", "many", "not a valid integer"),
        ("metrics-address", "8080", "write HOST:PORT"),
        ("metrics-address", "0.0.0.0:99999", "write HOST:PORT"),
        ("log-level", "loud", "'debug', 'info', 'warning', 'error'"),
        ("log-format", "xml", "'json', 'text'"),
    ],
)
def test_a_wrong_value_is_refused_with_what_to_write_instead(flag: str, text: str, advice: str) -> None:
    result, given = run(f"--{flag}", text)
    assert result.exit_code == 2
    assert f"--{flag}" in result.output
    assert advice in " ".join(result.output.split())
    assert not given


def test_the_probe_is_told_where_to_connect() -> None:
    given = settings_of(
        "--probe", "http", "--probe-address", "[::1]:80", "--probe-allow", "fd00::/8,10.0.0.0/8"
    )
    assert given.probe_address == Address("::1", 80)
    assert given.probe_allow == (ip_network("fd00::/8"), ip_network("10.0.0.0/8"))


def test_the_clusters_own_networks_are_part_of_every_decision() -> None:
    given = settings_of("--cluster-networks", "10.96.0.0/12, fd00:10::/48")
    assert policy_of(given, SYSTEM).cluster_networks == (
        ip_network("10.96.0.0/12"),
        ip_network("fd00:10::/48"),
    )


@pytest.mark.parametrize(
    "arguments,why",
    [
        (["--probe-allow", "10.0.0.0/8"], "need --probe https or --probe http"),
        (["--probe-address", "127.0.0.1:80"], "need --probe https or --probe http"),
        (["--ingress-annotations", "*"], "--ingress-annotations needs --publish-by ingress"),
        (["--ingress-class", "outside"], "--ingress-class needs --publish-by ingress"),
        (["--publish-by", "ingress", "--traffic-from", "a"], "needs --ingress-class"),
        (["--publish-by", "ingress", "--ingress-class", "a"], "needs --traffic-from"),
        ([*BY_INGRESS, "--notice-service", "page"], "--notice-service does not go with"),
        ([*BY_INGRESS, "--allowed-gateways", "a/b"], "--allowed-gateways does not go with"),
        (["--preview-gateway", "internal/g"], "--preview-gateway needs --preview-domain"),
        (["--preview-domain", "p.example"], "need --preview-gateway"),
        (["--preview-header", "X-Preview=yes"], "need --preview-gateway"),
        ([*PREVIEWED, "--gateway", "internal/g"], "internal/g, on which the public is served"),
        ([*PREVIEWED, "--gateway", "internal/g/https"], "not another listener of this one"),
        ([*PREVIEWED, "--allowed-gateways", "edge/b,internal/g/tls"], "not another listener of this one"),
        (["--gateway", "edge/a", "--allowed-gateways", "edge/b,edge/a"], "edge/a, which is the public one"),
    ],
)
def test_settings_that_do_not_go_together_end_it(arguments: list[str], why: str) -> None:
    result, given = run(*arguments)
    assert (result.exit_code, given) == (2, [])
    assert why in " ".join(result.output.split())


def test_previews_are_told_where_they_are() -> None:
    given = settings_of(*PREVIEWED, "--preview-header", "X-Preview = a=b")
    gateway = GatewayRef("internal", "g", "http")
    assert given.preview_header == ("X-Preview", "a=b")
    assert policy_of(given, SYSTEM).preview == Preview(gateway, "p.example", ("X-Preview", "a=b"))
    assert policy_of(settings_of(), SYSTEM).preview is None


def test_an_ingress_carries_no_mark() -> None:
    policy = policy_of(settings_of(*BY_INGRESS, "--probe", "https"), SYSTEM)
    assert (policy.publish_by, policy.ingress_class) == (PublishBy.INGRESS, "outside")
    assert policy.probed
    assert not policy.marked
    assert policy_of(settings_of("--probe", "https"), SYSTEM).marked


def test_the_help_names_each_setting_with_its_variable_and_default() -> None:
    result, _ = run("--help")
    text = "".join(result.output.split())
    for setting in fields(Settings):
        assert f"--{setting.name.replace('_', '-')}" in text
        assert f"[envvar:ESERVICE_{setting.name.upper()}" in text
    assert "default:gateway-system/public" in text
    assert "default:20m" in text


def test_version_prints_the_version() -> None:
    result = CliRunner().invoke(command_line(lambda _: 1), ["version"])
    assert (result.exit_code, result.output) == (0, f"{__version__}\n")


def test_the_exit_code_is_the_operators() -> None:
    assert CliRunner().invoke(command_line(lambda _: 1), ["run"]).exit_code == 1


@pytest.mark.parametrize("text", ["0s", "1s", "1.5s", "20m", "1h30m", "24h", "1h1m1s"])
def test_durations_are_written_as_they_are_read(text: str) -> None:
    assert format_duration(parse_duration(text)) == text


def test_a_variable_that_is_no_setting_is_pointed_out_but_not_those_of_kubernetes() -> None:
    environment = [
        "ESERVICE_WORKERS",
        "ESERVICE_WORKRES",
        "ESERVICE_THAT_WAS_NEVER_THERE",
        "ESERVICE_OPERATOR_SERVICE_HOST",
        "ESERVICE_OPERATOR_PORT_8080_TCP_ADDR",
        "ESERVICE_PORT",
        "PATH",
    ]
    assert unknown_variables(environment) == [
        "the variable ESERVICE_THAT_WAS_NEVER_THERE is no setting",
        "the variable ESERVICE_WORKRES is no setting; did you mean ESERVICE_WORKERS?",
    ]
