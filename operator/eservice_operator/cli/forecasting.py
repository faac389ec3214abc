# SPDX-License-Identifier: Apache-2.0
"""The answer of ``forecast``: the operator's own decisions over the live cluster, ahead of time."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from eservice_operator.api.eservice import EService
from eservice_operator.api.template import EServiceTemplate
from eservice_operator.cli.forecast_view import Wanted, show_endings, show_foreseen
from eservice_operator.cli.kubectl import EVERYWHERE, KubectlError
from eservice_operator.cli.policy import Setup
from eservice_operator.cli.session import Session
from eservice_operator.cli.world import Live, live
from eservice_operator.cluster.store import Store, key_of
from eservice_operator.core.forecast import forecast, rehearsed
from eservice_operator.core.simulated_cluster import Scene
from eservice_operator.core.world import TemplateWorld, World

if TYPE_CHECKING:
    from eservice_operator.cli.forecast import Question, Rehearsal


def foretell(session: Session, setup: Setup, asked: Question, shown: str) -> None:
    """Read the cluster, live it through, and print what was asked for.

    Raises:
        ClickException: what is tried out contradicts the cluster.
        KubectlError: kubectl failed for another reason than rights.
    """
    seen = _live(session, setup, asked.start)
    template = asked.tried.template
    unread = any(one.kind == EServiceTemplate.__name__ for one in seen.unread)
    if template is not None and not unread and seen.store.get("EServiceTemplate", "", template) is None:
        raise click.ClickException(f"there is no EServiceTemplate {template}: kubectl get esvct lists them")
    made = forecast(
        scene_of(session, seen),
        asked.start,
        asked.end,
        seen.policy,
        tuple(_editions(seen, asked.tried)),
        release_brake=asked.tried.release_brake,
    )
    wanted = Wanted(None if session.all_namespaces else session.namespace, asked.tried.template)
    if asked.at is None:
        show_foreseen(session, shown, made, wanted, (asked.start, asked.end, seen.policy.zone))
    else:
        show_endings(session, shown, made, wanted, asked.at)


def _live(session: Session, setup: Setup, start: datetime) -> Live:
    """The whole cluster; for a person with rights in one namespace what those show.

    Raises:
        KubectlError: no e-service can be read, so that an empty forecast would say nothing.
    """
    seen = live(session.kubectl, setup, start)
    hidden = next((one for one in seen.unread if one.kind == EService.__name__), None)
    if hidden is not None and not session.namespace:
        raise KubectlError(f"{hidden.said}\n{EVERYWHERE}")
    if seen.unread and session.namespace:
        seen = live(session.kubectl, setup, start, session.namespace)
    for one in seen.unread:
        session.note(one.text)
    return seen


def _editions(seen: Live, tried: Rehearsal) -> Iterable[EServiceTemplate]:
    """The template with what is tried out, if anything is."""
    if tried.version is None or tried.template is None:
        return ()
    body = seen.store.get("EServiceTemplate", "", tried.template)
    world = None if body is None else seen.observer.template(key_of(body))
    if not isinstance(world, TemplateWorld):
        raise click.ClickException(f"there is no EServiceTemplate {tried.template} that can be read")
    days = (None if day is None else day.date() for day in (tried.released, tried.published))
    try:
        return (rehearsed(world.template, tried.version, *days),)
    except ValueError as error:
        raise click.ClickException(str(error)) from None


def scene_of(session: Session, seen: Live) -> Scene:
    """Every EService and template of the store; what cannot be read is named and left out."""
    services = [seen.observer.eservice(key_of(body)) for body in _bodies(seen.store, EService.__name__)]
    templates = [
        seen.observer.template(key_of(body)) for body in _bodies(seen.store, EServiceTemplate.__name__)
    ]
    left_out = sum(not isinstance(one, World | TemplateWorld) for one in (*services, *templates))
    if left_out:
        session.note(
            f"{left_out} objects cannot be read and are not foreseen: kubectl eservice status says why"
        )
    return Scene(
        tuple(world for world in services if isinstance(world, World)),
        tuple(world for world in templates if isinstance(world, TemplateWorld)),
    )


def _bodies(store: Store, kind: str) -> list[dict[str, Any]]:
    return sorted(store.all(kind), key=key_of)
