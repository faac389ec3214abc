# SPDX-License-Identifier: Apache-2.0
"""What people at the Agency do and see while R8 takes a wave of e-services off the public route."""

from __future__ import annotations

import asyncio
import json
import os
import re
from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from eservice_operator.cluster.resources import resource_of
from eservice_operator.core.actions import Manifest
from tests.support.fleet import RIGA, Planned
from tests.support.mailserver import Received
from tests.support.operator import PROGRAM
from tests.support.site import Site, says


@dataclass
class Agency:
    """Of ``services`` the first ``wave`` fall, and the next are deferred by so many days each."""

    site: Site
    kubeconfig: Path
    services: list[Planned]
    wave: int
    deferrals: tuple[int, ...]

    @property
    def falling(self) -> set[str]:
        return {planned.name for planned in self.services[: self.wave]}

    @property
    def deferred(self) -> dict[str, int]:
        """Names of the deferred, each with the days from today up to which it stays."""
        later = self.services[self.wave : self.wave + len(self.deferrals)]
        return {planned.name: days for planned, days in zip(later, self.deferrals, strict=True)}

    async def defer(self) -> None:
        """Write the deferrals."""
        for planned in self.services:
            if planned.name in self.deferred:
                await self.site.apply(planned.deferral(self.deferred[planned.name]))

    async def eservice(self, *arguments: str) -> str:
        """``kubectl-eservice`` as a person types it; what it prints."""
        process = await asyncio.create_subprocess_exec(
            str(PROGRAM.with_name("kubectl-eservice")),
            *arguments,
            env=os.environ | {"KUBECONFIG": str(self.kubeconfig), "PATH": str(PROGRAM.parent)},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        printed, complained = await process.communicate()
        assert process.returncode == 0, complained.decode()
        return printed.decode()

    async def forecast(self, *arguments: str) -> list[dict[str, Any]]:
        printed = await self.eservice("forecast", "-A", "-o", "json", "--until", "P1M", *arguments)
        items: list[dict[str, Any]] = json.loads(printed)["items"]
        return items

    async def decisions(self) -> list[Manifest]:
        items, _ = await self.site.api.list(resource_of("UnpublishDecision"))
        return items

    async def off(self) -> set[str]:
        """Names of the e-services whose status says that the public is not served, by R8."""
        items, _ = await self.site.api.list(resource_of("EService"))
        return {
            item["metadata"]["name"] for item in items if says(item, "Published", "False", "TemplateOverdue")
        }

    async def routes(self) -> dict[str, str]:
        """The public routes: the e-service's name, and which object it is, in which state of its spec.

        What is decided is recorded on them, which changes nothing that a gateway goes by.
        """
        items, _ = await self.site.api.list(resource_of("HTTPRoute"), "eservice-routes")
        routes = [item["metadata"] for item in items]
        return {one["name"].partition(".")[2]: f"{one['uid']} {one['generation']}" for one in routes}


def acting(items: list[dict[str, Any]], action: str) -> list[tuple[str, str]]:
    """Names and local days of what a forecast says will happen, as often as it says so."""
    return sorted((item["name"], str(day_of(item["at"]))) for item in items if item["action"] == action)


def recorded(decisions: list[Manifest], field: str) -> list[tuple[str, str]]:
    """The e-services that decisions are about, with a field of the status; those without it are left out."""
    return sorted(
        (item["spec"]["registration"], str(item["status"][field]))
        for item in decisions
        if field in item["status"]
    )


def local_days(decisions: list[Manifest], field: str) -> list[tuple[str, str]]:
    """The same of an instant, as its local day."""
    return [(name, str(day_of(instant))) for name, instant in recorded(decisions, field)]


def day_of(instant: str) -> date:
    return datetime.fromisoformat(instant).astimezone(RIGA).date()


def by_service(mails: list[Received], subject: str) -> Counter[str]:
    """How many different mails of a kind each institution got; each e-service has a contact of its own."""
    about = [mail for mail in mails if _is_about(mail, subject)]
    seen = {(mail.recipients[0], str(mail.message["Message-ID"])) for mail in about}
    return Counter(recipient.partition("@")[0] for recipient, _ in seen)


def _is_about(mail: Received, subject: str) -> bool:
    found = re.search(subject, str(mail.message["Subject"]))
    return found is not None and mail.recipients[0].endswith("@pmlp.example")
