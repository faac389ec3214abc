# SPDX-License-Identifier: Apache-2.0
"""R8: writing the release of held sets, one after another, so that none of them is lost.

``spec.lifecycle.brake.release`` names one set. A second one written over it before the operator has noted the
first at each decision would leave the rest of the first held, though somebody has let it go.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from time import monotonic, sleep
from typing import Final

import click

from eservice_operator.cli.clock import now
from eservice_operator.cli.dated import Days
from eservice_operator.cli.dossier import Body, resource
from eservice_operator.cli.held_set import HeldSet, held_sets
from eservice_operator.cli.kubectl import KubectlError, Listing, Query
from eservice_operator.cli.plain import part
from eservice_operator.cli.session import Session
from eservice_operator.cli.text import clean

POLL: Final = 1.0
"""Seconds between two looks."""
SHOWN: Final = 3
"""Decisions that are named where they are many."""
CONFLICT: Final = "Error from server (Conflict)"


def questions(template: str) -> tuple[Query, ...]:
    """What is read about the brake of a template."""
    return (
        Query((resource("eservicetemplates"),), name=template),
        Query((resource("unpublishdecisions"),), ""),
        Query((resource("eservices"),), ""),
    )


@dataclass(frozen=True)
class Braking:
    """The brake of one template as the cluster has it now."""

    template: Body
    sets: tuple[HeldSet, ...]
    """Those that are not let go, or of which the operator has not noted it at each decision."""
    decisions_seen: bool
    services_seen: bool

    @property
    def name(self) -> str:
        """Of the template."""
        return str(part(self.template, "metadata", "name"))

    @property
    def released(self) -> str:
        """The token that the template releases; empty when none is."""
        return str(part(self.template, "spec", "lifecycle", "brake", "release") or "")

    @property
    def pending(self) -> HeldSet | None:
        """The set whose release the operator has not noted yet at each of its decisions.

        A decision whose e-service is gone is not waited for: nobody notes anything there.
        """
        held = next((one for one in self.sets if one.token == self.released), None)
        if held is None or (held.members and all(member.gone for member in held.members)):
            return None
        return held

    @property
    def waiting(self) -> tuple[HeldSet, ...]:
        """The sets that nobody has let go."""
        return tuple(one for one in self.sets if one.token != self.released)


def braking(listings: Sequence[Listing], days: Days) -> Braking:
    """What the answers to `questions` say.

    Raises:
        KubectlError: the template is not there, or may not be read.
    """
    found, decisions, services = listings
    body = found.only()
    sets = held_sets(
        body,
        None if decisions.refused else decisions.items,
        None if services.refused else services.items,
        days,
    )
    return Braking(body, sets, not decisions.refused, not services.refused)


def let_go(session: Session, template: str, tokens: Sequence[str], days: Days, timeout: float) -> None:
    """Release the sets in this order; each one waits until the operator has noted the one before.

    Raises:
        ClickException: it had not within ``timeout`` seconds; what was released until then stays so.
        KubectlError: kubectl, or the API server, refused it.
    """
    for number, token in enumerate(tokens):
        try:
            _release(session, template, token, days, timeout)
        except click.ClickException:
            if number:
                done, left = ", ".join(tokens[:number]), ", ".join(tokens[number:])
                session.note(f"released: {done}; not released: {left}")
            raise


def _release(session: Session, template: str, token: str, days: Days, timeout: float) -> None:
    end, told = monotonic() + timeout, False
    while True:
        seen = braking(session.kubectl.get(*questions(template)), Days(now(), days.zone))
        held = seen.pending
        if seen.released == token:
            return
        if held is None and _written(session, seen, token):
            return
        if monotonic() >= end:
            raise click.ClickException(_not_noted(seen, held, token, timeout))
        if held is not None and not told:
            text = f"waiting until the operator has noted the release of {held.token}: {held.count} to go"
            session.note(text)
            told = True
        sleep(POLL)


def _written(session: Session, seen: Braking, token: str) -> bool:
    """Write the token into the template, unless somebody has changed the template since it was read."""
    change = {
        "metadata": {"resourceVersion": part(seen.template, "metadata", "resourceVersion")},
        "spec": {"lifecycle": {"brake": {"release": token}}},
    }
    arguments = ("patch", resource("eservicetemplates"), seen.name, "--type=merge")
    try:
        said = session.kubectl.run(*arguments, f"--patch={json.dumps(change)}")
    except KubectlError as error:
        if error.message.startswith(CONFLICT):
            return False
        raise
    text = clean(f"{said.strip()}: releases {token}", keep="\n")
    session.note(text) if session.machine else session.say(text)
    return True


def _not_noted(seen: Braking, held: HeldSet | None, token: str, timeout: float) -> str:
    if held is None:
        return (
            f"EServiceTemplate {seen.name} was changed by somebody else again and again for {timeout:g} s:"
            f" {token} is not released; try again"
        )
    names = [member.decision.metadata.name for member in held.members if not member.gone] or list(held.names)
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    some = f"{', '.join(names[:SHOWN])}{more}"
    return (
        f"{token} is not released: the template releases {held.token}, and the operator has not noted it"
        f" within {timeout:g} s at {some}; with another token in its place they would stay held.\n"
        "See whether the operator runs, and what kubectl eservice explain says of their e-services; then try"
        " again, with a longer --timeout if they are many"
    )
