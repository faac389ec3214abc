# SPDX-License-Identifier: Apache-2.0
"""Which channels there are under the settings, and what sends by them."""

from __future__ import annotations

from eservice_operator.api.notices import Channel
from eservice_operator.cluster.client import KubeApi
from eservice_operator.notify.cloudevents import EventsSender, host_of
from eservice_operator.notify.sender import Sender
from eservice_operator.notify.smtp import MailServer, Security, SmtpSender
from eservice_operator.notify.tls import Trust
from eservice_operator.runtime.clock import Clock
from eservice_operator.runtime.secrets import SecretKey, SecretLogin, SecretReader
from eservice_operator.runtime.settings import SecretName, Settings


def channels_of(settings: Settings) -> tuple[tuple[Channel, str], ...]:
    """Each channel with its sink, as decisions know them: the host of the events' sink, nothing for mail."""
    channels = []
    if settings.smtp_server is not None:
        channels.append((Channel.EMAIL, ""))
    if settings.events_sink is not None:
        channels.append((Channel.CLOUD_EVENTS, host_of(settings.events_sink)))
    return tuple(channels)


def senders_of(settings: Settings, api: KubeApi, clock: Clock) -> dict[Channel, Sender]:
    """What sends by each of them; nothing is connected or read before the first letter."""

    def reader(name: SecretName) -> SecretReader:
        return SecretReader(api, name, clock.monotonic)

    senders: dict[Channel, Sender] = {}
    if settings.smtp_server is not None and settings.mail_from is not None:
        server = MailServer(
            host=settings.smtp_server.host,
            port=settings.smtp_server.port,
            sender=settings.mail_from,
            security=Security(settings.smtp_security),
            ca_file=settings.smtp_ca_file,
        )
        login = SecretLogin(reader(settings.smtp_secret)) if settings.smtp_secret else None
        senders[Channel.EMAIL] = SmtpSender(server, login, clock.now)
    if settings.events_sink is not None:
        key = SecretKey(reader(settings.events_secret)) if settings.events_secret else None
        trusted = Trust(settings.events_ca_file)
        senders[Channel.CLOUD_EVENTS] = EventsSender(settings.events_sink, key, clock.now, trusted=trusted)
    return senders
