# SPDX-License-Identifier: Apache-2.0
"""Whether an edited template means to a release what it did: then no e-service on it need be looked at.

Most edits of a template add a version or an instruction, and change the dates of few of its e-services.
"""

from __future__ import annotations

from eservice_operator.api.template import TemplateVersion
from eservice_operator.core.known import KnownTemplate


def means_the_same(before: KnownTemplate, after: KnownTemplate, version: str) -> bool:
    """R7, R8: whether all that is judged of a release on a version is the same on every day from now on.

    Of an e-service that was at rest, whose releases are all on such versions. Not of one with an open
    `UnpublishDecision`: that depends on the lags of others, too, and records the dates of all versions.
    Letters name the current version, of which this says nothing: they are written when they are sent.
    """
    return (
        before.template.spec.lifecycle == after.template.spec.lifecycle
        and _listed(before, version) == _listed(after, version)
        and before.catalogue.find(version) == after.catalogue.find(version)
        and before.prospects(version) == after.prospects(version)
    )


def _listed(known: KnownTemplate, version: str) -> TemplateVersion | None:
    """What the Agency wrote of a version, such as why it is withdrawn."""
    return next((one for one in known.template.spec.versions if one.version == version), None)
