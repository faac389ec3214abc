# SPDX-License-Identifier: Apache-2.0
"""The hypothetical end: an object of access as it would be once somebody has ended it, or a part of it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import click

from eservice_operator.cli.impact import Asked
from eservice_operator.cli.plain import part
from eservice_operator.core.actions import Manifest


def ended(body: Manifest, asked: Asked, today: date) -> Manifest | None:
    """The object afterwards; None where it is deleted.

    Raises:
        ClickException: there is no such version, or no such customer.
    """
    if asked.version is not None and body["kind"] == "WebService":
        return _retired(body, asked.version, today)
    if asked.version is not None:
        return _without_version(body, asked.version)
    if asked.customer is not None:
        return _without_customer(body, asked.customer)
    return None


def what(asked: Asked, place: str) -> str:
    """What ends, in words."""
    kind = "" if asked.target is None else asked.target.kind
    whole = f"{kind} {place}"
    if asked.version is not None:
        return f"contract version {asked.version} of {whole}"
    return f"customer {asked.customer} of {whole}" if asked.customer is not None else whole


def _edited(body: Manifest, **fields: Any) -> Manifest:
    return body | {"spec": body["spec"] | fields}


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
