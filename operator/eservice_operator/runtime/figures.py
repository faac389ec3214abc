# SPDX-License-Identifier: Apache-2.0
"""Figures for people, read from the statuses when Prometheus asks for them.

The lines of an object are made once for each of its versions: a scrape of a quiet cluster only joins them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from functools import lru_cache
from threading import Lock
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from eservice_operator.api.base import Environment
from eservice_operator.cluster.admission import missing_of
from eservice_operator.cluster.indexes import part
from eservice_operator.cluster.reading import Reading
from eservice_operator.cluster.store import Store
from eservice_operator.core.actions import Manifest
from eservice_operator.core.dates import day_after_end, local_day, start_of_day
from eservice_operator.core.gateway_driver import ROUTE_KIND, gateway_of
from eservice_operator.core.policy import GatewayRef
from eservice_operator.core.world import Observed
from eservice_operator.runtime.access_figures import (
    ACCESS_FAMILIES,
    samples_of_grant,
    samples_of_web_service,
)
from eservice_operator.runtime.exposition import Family, Rendered
from eservice_operator.runtime.register_figures import (
    REGISTER_FAMILIES,
    samples_of_decision,
    samples_of_notices,
    samples_of_registration,
    samples_of_template,
)
from eservice_operator.runtime.service_figures import (
    SERVICE_FAMILIES,
    Sample,
    samples_of_route,
    samples_of_service,
)

FAMILIES: Final = (*SERVICE_FAMILIES, *REGISTER_FAMILIES, *ACCESS_FAMILIES)
KINDS: Final = (
    "EService",
    "EServiceTemplate",
    "UnpublishDecision",
    "EServiceRegistration",
    "WebServiceGrant",
    "WebService",
    ROUTE_KIND,
)
_PLACE: Final[dict[Family, int]] = {family: place for place, family in enumerate(FAMILIES)}


class _Lines(NamedTuple):
    """The lines of one object, each with the place of its family."""

    version: str
    lag: int | None
    forsaken: bool
    """Whether what it needs is gone: the EService of a decision, the Gateway of a route."""
    needs: GatewayRef | None
    """The Gateway of a route."""
    lines: tuple[tuple[int, str], ...]


class EServiceFigures:
    """Renders the gauges of all objects, in any thread; dates are those of the configured zone."""

    def __init__(self, zone: ZoneInfo, routes_namespace: str, *, marked: bool = False) -> None:
        self._zone = zone
        self._home = routes_namespace
        self._marked = marked
        self._instant = lru_cache(maxsize=4096)(self._unix_time)
        self._known: dict[str, _Lines] = {}
        self._reading: Reading | None = None
        self._lock = Lock()

    def collect(self, store: Store, now: datetime) -> Iterable[Rendered]:
        """Every family as of ``now``, also those without samples."""
        texts: list[list[str]] = [[] for _ in FAMILIES]
        with self._lock:
            lags, gone = self._lags(store, now), _Gone(store)
            known: dict[str, _Lines] = {}
            for kind in KINDS:
                for obj in store.all(kind):
                    uid = obj["metadata"]["uid"]
                    lines = self._lines(obj, self._known.get(uid), lags.of(obj), gone)
                    known[uid] = lines
                    for place, text in lines.lines:
                        texts[place].append(text)
            self._known = known
        return [Rendered(family, "".join(texts[place])) for place, family in enumerate(FAMILIES)]

    def _lags(self, store: Store, now: datetime) -> _Lags:
        if self._reading is None or self._reading.store is not store:
            self._reading = Reading(store)
        return _Lags(self._reading, local_day(now, self._zone))

    def _lines(self, obj: Manifest, known: _Lines | None, lag: int | None, gone: _Gone) -> _Lines:
        version = obj["metadata"]["resourceVersion"]
        same = known is not None and known.version == version
        needs = known.needs if known is not None and same else _gateway(obj)
        forsaken = gone.of(obj, needs)
        if known is not None and same and (known.lag, known.forsaken) == (lag, forsaken):
            return known
        samples = self._samples(obj, lag, forsaken=forsaken)
        lines = tuple((_PLACE[family], family.line(labels, value)) for family, labels, value in samples)
        return _Lines(version, lag, forsaken, needs, lines)

    def _samples(self, obj: Manifest, lag: int | None, *, forsaken: bool) -> Iterator[Sample]:
        match obj["kind"]:
            case "UnpublishDecision" if forsaken:  # it asks nobody for anything
                return
            case "EService":
                yield from samples_of_service(obj, lag, self._instant, marked=self._marked)
            case "EServiceTemplate":
                yield from samples_of_template(obj, self._instant)
            case "UnpublishDecision":
                yield from samples_of_decision(obj)
            case "EServiceRegistration":
                yield from samples_of_registration(obj)
            case "WebServiceGrant":
                yield from samples_of_grant(obj, self._instant)
            case "WebService":
                yield from samples_of_web_service(obj, self._instant)
            case _:
                yield from samples_of_route(obj, self._home, gateway_gone=forsaken)
        yield from samples_of_notices(obj)

    def _unix_time(self, day: str, end: bool) -> float:  # noqa: FBT001 - called as an Instant
        at = date.fromisoformat(day)
        return (day_after_end(at, self._zone) if end else start_of_day(at, self._zone)).timestamp()


class _Lags:
    """R8: days behind as of one day, looked up once for each version that the public is served."""

    def __init__(self, reading: Reading, day: date) -> None:
        self._reading = reading
        self._day = day
        self._known: dict[tuple[str, str], int | None] = {}

    def of(self, obj: Manifest) -> int | None:
        """Days behind of what the object serves the public in Production; None for anything else."""
        if obj["kind"] != "EService":
            return None
        public = part(obj, "status", "release", "public", "template")
        if public is None or part(obj, "spec", "environment") != Environment.PRODUCTION:
            return None
        key = (public["name"], public["version"])
        if key not in self._known:
            template = self._reading.template(key[0])
            lag = None if template is None else template.lag(key[1], self._day)
            self._known[key] = None if lag is None else lag.days_behind
        return self._known[key]


class _Gone:
    """What objects need that is not there any more; each Gateway is looked up once for all of its routes."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._gateways: dict[GatewayRef, bool] = {}

    def of(self, obj: Manifest, gateway: GatewayRef | None) -> bool:
        """Whether a decision's EService was deleted, so that nobody looks after it, or a route's Gateway."""
        if gateway is not None:
            if gateway not in self._gateways:
                self._gateways[gateway] = any(missing_of([gateway.whole], self._store))
            return self._gateways[gateway]
        if obj["kind"] != "UnpublishDecision":
            return False
        service = obj["spec"]["eService"]
        return self._store.get("EService", service["namespace"], service["name"]) is None


def _gateway(obj: Manifest) -> GatewayRef | None:
    return gateway_of(Observed(obj)) if obj["kind"] == ROUTE_KIND else None
