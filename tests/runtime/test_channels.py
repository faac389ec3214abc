# SPDX-License-Identifier: Apache-2.0
"""How the channels are set up, what is said about what cannot be, and which senders there then are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import trustme
from click.testing import CliRunner, Result

from eservice_operator.api.notices import Channel
from eservice_operator.cluster.client import KubeApi
from eservice_operator.cluster.configuration import Configuration
from eservice_operator.core.address import Address
from eservice_operator.notify.addresses import Address as MailAddress
from eservice_operator.notify.addresses import Mailbox
from eservice_operator.notify.cloudevents import EventsSender
from eservice_operator.notify.smtp import SmtpSender
from eservice_operator.runtime.clock import SYSTEM
from eservice_operator.runtime.commandline import command_line
from eservice_operator.runtime.senders import senders_of
from eservice_operator.runtime.settings import SecretName, Settings
from eservice_operator.runtime.wiring import policy_of

MAIL = {"smtp-server": "mail.agency.example:587", "mail-from": "E-pakalpojumi <e@agency.example>"}
EVENTS = {"events-sink": "https://events.agency.example:8443/eservice?x=y"}


def run(flags: dict[str, str], environment: dict[str, str] | None = None) -> tuple[Result, list[Settings]]:
    given: list[Settings] = []

    def serve(settings: Settings) -> int:
        given.append(settings)
        return 0

    arguments = [part for name, value in flags.items() for part in (f"--{name}", value)]
    return CliRunner().invoke(command_line(serve), ["run", *arguments], env=environment or {}), given


def settings_of(flags: dict[str, str], environment: dict[str, str] | None = None) -> Settings:
    result, given = run(flags, environment)
    assert result.exit_code == 0, result.output
    return given[0]


@pytest.mark.parametrize(
    "flag,text,value",
    [
        ("smtp-server", "mail.agency.example:587", Address("mail.agency.example", 587)),
        ("smtp-server", "[2001:db8::1]:465", Address("2001:db8::1", 465)),
        ("smtp-security", "tls", "tls"),
        ("smtp-secret", "eservice-system/smtp", SecretName("eservice-system", "smtp")),
        ("mail-from", "a@b.lv", Mailbox("", MailAddress("a", "b.lv"))),
        (
            "mail-from",
            "Valsts aģentūra <a@b.lv>",
            Mailbox("Valsts aģentūra", MailAddress("a", "b.lv")),
        ),
        ("events-sink", "http://broker-ingress.knative-eventing.svc/a/b", None),
        ("events-secret", "eservice-system/events.v2", SecretName("eservice-system", "events.v2")),
    ],
)
def test_a_flag_and_its_variable_mean_the_same(flag: str, text: str, value: Any) -> None:
    field = flag.replace("-", "_")
    variables = {f"ESERVICE_{name.replace('-', '_').upper()}": one for name, one in (MAIL | EVENTS).items()}
    wanted = text if value is None else value
    assert getattr(settings_of(MAIL | EVENTS | {flag: text}), field) == wanted
    assert getattr(settings_of({}, variables | {f"ESERVICE_{field.upper()}": text}), field) == wanted


@pytest.mark.parametrize(
    "flag,text,advice",
    [
        ("smtp-server", "mail.agency.example", "write HOST:PORT"),
        ("smtp-server", ":587", "write HOST:PORT"),
        ("smtp-server", "mail:0", "write HOST:PORT"),
        ("smtp-server", "mail:70000", "write HOST:PORT"),
        ("smtp-security", "ssl", "'starttls', 'tls', 'none'"),
        ("smtp-secret", "smtp", "write NAMESPACE/NAME"),
        ("smtp-secret", "a/b/c", "write NAMESPACE/NAME"),
        ("smtp-secret", "a/", "write NAMESPACE/NAME"),
        ("mail-from", "operator", "write 'Name <name@domain>'"),
        ("mail-from", "A, B <a@b.lv>", "write 'Name <name@domain>'"),
        ("mail-from", "a@b.lv, c@d.lv", "write 'Name <name@domain>'"),
        ("events-sink", "events.agency.example", "write https://HOST/PATH"),
        ("events-sink", "https://user:hunter2@events.agency.example/", "write https://HOST/PATH"),
        ("events-sink", "https://events.agency.example/#x", "write https://HOST/PATH"),
        ("events-sink", "http://events.agency.example/hunter2", "write https://HOST/PATH"),
        ("events-sink", "http://10.96.0.17/", "write https://HOST/PATH"),
        ("events-sink", "http://[2001:db8::1]/", "write https://HOST/PATH"),
        ("events-sink", "http://2130706433/", "write https://HOST/PATH"),
        ("events-sink", "http://broker.svc.agency.example/", "write https://HOST/PATH"),
        ("events-ca-file", "/nowhere/ca.pem", "write the path of a file with certificates in PEM"),
    ],
)
def test_a_wrong_value_is_refused_with_what_to_write_instead(flag: str, text: str, advice: str) -> None:
    result, given = run(MAIL | EVENTS | {flag: text})
    assert result.exit_code == 2
    assert f"--{flag}" in result.output
    assert advice in " ".join(result.output.split())
    assert "hunter2" not in result.output
    assert not given


@pytest.mark.parametrize(
    "url",
    [
        "http://broker/",
        "http://broker.knative-eventing.svc/a",
        "http://broker.knative-eventing.svc.cluster.local:8080/a",
        "http://broker.knative-eventing.svc.cluster.local./a",
        "http://localhost:8080/",
        "http://127.0.0.1:8080/",
        "http://[::1]:8080/",
        "https://10.96.0.17/",
    ],
)
def test_plain_http_stays_within_the_cluster(url: str) -> None:
    assert settings_of({"events-sink": url}).events_sink == url


def test_a_file_of_authorities_has_to_hold_certificates(tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    path.write_text("nothing")
    result, _ = run(MAIL | {"smtp-ca-file": str(path)})
    assert (result.exit_code, "holds no certificates" in result.output) == (2, True)
    trustme.CA().cert_pem.write_to_path(str(path))
    assert settings_of(MAIL | {"smtp-ca-file": str(path)}).smtp_ca_file == str(path)


@pytest.mark.parametrize(
    "flags,sentence",
    [
        ({"smtp-server": "mail:587"}, "--smtp-server without --mail-from"),
        ({"mail-from": "a@b.lv"}, "--mail-from without --smtp-server"),
        ({"smtp-secret": "a/b"}, "--smtp-secret without --smtp-server"),
        (MAIL | {"smtp-secret": "a/b", "smtp-security": "none"}, "would show the password"),
        ({"events-secret": "a/b"}, "--events-secret without --events-sink"),
    ],
)
def test_what_does_not_go_together_ends_before_anything_starts(flags: dict[str, str], sentence: str) -> None:
    result, given = run(flags)
    assert result.exit_code == 2
    assert sentence in " ".join(result.output.split())
    assert not given


@pytest.mark.parametrize("flags", [MAIL | {"smtp-security": "none"}, {"events-sink": "http://broker/"}])
def test_certificates_without_tls_are_a_mistake(flags: dict[str, str], tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    trustme.CA().cert_pem.write_to_path(str(path))
    name = "smtp-ca-file" if "smtp-server" in flags else "events-ca-file"
    result, _ = run(flags | {name: str(path)})
    assert (result.exit_code, "no certificate to check" in " ".join(result.output.split())) == (2, True)


@pytest.mark.parametrize(
    "flags,channels",
    [
        ({}, ()),
        (MAIL, ((Channel.EMAIL, ""),)),
        (EVENTS, ((Channel.CLOUD_EVENTS, "events.agency.example"),)),
        (MAIL | EVENTS, ((Channel.EMAIL, ""), (Channel.CLOUD_EVENTS, "events.agency.example"))),
    ],
)
async def test_decisions_know_the_channels_that_have_a_sender(
    flags: dict[str, str], channels: tuple[tuple[Channel, str], ...]
) -> None:
    settings = settings_of(flags)
    assert policy_of(settings, SYSTEM).channels == channels
    async with KubeApi(Configuration(host="http://127.0.0.1:1")) as api:
        senders = senders_of(settings, api, SYSTEM)
        assert list(senders) == [channel for channel, _ in channels]
        kinds = {Channel.EMAIL: SmtpSender, Channel.CLOUD_EVENTS: EventsSender}
        for channel, sender in senders.items():
            assert isinstance(sender, kinds[channel])
            await sender.close()
