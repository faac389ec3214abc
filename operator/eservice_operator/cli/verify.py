# SPDX-License-Identifier: Apache-2.0
"""``kubectl eservice verify``: the institution records what its check in production found (R6)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import click

from eservice_operator.cli.clock import now
from eservice_operator.cli.completion import eservice_names
from eservice_operator.cli.dated import Days
from eservice_operator.cli.dossier import Body, find_service, place_of
from eservice_operator.cli.naming import read_name
from eservice_operator.cli.plain import condition, part
from eservice_operator.cli.policy import ZONE_OPTION
from eservice_operator.cli.session import Command, Session
from eservice_operator.cli.status import lagging
from eservice_operator.cli.timeline import release_text
from eservice_operator.cli.writing import DRY_RUN, create, read_instant, slug, written

DIGITS: Final = 8
"""Of the image's digest in the name."""


@click.command(cls=Command)
@click.argument("name", callback=read_name, shell_complete=eservice_names)
@click.option("--outcome", type=click.Choice(["Passed", "Failed"]), required=True, help="What was found.")
@click.option("--by", "who", required=True, metavar="WHO", help="Who of the institution checked it.")
@click.option("--notes", metavar="TEXT", help="What was found, for people.")
@click.option(
    "--at", callback=read_instant, metavar="INSTANT", help="When, such as 2026-10-12T10:00:00Z; else now."
)
@click.option(
    "--release",
    metavar="NAME",
    help="candidate, public, or the name of one of them in the status; else the release that waits.",
)
@ZONE_OPTION
@DRY_RUN
@click.pass_obj
def command(session: Session, /, name: str, time_zone: ZoneInfo, *, dry_run: bool, **given: Any) -> None:
    """Record that a release was verified in production (R6).

    Writes a ProductionVerification of the release that waits for the public: exactly its digest and template
    version. It never changes afterwards; the newest one of a release counts.
    """
    service = find_service(session.kubectl, name, session.namespace)
    if stale := lagging(service):
        session.note(stale)
    days = Days(now(), time_zone)
    at = given["at"] or days.now
    release = chosen(service, given["release"], given["outcome"])
    _refuse_what_would_not_count(service, at, days)
    create(session, manifest(service, release, at, given), dry_run=dry_run)


def chosen(service: Body, named: str | None, outcome: str) -> Mapping[str, Any]:
    """The release that is verified.

    Raises:
        ClickException: nothing is installed that waits for it, or there is no release of that name.
    """
    if part(service, "spec", "environment") != "Production":
        raise click.ClickException("verifications bind in Production only (R6): nothing here waits for one")
    releases = {
        which: release
        for which in ("candidate", "public")
        if (release := part(service, "status", "release", which))
    }
    if named is not None:
        found = (one for which, one in releases.items() if named in {which, one.get("name")})
        release = next(found, None)
        if release is None:
            known = "; ".join(f"{which}: {one.get('name')}" for which, one in releases.items()) or "none"
            raise click.ClickException(f"there is no release {named!r}; installed are {known}")
        return dict(release)
    if "candidate" not in releases:
        raise click.ClickException(_nothing_waits(service, releases.get("public")))
    ready = condition(service, "Installed")
    if outcome == "Passed" and ready.get("status") != "True":
        raise click.ClickException(
            f"it is not installed yet: {ready.get('message') or 'no Pod is available'}"
        )
    return dict(releases["candidate"])


def _nothing_waits(service: Body, public: Mapping[str, Any] | None) -> str:
    """Why there is nothing to verify."""
    unmet = [
        f"{gate.get('gate')} ({gate.get('owner')}): {gate.get('message')}"
        for gate in part(service, "status", "gates") or ()
        if gate.get("blocks") == "Install"
    ]
    wanted = {
        "image": part(service, "spec", "release", "image"),
        "template": part(service, "spec", "template"),
    }
    if public is not None and release_text(public) == release_text(wanted):
        return f"{release_text(public)} is public already; to verify it again write --release public"
    text = f"{release_text(wanted)} is not installed, so nobody can have checked it"
    return "\n  ".join([text + (":" if unmet else ""), *unmet])


def _refuse_what_would_not_count(service: Body, at: datetime, days: Days) -> None:
    if at > days.now:
        raise click.ClickException(f"{days.local(at)} lies in the future: it would not count")
    requested = days.day(part(service, "spec", "productionRequest", "requestedAt"))
    if requested is not None and at.astimezone(days.zone).date() < requested:
        text = f"{days.local(at)} is before the request for production of {requested}: it would not count"
        raise click.ClickException(text)


def manifest(
    service: Body, release: Mapping[str, Any], at: datetime, given: Mapping[str, Any]
) -> dict[str, Any]:
    """The ProductionVerification."""
    namespace, name = place_of(service)
    template = release["template"]
    digest = str(release["image"]).rpartition(":")[2][:DIGITS]
    spec = {
        "eService": name,
        "image": release["image"],
        "template": {"name": template["name"], "version": template["version"]},
        "outcome": given["outcome"],
        "verifiedAt": written(at),
        "verifiedBy": given["who"],
    }
    return {
        "apiVersion": "eservice.dev/v1alpha1",
        "kind": "ProductionVerification",
        "metadata": {
            "name": slug(name, template["version"], digest, f"{at:%Y%m%d-%H%M%S}"),
            "namespace": namespace,
        },
        "spec": spec | ({"notes": given["notes"]} if given["notes"] else {}),
    }
