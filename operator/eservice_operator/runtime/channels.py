# SPDX-License-Identifier: Apache-2.0
"""The settings of the channels that people are told by: how they are written, and which go together."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from eservice_operator.core.address import Address, to_connect_to
from eservice_operator.core.cleaning import link
from eservice_operator.notify.addresses import Mailbox, NotOneAddress, mailbox_of
from eservice_operator.notify.smtp import Security
from eservice_operator.notify.tls import trust
from eservice_operator.runtime.settings import DNS_LABEL, SecretName, Settings


def parse_server(text: str) -> Address:
    """``HOST:PORT`` of a server to connect to."""
    address = to_connect_to(text)
    if address is None:
        raise ValueError(f"{text!r} is not a mail server; write HOST:PORT, such as mail.agency.example:587")
    return address


def parse_secret(text: str) -> SecretName:
    """``NAMESPACE/NAME`` of a Secret."""
    namespace, _, name = text.strip().partition("/")
    labels = [namespace, *name.split(".")]
    if not all(DNS_LABEL.fullmatch(label) for label in labels):
        raise ValueError(
            f"{text!r} does not name a Secret; write NAMESPACE/NAME, "
            "such as eservice-system/eservice-operator-smtp"
        )
    return SecretName(namespace, name)


def parse_ca_file(text: str) -> str:
    """The path of a file with certificates of authorities, in PEM."""
    if not Path(text).is_file():
        raise ValueError(f"there is no file {text!r}; write the path of a file with certificates in PEM")
    try:
        trust(text)
    except OSError as error:
        raise ValueError(
            f"{text!r} holds no certificates; write the path of a file with certificates in PEM"
        ) from error
    return text


def parse_mailbox(text: str) -> Mailbox:
    """``Name <address>``, or an address alone."""
    try:
        return mailbox_of(text)
    except NotOneAddress as error:
        raise ValueError(
            f"{text!r}: {error}; write 'Name <name@domain>', "
            "such as 'E-pakalpojumi <e-pakalpojumi@agency.example>'"
        ) from error


def parse_sink(text: str) -> str:
    """The URL of a CloudEvents sink: https, or http to what is in the cluster or in the same Pod."""
    parts = urlsplit(text)
    if not link(text) or parts.fragment:  # what is written wrong can hold a secret: it is not repeated
        raise ValueError(
            "this is not the address of a sink; write https://HOST/PATH (or http:// within the cluster), "
            "without a user, a password or a #"
        )
    if parts.scheme == "http" and not _near(parts.hostname or ""):
        raise ValueError(
            "notices name people: write https://HOST/PATH; http:// is for a Service of the cluster "
            "(http://NAME.NAMESPACE.svc/PATH) or for localhost"
        )
    return text


def _near(host: str) -> bool:
    """Whether a name stays in the cluster, or in the Pod: one label, that of a Service, or a loopback."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        name = host.removesuffix(".")
    one_label = DNS_LABEL.fullmatch(name) is not None and not name.isdecimal()
    return one_label or name.endswith((".svc", ".svc.cluster.local"))


def contradictions(settings: Settings) -> list[str]:
    """A sentence for each setting of a channel that does not go with the others."""
    return [*_mail(settings), *_events(settings)]


def _mail(settings: Settings) -> Iterator[str]:
    plain = settings.smtp_security == Security.NONE
    if settings.smtp_server is None:
        yield from (
            f"--{name} without --smtp-server: name the mail server too"
            for name, value in (
                ("smtp-secret", settings.smtp_secret),
                ("smtp-ca-file", settings.smtp_ca_file),
                ("mail-from", settings.mail_from),
            )
            if value is not None
        )
        return
    if settings.mail_from is None:
        yield "--smtp-server without --mail-from: write whom mails come from"
    if plain and settings.smtp_secret is not None:
        yield "--smtp-secret with --smtp-security none would show the password: use starttls or tls"
    if plain and settings.smtp_ca_file is not None:
        yield "--smtp-ca-file with --smtp-security none: there is no certificate to check; use tls"


def _events(settings: Settings) -> Iterator[str]:
    if settings.events_sink is None:
        yield from (
            f"--{name} without --events-sink: write the address of the sink too"
            for name, value in (
                ("events-secret", settings.events_secret),
                ("events-ca-file", settings.events_ca_file),
            )
            if value is not None
        )
    elif settings.events_ca_file is not None and not settings.events_sink.startswith("https:"):
        yield "--events-ca-file with a sink of http://: there is no certificate to check; write https://"
