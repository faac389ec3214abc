# SPDX-License-Identifier: Apache-2.0
"""The answer of ``forecast``: the operator's own decisions over the live cluster, ahead of time."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from eservice_operator.api.eservice import EService
from eservice_operator.api.template import EServiceTemplate
from eservice_operator.cli.editions import Editions, as_stored, differences, in_place_of, read_editions
from eservice_operator.cli.forecast_view import Frame, Wanted, show_endings, show_foreseen
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
    """Read the files and the cluster, live it through, and print what was asked for.

    Raises:
        ClickException: what is tried out cannot be, or contradicts the cluster.
        KubectlError: kubectl failed for another reason than rights.
    """
    edited = read_editions(asked.tried.filenames) if asked.tried.filenames else Editions({}, 0)
    if edited.others:
        session.note(f"{edited.others} other documents are passed over: a forecast tries out templates only")
    seen = _live(session, setup, asked.start)
    scene, what_if, tried = _tried_out(session, seen, edited, asked.tried)
    made = forecast(
        scene, asked.start, asked.end, seen.policy, what_if, release_brake=asked.tried.release_brake
    )
    wanted = Wanted(None if session.all_namespaces else session.namespace, asked.tried.template)
    frame = Frame(asked.start, asked.end, seen.policy.zone, tuple(tried))
    if asked.at is None:
        show_foreseen(session, shown, made, wanted, frame)
    else:
        show_endings(session, shown, made, wanted, frame)


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


def _tried_out(
    session: Session, seen: Live, edited: Editions, tried: Rehearsal
) -> tuple[Scene, list[EServiceTemplate], list[str]]:
    """The scene, the templates that take the place of those in it, and what that changes, in words."""
    unread = any(one.kind == EServiceTemplate.__name__ for one in seen.unread)
    known = _known(seen)
    for name, one in edited.templates.items():
        if name not in known:
            unread = unread or seen.store.get(EServiceTemplate.__name__, "", name) is not None
            seen.store.upsert(as_stored(one))
    scene = scene_of(session, seen)
    current = {
        name: in_place_of(known[name], one) if name in known else one
        for name, one in edited.templates.items()
    }
    told = [
        line
        for name, one in current.items()
        for line in differences(known.get(name), one, known_all=not unread)
    ]
    if tried.template is not None and not unread and tried.template not in known.keys() | current.keys():
        raise click.ClickException(
            f"there is no EServiceTemplate {tried.template}: kubectl get esvct lists them"
        )
    if tried.template is not None and tried.version is not None:
        before = current.get(tried.template) or known.get(tried.template)
        if before is None:
            raise click.ClickException(f"there is no EServiceTemplate {tried.template} that can be read")
        current[tried.template] = _rehearsed(before, tried.version, tried)
        told += differences(before, current[tried.template])
    return scene, list(current.values()), told


def _known(seen: Live) -> dict[str, EServiceTemplate]:
    """The templates of the cluster that can be read."""
    worlds = (seen.observer.template(key_of(body)) for body in seen.store.all(EServiceTemplate.__name__))
    found = (world.template for world in worlds if isinstance(world, TemplateWorld))
    return {template.metadata.name: template for template in found}


def _rehearsed(template: EServiceTemplate, version: str, tried: Rehearsal) -> EServiceTemplate:
    days = (None if day is None else day.date() for day in (tried.released, tried.published))
    try:
        return rehearsed(template, version, *days)
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
