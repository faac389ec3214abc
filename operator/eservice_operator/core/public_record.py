# SPDX-License-Identifier: Apache-2.0
"""Which release is public, and what was decided, as the route says: memory that no institution may write.

The Service, the snapshots and the status lie in the e-service's namespace. The route of a Gateway lies in the
Agency's. Its annotations name the release that it was last written for, and say all that is remembered of the
last UnpublishDecision.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Self

from eservice_operator.api import names
from eservice_operator.api.base import TemplateRef
from eservice_operator.api.remembered import RememberedDecision
from eservice_operator.core.releases import Snapshot, release_name
from eservice_operator.core.world import Observed

REMEMBERED: Final = 20_000
"""Of how many annotations it is remembered what they say: each look at an e-service asks."""


@dataclass(frozen=True, slots=True)
class PublicRecord:
    """A release by all that acts name of it: its own name is a short hash, which others may hit."""

    template: TemplateRef
    digest: str
    """Of the image; all of the image where it has none, outside of Production."""

    @classmethod
    def of(cls, release: Snapshot) -> Self:
        """What is recorded of a release."""
        return cls(release.template, release.digest)

    @property
    def name(self) -> str:
        """The name of the release."""
        return release_name(self.digest, self.template)

    def is_of(self, release: Snapshot) -> bool:
        """Whether it is that release, rather than another one by the same name."""
        return release.names(self.digest, self.template)

    def text(self) -> str:
        """As the annotation has it: template, version and digest, with spaces between them."""
        return f"{self.template.name} {self.template.version} {self.digest}"


def decision_on(route: Observed | None) -> RememberedDecision | None:
    """The last UnpublishDecision that a route of ours records; None where none can be read."""
    text = None if route is None else route.annotations.get(names.DECISION_ANNOTATION)
    return _decision_in(text) if text else None


@lru_cache(REMEMBERED)
def _decision_in(text: str) -> RememberedDecision | None:
    try:
        return RememberedDecision.model_validate_json(text)
    except ValueError:
        return None


def decision_text(decision: RememberedDecision | None) -> dict[str, str]:
    """The annotation that records it, as JSON; none for none."""
    if decision is None:
        return {}
    return {names.DECISION_ANNOTATION: decision.model_dump_json(by_alias=True, exclude_none=True)}


def record_on(route: Observed | None) -> PublicRecord | None:
    """What a route of ours records; None where that cannot be read, or is not there, as from before."""
    text = None if route is None else route.annotations.get(names.PUBLIC_RELEASE_ANNOTATION)
    return _record_in(text) if text else None


@lru_cache(REMEMBERED)
def _record_in(text: str) -> PublicRecord | None:
    template, _, rest = text.partition(" ")
    version, _, digest = rest.partition(" ")
    if not digest:
        return None
    try:
        return PublicRecord(TemplateRef(name=template, version=version), digest)
    except ValueError:
        return None
