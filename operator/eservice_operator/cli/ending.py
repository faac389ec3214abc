# SPDX-License-Identifier: Apache-2.0
"""The hypothetical end: an object of access as it would be once somebody has ended it, or a part of it."""

from __future__ import annotations

from datetime import date, timedelta
from enum import StrEnum
from typing import Any, Final

import click

from eservice_operator.cli.impact import Asked
from eservice_operator.cli.plain import part
from eservice_operator.core.actions import Manifest


class End(StrEnum):
    """By what an access ends."""

    DELETED = "Deleted"
    ASSIGNMENT_ENDED = "AssignmentEnded"
    CONTRACT_RETIRED = "ContractRetired"
    VERSION_TAKEN_OUT = "VersionTakenOut"
    CUSTOMER_LEFT = "CustomerLeft"
    DATES = "Dates"
    """Nobody acts."""


ACTS: Final = {
    End.DELETED: "{whole} is deleted now",
    End.ASSIGNMENT_ENDED: "{whole} is ended today (spec.ended)",
    End.CONTRACT_RETIRED: "contract version {version} of {whole} is retired now (its endOfLife: yesterday)",
    End.VERSION_TAKEN_OUT: "contract version {version} is taken out of {whole} now",
    End.CUSTOMER_LEFT: "customer {customer} of {whole} leaves now",
}
YOUR_REASON: Final = "the reason that you write"


def end_of(asked: Asked) -> End:
    """Which end is asked about. An assignment is ended by its field: its customers then read why."""
    if asked.at is not None:
        return End.DATES
    if asked.version is not None:
        return End.CONTRACT_RETIRED if asked.is_of("WebService") else End.VERSION_TAKEN_OUT
    if asked.customer is not None:
        return End.CUSTOMER_LEFT
    return End.ASSIGNMENT_ENDED if asked.is_of("AgentAssignment") else End.DELETED


def ended(body: Manifest, asked: Asked, today: date) -> Manifest | None:
    """The object afterwards; None where it is deleted.

    Raises:
        ClickException: there is no such version, or no such customer.
    """
    if asked.version is not None and asked.is_of("WebService"):
        return _retired(body, asked.version, today)
    if asked.version is not None:
        return _without_version(body, asked.version)
    if asked.customer is not None:
        return _without_customer(body, asked.customer)
    return _ended_today(body, today) if asked.is_of("AgentAssignment") else None


def act(asked: Asked, place: str) -> str:
    """What somebody would do, in words.

    Raises:
        KeyError: nobody does anything.
    """
    kind = "" if asked.target is None else asked.target.kind
    return ACTS[end_of(asked)].format(whole=f"{kind} {place}", version=asked.version, customer=asked.customer)


def what(asked: Asked, place: str) -> str:
    """What is asked about, in words."""
    kind = "" if asked.target is None else asked.target.kind
    whole = f"{kind} {place}"
    if asked.version is not None:
        return f"contract version {asked.version} of {whole}"
    return f"customer {asked.customer} of {whole}" if asked.customer is not None else whole


def _edited(body: Manifest, **fields: Any) -> Manifest:
    return body | {"spec": body["spec"] | fields}


def _ended_today(body: Manifest, today: date) -> Manifest:
    """R9: ended from today on; one whose end has come already stays as it is."""
    before = part(body, "spec", "ended", "at")
    if before is not None and str(before) <= str(today):
        return body
    return _edited(body, ended={"at": str(today), "reason": YOUR_REASON})


def _retired(body: Manifest, version: str, today: date) -> Manifest:
    contracts = body["spec"].get("contracts") or ()
    known = [one["version"] for one in contracts]
    if version not in known:
        raise click.ClickException(f"it has no contract version {version}: it has {', '.join(known)}")
    gone = str(today - timedelta(days=1))
    return _edited(
        body,
        contracts=[one | ({"endOfLife": gone} if one["version"] == version else {}) for one in contracts],
    )


def _without_version(body: Manifest, version: str) -> Manifest | None:
    granted = body["spec"].get("contractVersions") or ()
    if not granted:
        raise click.ClickException("the grant covers every contract version: leave --version out")
    if version not in [one["version"] for one in granted]:
        named = ", ".join(one["version"] for one in granted)
        raise click.ClickException(f"the grant names no contract version {version}: it names {named}")
    rest = [one for one in granted if one["version"] != version]
    return _edited(body, contractVersions=rest) if rest else None


def _without_customer(body: Manifest, code: str) -> Manifest:
    lists = {field: part(body, "spec", field) or () for field in ("pilotCustomers", "customers")}
    if code not in {one["code"] for listed in lists.values() for one in listed}:
        raise click.ClickException(f"the assignment lists no institution {code}")
    return _edited(
        body, **{field: [one for one in listed if one["code"] != code] for field, listed in lists.items()}
    )
