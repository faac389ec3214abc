# SPDX-License-Identifier: Apache-2.0
"""What an end would close: the cluster as the operator sees it, without the end and with it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import click

from eservice_operator.cli.access_reading import FAR, KINDS, SNAPSHOT, read_holder
from eservice_operator.cli.dated import Days
from eservice_operator.cli.ending import ended
from eservice_operator.cli.filling import Unread
from eservice_operator.cli.impact import Asked
from eservice_operator.cli.impact_view import Impact, show_impact
from eservice_operator.cli.impact_written import as_written
from eservice_operator.cli.kubectl import EVERYWHERE, KubectlError, Query
from eservice_operator.cli.openings import Closed, closed, openings
from eservice_operator.cli.plain import part
from eservice_operator.cli.session import Session
from eservice_operator.cluster.indexes import INDEXES
from eservice_operator.cluster.store import Store, key_of
from eservice_operator.core.access.terms import Times
from eservice_operator.core.actions import Manifest
from eservice_operator.core.dates import start_of_day

SEEN: Final = tuple(dict.fromkeys((*FAR, *KINDS, SNAPSHOT, "Service", "Namespace")))
Row = Mapping[str, Any]


def impact(session: Session, asked: Asked, days: Days) -> None:
    """Find out what would be closed, and print it.

    Raises:
        KubectlError: what would end is not there, or it or what the holder granted may not be read.
        ClickException: it has no such version or customer.
    """
    target = _target(session, asked)
    namespace = _namespace(session, target)
    store = Store(INDEXES)
    unread = read_holder(store, session.kubectl, namespace)
    if unread:
        _refuse_blindness(unread, namespace)
        far = {one.kind for one in unread if one.kind not in KINDS} or {"WebService of others"}
        kinds = ", ".join(sorted(far))
        note = f"you may not list {kinds}: this is what the operator last wrote, not decided anew"
        lost, more = as_written([body for kind in KINDS for body in store.all(kind)], asked, target, days)
        lost.sort(key=lambda row: (str(row["namespace"]), str(row["eService"])))
        notes = (note, *more)
    else:
        lost, notes = [one.document() for one in _decided(store, asked, target, days)], ()
    if asked.at is not None:
        lost = [row for row in lost if concerns(row, asked, target, namespace)]
    place = (
        "" if target is None else "/".join(str(part(target, "metadata", of)) for of in ("namespace", "name"))
    )
    show_impact(session, Impact(asked, place or namespace or "", tuple(lost), notes), days)


def _refuse_blindness(unread: Iterable[Unread], namespace: str | None) -> None:
    """Where not even the grants can be read, "nothing closes" would be a guess."""
    for one in unread:
        if one.kind in KINDS and one.where == (namespace or ""):
            raise KubectlError(one.said if namespace else f"{one.said}\n{EVERYWHERE}")


def _target(session: Session, asked: Asked) -> Manifest | None:
    if asked.target is None:
        return None
    (listing,) = session.kubectl.get(Query((asked.target.plural,), session.namespace, name=asked.target.name))
    return listing.only()


def _namespace(session: Session, target: Manifest | None) -> str | None:
    """The holder's namespace; None for all of them."""
    if session.all_namespaces:
        return None
    if target is not None:
        return str(part(target, "metadata", "namespace"))
    if session.namespace is not None:
        return session.namespace
    raise click.UsageError("write -n and the namespace of the web services, or -A")


def _decided(store: Store, asked: Asked, target: Manifest | None, days: Days) -> Iterator[Closed]:
    now = Times(days.now, days.zone)
    before = openings(store, now)
    if asked.at is not None:
        then = Times(start_of_day(asked.at, days.zone), days.zone)
        return closed(before, openings(store, then))
    if target is None:
        raise ValueError("an end is of something")
    return closed(before, openings(_with_the_end(store, asked, target, days), now))


def _with_the_end(store: Store, asked: Asked, target: Manifest, days: Days) -> Store:
    """The store as it would be."""
    after, key = Store(INDEXES), key_of(target)
    for kind in SEEN:
        for body in store.all(kind):
            kept = ended(body, asked, days.today) if key_of(body) == key else body
            if kept is not None:
                after.upsert(kept)
    return after


def concerns(row: Row, asked: Asked, target: Manifest | None, among: str | None) -> bool:
    """Whether what ends by itself is about what was asked for; ``among``: the holder's namespace, if one is.

    What is tested there is granted elsewhere, and is read along with it.
    """
    if target is None:
        return among is None or bool(row["webService"]["namespace"] == among)
    namespace, name = (part(target, "metadata", of) for of in ("namespace", "name"))
    if asked.version is not None and asked.version not in row["contractVersions"]:
        return False
    match target["kind"]:
        case "WebService":
            return bool(row["webService"] == {"namespace": namespace, "name": name})
        case "WebServiceGrant":
            return bool(row["grant"] == f"{namespace}/{name}")
        case _:
            here = row["webService"]["namespace"] == namespace and row["assignment"] == name
            return here and asked.customer in {None, row["code"]}
