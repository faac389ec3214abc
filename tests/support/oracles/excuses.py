# SPDX-License-Identifier: Apache-2.0
"""Why a decision may be held or closed, seen in what people and the cluster say: not in its own status.

Two holds are believed: that the clock is not trusted, of which no object tells, and that nobody could be told
(for as long as the policy has it), of which only the ledger does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from eservice_operator.api.base import TemplateRef
from eservice_operator.api.names import RELEASE_LABEL
from eservice_operator.core.actions import Manifest
from eservice_operator.core.dates import add_period, parse_period
from eservice_operator.core.releases import release_name
from tests.support.fleet import RIGA
from tests.support.oracles.seen import Cluster

AT_LEAST = 5
"""Of a brake that says no number."""
UNINFORMED = "P3D"
"""How long nobody is told at most, of a policy that does not say."""


@dataclass
class Excuses:
    """``cause`` looks for what would excuse a decision; of a brake also at what there was before."""

    _most: dict[str, int] = field(default_factory=dict)
    """Of each template, how many decisions there were at once at most."""
    _least: dict[str, int] = field(default_factory=dict)
    """The smallest number that its brake ever let pass: a set that was frozen stays so."""
    _renewed: set[str] = field(default_factory=set)
    """Decisions after which another release was served, once: where nothing enforces, one may go back."""

    def look(self, cluster: Cluster) -> None:
        """Remember what there is of decisions and brakes."""
        counted: dict[str, int] = {}
        for decision in cluster.of("UnpublishDecision"):
            name = _template(decision)["name"]
            counted[name] = counted.get(name, 0) + 1
            if _serves_another(decision, cluster):
                self._renewed.add(decision["metadata"]["name"])
        for name, count in counted.items():
            self._most[name] = max(count, self._most.get(name, 0))
        for template in cluster.of("EServiceTemplate"):
            name, brake = template["metadata"]["name"], _lifecycle(template).get("brake") or {}
            least = int(brake.get("atLeast", AT_LEAST))
            self._least[name] = min(least, self._least.get(name, least))

    def excused(self, decision: Manifest, cluster: Cluster, now: datetime) -> bool:
        """Whether there is a cause for its state, which is Held or Closed."""
        status = decision["status"]
        if status["state"] == "Closed":
            return "revoked" in decision["spec"] or decision["metadata"]["name"] in self._renewed
        template = _template(decision)
        name = template["name"]
        known = cluster.present.get(("EServiceTemplate", "", name))
        causes: dict[str, Callable[[], bool]] = {
            "ClockSkew": lambda: True,
            "TemplateUnknown": lambda: known is None or template["version"] not in _versions(known),
            "NotEnforced": lambda: known is None or not _enforced(known, now),
            "NoLongerOverdue": lambda: known is None or _dated_otherwise(decision, known),
            "RenewalUnderWay": lambda: _wanted(decision, cluster) != template,
            "NoticeUndelivered": lambda: now <= _told_by(decision, known),
            "Brake": lambda: self._most.get(name, 0) > self._least.get(name, AT_LEAST),
        }
        cause = causes.get(status.get("reason", ""))
        return cause is not None and cause()


def _template(decision: Manifest) -> dict[str, str]:
    return dict(decision["spec"]["release"]["template"])


def _lifecycle(template: Manifest) -> Manifest:
    return template["spec"].get("lifecycle") or {}


def _versions(template: Manifest) -> dict[str, Manifest]:
    return {entry["version"]: entry for entry in template["spec"]["versions"]}


def _serves_another(decision: Manifest, cluster: Cluster) -> bool:
    """Whether what is served is another release: by the Service that the public route leads to."""
    place, release = decision["spec"]["eService"], decision["spec"]["release"]
    service = cluster.present.get(("Service", place["namespace"], place["name"]))
    decided = release_name(release["image"], TemplateRef.model_validate(release["template"]))
    serves = None if service is None else (service["spec"].get("selector") or {}).get(RELEASE_LABEL)
    return serves not in {None, decided}


def _wanted(decision: Manifest, cluster: Cluster) -> dict[str, str] | None:
    """The template version that the EService names."""
    place = decision["spec"]["eService"]
    service = cluster.present.get(("EService", place["namespace"], place["name"]))
    return None if service is None else dict(service["spec"]["template"])


def _enforced(template: Manifest, now: datetime) -> bool:
    lifecycle, today = _lifecycle(template), now.astimezone(RIGA).date()
    begins = str(lifecycle.get("enforceFrom") or today)
    return lifecycle.get("enforcement", "Enforce") == "Enforce" and begins <= str(today)


def _dated_otherwise(decision: Manifest, template: Manifest) -> bool:
    """Whether the template says anything else by now than what the decision has recorded of it."""
    spec, lifecycle = decision["spec"], _lifecycle(template)
    recorded = {
        entry["version"]: (entry["released"], entry.get("published"), entry.get("withdrawnAt"))
        for entry in (spec.get("inputs") or {}).get("versions") or ()
    }
    said = {number: _dates(entry) for number, entry in _versions(template).items()}
    limits = lifecycle.get("maximumLag", spec["maximumLag"]), lifecycle.get("lagMeasure", spec["lagMeasure"])
    return said != recorded or limits != (spec["maximumLag"], spec["lagMeasure"])


def _dates(version: Manifest) -> tuple[str, str | None, str | None]:
    instruction, withdrawn = version.get("migrationInstruction") or {}, version.get("withdrawn") or {}
    return version["released"], instruction.get("published"), withdrawn.get("at")


def _told_by(decision: Manifest, template: Manifest | None) -> datetime:
    """Until when it may wait for a notice that is accepted; a day more, as these are local days."""
    at = datetime.fromisoformat(decision["status"].get("effectiveAt") or decision["spec"]["effectiveAt"])
    period = _lifecycle(template).get("holdUninformed", UNINFORMED) if template is not None else UNINFORMED
    last = add_period(at.astimezone(RIGA).date(), parse_period(period))
    return datetime(last.year, last.month, last.day, tzinfo=UTC) + timedelta(days=2)
