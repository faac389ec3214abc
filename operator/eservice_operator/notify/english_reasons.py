# SPDX-License-Identifier: Apache-2.0
"""Why R7 and R8 concern an e-service, in English: what holds, with its dates, and nothing that is not known.

Dates are told without saying whether they have come: a decision can be made long before them.
"""

from __future__ import annotations

from eservice_operator.api.lifecycle import LagMeasure
from eservice_operator.notify.language import Facts, sentences, spaced
from eservice_operator.notify.periods import Case


def versions(f: Facts) -> str:
    """Which version is in use, and which is current."""
    template, version, current = f.fact("template"), f.fact("version"), f.fact("current")
    if not version:
        return ""
    newer = f"; the current version is {current}" if current else ""
    return f"The public release is built from version {version} of the template{spaced(template)}{newer}."


def lag(f: Facts) -> str:
    """Which version is in use, what makes it overdue, and since when."""
    since, version, why = f.fact("overdueSince"), f.fact("version"), cause(f)
    by = "Therefore, by the rules," if why else "By the rules"
    subject = f"version {version}" if version else "the version in use"
    return sentences(
        versions(f), why, f"{by} {subject} may not be public from {since} on." if since else "", reason(f)
    )


def cause(f: Facts) -> str:
    """What makes the version overdue: its own recall, or the version that it is too far behind."""
    if f.date("withdrawnOn"):
        return _recall(f)
    if f.fact("lagMeasure") == LagMeasure.SINCE_SUPERSEDED:
        return _superseded(f)
    return _distance(f)


def _recall(f: Facts) -> str:
    version, replace_by, why = f.fact("version"), f.date("replaceBy"), f.fact("recallReason")
    if not version or not replace_by:
        return ""
    ground = f"; the reason for the withdrawal: {why.rstrip('.')}" if why else ""
    return (
        f"Version {version} is withdrawn as of {f.date('withdrawnOn')}; it has to be replaced by "
        f"{replace_by} at the latest{ground}."
    )


def _superseded(f: Facts) -> str:
    newer, published = f.fact("cause"), f.date("causePublished")
    limit = f.period("maximumLag", Case.OBJECT)
    if not newer or not published or not limit:
        return ""
    return (
        f"The publication date of the migration instruction to the newer version {newer} is {published}; "
        f"after that day an older version may stay public for no more than {limit}."
    )


def _distance(f: Facts) -> str:
    version, newer, limit = f.fact("version"), f.fact("cause"), f.period("maximumLag", Case.BY)
    released, later = f.date("released"), f.date("causeReleased")
    published = f.date("causePublished")
    if not all((version, newer, limit, released, later, published)):
        return ""
    return (
        f"Version {version} was released on {released}, and version {newer} on {later}: that is more than "
        f"{limit} later. The publication date of the migration instruction to version {newer} is {published}."
    )


def reason(f: Facts) -> str:
    """What somebody wrote, or the decision says."""
    stated = f.fact("reason")
    return f"Stated reason: {stated.rstrip('.')}." if stated else ""
