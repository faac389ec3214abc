# SPDX-License-Identifier: Apache-2.0
"""Puts the domain into the shell: policy, reconciler, triggers, indexes, figures."""

from __future__ import annotations

import os
import socket

from eservice_operator.cluster.apply import Applier
from eservice_operator.cluster.credentials_copy import CredentialsCopier
from eservice_operator.cluster.events import EventSink
from eservice_operator.cluster.freshness import Freshness
from eservice_operator.cluster.indexes import INDEXES
from eservice_operator.cluster.observe import Observer
from eservice_operator.cluster.workdays import calendar_of, years_around
from eservice_operator.core.policy import Policy, Preview, PublishBy
from eservice_operator.runtime.clock import Clock
from eservice_operator.runtime.clockguard import policy_under
from eservice_operator.runtime.figures import EServiceFigures
from eservice_operator.runtime.outbox import Outbox
from eservice_operator.runtime.ports import Reconciler, Surroundings, Wiring
from eservice_operator.runtime.reconcile import ObjectReconciler
from eservice_operator.runtime.senders import channels_of, senders_of
from eservice_operator.runtime.settings import Settings
from eservice_operator.runtime.triggers import left_behind, triggers_for
from eservice_operator.runtime.witnessing import Witnessing, book_of

RECONCILED = (
    "EServiceTemplate",
    "EServiceRegistration",
    "EService",
    "AcceptanceAct",
    "ProductionVerification",
    "UnpublishDeferral",
    "EServiceIdentifier",
    "ConnectionTest",
    "WebService",
    "WebServiceGrant",
    "AgentAssignment",
)
"""Every kind of ours but UnpublishDecision, which the reconcile of its EService looks after."""


def preview_of(settings: Settings) -> Preview | None:
    """Where candidates are looked at."""
    if settings.preview_gateway is None or settings.preview_domain is None:
        return None
    return Preview(settings.preview_gateway, settings.preview_domain, settings.preview_header)


def policy_of(settings: Settings, clock: Clock) -> Policy:
    """How decisions are made under these settings."""
    by = PublishBy(settings.publish_by)
    return Policy(
        zone=settings.time_zone,
        calendar=calendar_of(settings.holiday_country, years_around(clock.now().year)),
        gateway=settings.gateway,
        routes_namespace=settings.routes_namespace,
        notice=settings.notice_service,
        allowed_gateways=settings.allowed_gateways,
        preview=preview_of(settings),
        traffic_from=settings.traffic_from,
        probed=settings.probe != "off",
        marked=settings.probe != "off" and settings.route_mark == "on" and by is PublishBy.GATEWAY,
        publish_by=by,
        ingress_class=settings.ingress_class or "",
        ingress_annotations=settings.ingress_annotations,
        cluster_networks=settings.cluster_networks,
        drain=settings.drain_delay,
        channels=channels_of(settings),
    )


def make_reconciler(surroundings: Surroundings) -> Reconciler:
    """The reconciler of all kinds."""
    api, store, settings, clock = (
        surroundings.api,
        surroundings.store,
        surroundings.settings,
        surroundings.clock,
    )
    policy = policy_of(settings, clock)
    senders = senders_of(settings, api, clock)
    outbox = Outbox(
        senders, surroundings.add, surroundings.metrics, clock=clock, leading=surroundings.leading
    )
    witnessing = _witnessing(surroundings)
    surroundings.at_end(outbox.close)
    observer = Observer(store, policy)
    return ObjectReconciler(
        observer=observer,
        applier=Applier(api, store, surroundings.wake),
        freshness=Freshness(api, store, surroundings.wake),
        events=EventSink(api, instance=os.environ.get("HOSTNAME") or socket.gethostname(), now=clock.now),
        outbox=outbox,
        policy_now=policy_under(policy, surroundings.clock_trusted),
        settle=settings.settle,
        monotonic=clock.monotonic,
        copier=CredentialsCopier(api, observer.access),
        witnessing=witnessing,
    )


def _witnessing(surroundings: Surroundings) -> Witnessing:
    """The look from outside, where it is set up; it ends with the operator."""
    clock = surroundings.clock
    made = book_of(surroundings.settings, clock, surroundings.metrics, surroundings.add)
    if made is None:
        return Witnessing()
    book, look_up = made

    async def close() -> None:
        await book.close()
        look_up.close()

    surroundings.at_end(close)
    return Witnessing(book, clock.monotonic)


def wiring_of(settings: Settings) -> Wiring:
    """Everything that the shell is given."""
    return Wiring(
        make_reconciler=make_reconciler,
        triggers=triggers_for((settings.gateway, *settings.allowed_gateways)),
        left_behind=left_behind,
        reconciled=RECONCILED,
        indexes=INDEXES,
        collector=EServiceFigures(
            settings.time_zone, settings.routes_namespace, marked=settings.route_mark == "on"
        ),
    )
