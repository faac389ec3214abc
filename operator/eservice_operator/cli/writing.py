# SPDX-License-Identifier: Apache-2.0
"""How the writing commands write: one object, read back by the operator's own models before it is sent."""

from __future__ import annotations

import hashlib
import json
import re
from datetime import UTC, date, datetime
from typing import Any, Final

import click

from eservice_operator.cli.output import show
from eservice_operator.cli.session import Session
from eservice_operator.cli.text import clean

DRY_RUN: Final = click.option(
    "--dry-run", is_flag=True, help="Only print the object, for Git; nothing is written."
)
NOT_IN_NAMES: Final = re.compile(r"[^a-z0-9]+")
LONGEST_NAME: Final = 253
DIGITS: Final = 8
"""Of the hash in a name."""


def create(session: Session, manifest: dict[str, Any], *, dry_run: bool) -> None:
    """Create the object, or print it.

    Raises:
        ClickException: the operator could not read it.
        KubectlError: kubectl, or the API server, refused it.
    """
    from eservice_operator.api.parse import InvalidObject, parse  # noqa: PLC0415 - not for --help

    read = parse(manifest["kind"], manifest)
    if isinstance(read, InvalidObject):
        raise click.ClickException("\n".join(read.errors))
    if dry_run:
        show(session, manifest)
        return
    document = json.dumps(manifest)
    if session.machine:
        show(session, json.loads(session.kubectl.run("create", "-f", "-", "-o", "json", given=document)))
        return
    session.say(clean(session.kubectl.run("create", "-f", "-", given=document).strip(), keep="\n"))


def slug(*parts: object, room: int = LONGEST_NAME) -> str:
    """A name for an object: readable, and the same for the same parts."""
    joined = "-".join(NOT_IN_NAMES.sub("-", str(part).lower()).strip("-") for part in parts)
    return joined[:room].strip("-")


def own_name(*parts: object, content: dict[str, Any]) -> str:
    """A name that nothing else has: readable, and the same for the same parts and the same content.

    What is readable in it is ambiguous (``a-b`` in ``c``, ``b-c`` in ``a``), so a hash of all of it follows.
    """
    whole = json.dumps([[str(part) for part in parts], content], sort_keys=True, default=str)
    digest = hashlib.sha256(whole.encode()).hexdigest()[:DIGITS]
    return f"{slug(*parts, room=LONGEST_NAME - DIGITS - 1)}-{digest}"


def read_day(_ctx: click.Context, _param: click.Parameter, value: str | None) -> date | None:
    """A day of the calendar, as YYYY-MM-DD."""
    if value is None:
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise click.BadParameter(f"{value!r} is not a day of the calendar, write it as YYYY-MM-DD") from None


def read_instant(_ctx: click.Context, _param: click.Parameter, value: str | None) -> datetime | None:
    """An instant with its offset from UTC."""
    if value is None:
        return None
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise click.BadParameter(
            f"{value!r} is not an instant with its offset from UTC, write it as 2026-10-12T10:00:00Z"
        )
    return at.astimezone(UTC).replace(microsecond=0)


def written(at: datetime) -> str:
    """An instant as objects hold it."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def confirmed(session: Session, question: str, *, yes: bool) -> None:
    """Go on only if the person says so, or has said so with ``--yes``.

    Raises:
        Abort: the person said no.
        ClickException: there is nobody to ask.
    """
    if yes:
        return
    if not session.interactive:
        raise click.ClickException("there is nobody to ask: look with --dry-run, then add --yes")
    click.confirm(question, abort=True)
