# SPDX-License-Identifier: Apache-2.0
"""Several operators on one cluster, of which one leads; each is told from the others by its User-Agent."""

from __future__ import annotations

import re
import secrets
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from eservice_operator.cluster.client import KubeApi
from eservice_operator.cluster.lease import Lease, lease_of, ref_of_lease
from eservice_operator.core.actions import Manifest
from tests.support.audit import AuditLog, Request
from tests.support.operator import OperatorProcess
from tests.support.waiting import eventually

WHERE = ref_of_lease("eservice-system", "eservice-operator")
LEADS = 'eservice_operator_leader{lease="eservice-system/eservice-operator"}'
AS = re.compile(r"(?:leading by|standing by for) the lease .* as (\S+)$")
STEPS = ("leading by the lease", " serves ")
TAKEOVER = 90.0
"""Seconds until another one leads, on a machine that is busy with other things."""


@dataclass
class Replica(OperatorProcess):
    """One of several operators."""

    @property
    def identity(self) -> str:
        """Under which this start stands for the lease, and asks the API server."""
        said = [match[1] for record in self.records() if (match := AS.search(record["msg"]))]
        assert said, self.tail()
        return said[-1]

    @property
    def leads(self) -> bool:
        return self.metrics()[LEADS] == 1

    @property
    def alive(self) -> bool:
        """Whether /livez says so."""
        return self.running and self._get("/livez") is not None

    @property
    def stuck(self) -> bool:
        """Whether its event loop does not come as far as to a probe."""
        return self.running and self._get("/livez", within=1.0) is None

    @property
    def began_after(self) -> float:
        """Seconds from winning the lease to the first look at anything."""
        told = {text: record["ts"] for record in self.records() for text in STEPS if text in record["msg"]}
        return seconds_between(*(told[text] for text in STEPS))

    def stop(self) -> None:
        """SIGSTOP: it stands still, with all that it has begun."""
        self.process.send_signal(signal.SIGSTOP)

    def wake(self) -> None:
        """SIGCONT."""
        self.process.send_signal(signal.SIGCONT)

    async def ended(self) -> int:
        """Its exit code, once it has ended by itself."""
        await eventually(lambda: not self.running, "its end", within=TAKEOVER)
        return self.process.wait()

    def said(self, text: str) -> bool:
        return any(text in record["msg"] for record in self.records())


@dataclass
class Replicas:
    """Starts operators with the same settings; ``audit`` is of everything since the first."""

    people: KubeApi
    kubeconfig: Path
    folder: Path
    audit: AuditLog
    settings: dict[str, str] = field(default_factory=dict)
    made: list[Replica] = field(default_factory=list)

    def launch(self, **fields: Any) -> Replica:
        """One more, not waited for."""
        log = self.folder / f"log-{len(self.made)}"
        wanted = {"kubeconfig": self.kubeconfig} | fields
        one = Replica(log=log, settings={"leader-elect": "on"} | self.settings, **wanted)
        self.made.append(one)
        one.launch()
        return one

    async def start(self, **fields: Any) -> Replica:
        """One more, ready."""
        one = self.launch(**fields)
        await one.until_ready()
        return one

    async def lease(self) -> Manifest | None:
        """As it is now."""
        return await self.people.get(WHERE)

    async def said(self) -> Lease:
        """What it says."""
        found = await self.lease()
        assert found is not None
        return lease_of(found)

    async def write(self, change: Callable[[Manifest], None]) -> None:
        """What somebody does to the lease by hand."""
        found = await self.lease()
        assert found is not None
        body = {key: found[key] for key in ("apiVersion", "kind")}
        body |= {"metadata": {"name": WHERE.name, "namespace": WHERE.namespace}, "spec": {}}
        change(body)
        await self.people.apply(body, field_manager="somebody", force=True)

    async def delete(self) -> None:
        found = await self.lease()
        if found is not None:
            await self.people.delete(WHERE, uid=found["metadata"]["uid"])

    async def until_leads(self, one: Replica) -> None:
        """Wait until it leads."""

        async def leads() -> bool:
            return (await self.said()).holder == one.identity and one.leads

        await eventually(leads, f"{one.identity} leads", within=TAKEOVER)

    def asked(self, identity: str) -> list[Request]:
        """What one of them asked of the API server."""
        return [request for request in self.audit.read() if request.agent.endswith(f"({identity})")]

    def wrote(self, identity: str) -> list[Request]:
        """What one of them wrote or tried to, its lease apart."""
        return [one for one in self.asked(identity) if one.writes and one.resource != "leases"]

    async def until_wrote(self, one: Replica, many: int) -> None:
        """Wait until it has written so often."""
        identity = one.identity
        await eventually(lambda: len(self.wrote(identity)) >= many, f"{many} writes", within=TAKEOVER)

    async def woken(self, old: Replica, new: Replica) -> int:
        """Who was stopped ends, without one write after the new one has the lease; how many it held back."""
        identity, taken = old.identity, self.turns(new.identity)[0].at
        old.wake()
        assert await old.ended() == 1
        await eventually(lambda: old.said("is lost"), "its log says why")  # also through a pipe
        await self._audited()
        late = [one for one in self.wrote(identity) + self.turns(identity) if one.at > taken]
        assert late == [], f"{identity} lost the lease at {taken}"
        return sum("NotLeading" in record["msg"] for record in old.records())

    async def _audited(self) -> None:
        """Wait until the audit log has what was asked before now: what comes last in it is asked now."""
        marker = f"marker-{secrets.token_hex(4)}"
        assert await self.people.get(WHERE._replace(name=marker)) is None
        await eventually(
            lambda: any(one.name == marker for one in self.audit.read()), "the audit log is written"
        )

    def looks(self, identity: str, after: str, until: str) -> list[str]:
        """When it looked at the lease between two instants of the audit log, both of them apart."""
        asked = [one for one in self.asked(identity) if (one.verb, one.resource) == ("get", "leases")]
        return [one.at for one in asked if after < one.at < until]

    def turns(self, identity: str) -> list[Request]:
        """Its writes of the lease that were carried out."""
        asked = self.asked(identity)
        return [one for one in asked if one.writes and one.resource == "leases" and one.succeeded]


@asynccontextmanager
async def replicas(
    people: KubeApi, kubeconfig: Path, folder: Path, audit_log: Path, **settings: str
) -> AsyncIterator[Replicas]:
    """Nobody holds the lease at the beginning; nobody is left at the end."""
    named = {name.replace("_", "-"): value for name, value in settings.items()}
    made = Replicas(people, kubeconfig, folder, AuditLog.from_now(audit_log), named)
    await made.delete()
    try:
        yield made
    finally:
        for one in made.made:
            one.end()
        await made.delete()


def instant(at: datetime) -> str:
    """As the audit log writes it, so that texts can be compared."""
    return f"{at:%Y-%m-%dT%H:%M:%S.%fZ}"


def seconds_between(earlier: str, later: str) -> float:
    """Between two instants of the audit log."""
    return (datetime.fromisoformat(later) - datetime.fromisoformat(earlier)).total_seconds()
