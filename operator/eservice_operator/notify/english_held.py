# SPDX-License-Identifier: Apache-2.0
"""What is said in English of an unpublication that was to come and is held."""

from __future__ import annotations

from eservice_operator.api.reasons import Reason
from eservice_operator.notify.english_reasons import lag, versions
from eservice_operator.notify.language import Facts, Saying, after, bracketed, sentences

RENEW = (
    "Prepare a new release by the migration instruction, have its acceptance act signed, request the "
    "installation and verify the release in production."
)
TELL = "Make sure that the institution knows."
NO_GROUND: dict[str, str] = {
    Reason.NO_LONGER_OVERDUE: "By the present dates of its template the version in use is not overdue.",
    Reason.NOT_ENFORCED: "The policy of its template does not unpublish e-services at present.",
    Reason.TEMPLATE_UNKNOWN: "Its template, or the version in use, is not known to the operator at present.",
}


def held_by_brake(f: Facts) -> Saying:
    """Too many were due at once: the Agency has to check first (R8)."""
    return Saying(
        f"unpublication{after('due on', f.due_date)} is held",
        f"By the rules the unpublication of the e-service {f.title} was due{after('on', f.due)}, together "
        "with that of others. All of them are held until the Agency has checked whether that is right. Until "
        "then nothing leaves the public route.",
        lag(f),
        "You will be told what comes of it. If what is said above is right, begin to renew now: once the "
        f"Agency lets it go, the e-service is unpublished on that day or, when it is over, at once. {RENEW}",
        f"{TELL} The unpublications stay held until they are released or the decisions are revoked.",
    )


def unpublish_held(f: Facts) -> Saying:
    """A day was told, and it does not count (R8)."""
    if f.held == Reason.BRAKE:
        return held_by_brake(f)
    return Saying(
        "not unpublished for now",
        f"The e-service {f.title} is not unpublished for now. The date announced "
        f"earlier{bracketed(f.due_date)} no longer holds.",
        sentences(versions(f), NO_GROUND.get(f.held, "What its unpublication rests on is being checked.")),
        "There is nothing that you have to do about it. While this is so, the e-service stays public.",
        f"{TELL} If the decision was a mistake, revoke it.",
    )


def brake_engaged(f: Facts) -> Saying:
    """Too many at once: the Agency has to look."""
    count, token = f.fact("count"), f.fact("token")
    template = f.fact("template") or f.name
    release = f.language.quoted(f"kubectl eservice release-brake {template}{after('--token', token)}")
    revoke = f.language.quoted(f"kubectl eservice revoke --set {token or 'TOKEN'} --reason TEXT")
    return Saying(
        f"unpublication stopped, e-services: {count or 'several'}",
        f"By the rules of the template {template} more e-services would have to be unpublished within 24 "
        "hours than its brake lets through at once. Their unpublication is stopped, and they stay public."
        f"{f' Held in this set: {count}.' if count else ''}",
        sentences(
            f"What makes them overdue: version {f.fact('cause')}." if f.fact("cause") else "",
            "Too many at once can mean that a date in the template is wrong, so a person has to confirm it.",
        ),
        "Check the dates of the template's versions and migration instructions. If a version was published "
        "by mistake, withdraw it (its field withdrawn, by kubectl edit or in Git) and revoke the decisions "
        f"of the set with the command {revoke}; do not release the set. Correcting the date is not enough: a "
        "publication that has taken effect stays recorded. If all dates are right, release the set with "
        f"the command {release}.",
    )
