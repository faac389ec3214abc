# SPDX-License-Identifier: Apache-2.0
"""Why R7 and R8 concern an e-service, in Latvian: what holds, with its dates, and nothing that is not known.

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
    newer = f"; pašreizējā versija ir {current}" if current else ""
    return f"Publiskajā laidienā izmantota veidnes{spaced(template)} versija {version}{newer}."


def lag(f: Facts) -> str:
    """Which version is in use, what makes it overdue, and since when."""
    since, version, why = f.fact("overdueSince"), f.fact("version"), cause(f)
    by = "Tāpēc saskaņā ar noteikumiem" if why else "Saskaņā ar noteikumiem"
    subject = f"versija {version}" if version else "izmantotā versija"
    return sentences(
        versions(f),
        why,
        f"{by} {subject} nedrīkst būt publiski pieejama, sākot ar {since}." if since else "",
        reason(f),
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
    ground = f"; atsaukšanas iemesls: {why.rstrip('.')}" if why else ""
    return (
        f"Versijas {version} atsaukšanas datums ir {f.date('withdrawnOn')}; šī versija jāaizstāj ne vēlāk kā "
        f"{replace_by}{ground}."
    )


def _superseded(f: Facts) -> str:
    newer, published = f.fact("cause"), f.date("causePublished")
    limit = f.period("maximumLag", Case.OBJECT)
    if not newer or not published or not limit:
        return ""
    return (
        f"Jaunākas versijas ({newer}) migrācijas instrukcijas publicēšanas datums ir {published}; pēc šīs "
        f"dienas vecāka versija drīkst būt publiski pieejama ne ilgāk kā {limit}."
    )


def _distance(f: Facts) -> str:
    version, newer, limit = f.fact("version"), f.fact("cause"), f.period("maximumLag", Case.BY)
    released, later = f.date("released"), f.date("causeReleased")
    published = f.date("causePublished")
    if not all((version, newer, limit, released, later, published)):
        return ""
    return (
        f"Versija {version} izdota {released}, bet versija {newer} izdota {later}, tātad versija {version} "
        f"atpaliek par vairāk nekā {limit}. Versijas {newer} migrācijas instrukcijas publicēšanas datums ir "
        f"{published}."
    )


def reason(f: Facts) -> str:
    """What somebody wrote, or the decision says."""
    stated = f.fact("reason")
    return f"Norādītais iemesls: {stated.rstrip('.')}." if stated else ""
