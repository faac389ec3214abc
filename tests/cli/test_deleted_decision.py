# SPDX-License-Identifier: Apache-2.0
"""What the commands say of a decision that is in the place of a deleted one, and where there is none yet."""

from __future__ import annotations

from eservice_operator.api.eservice import EService
from eservice_operator.api.reasons import Gate, Reason
from eservice_operator.cli.advice import advice
from eservice_operator.cli.advising import Case
from eservice_operator.cli.dated import Days
from eservice_operator.cli.dossier import Dossier
from eservice_operator.cli.timeline import past
from tests.support import worlds

DAYS = Days(worlds.at("2027-06-20"), worlds.RIGA)


def test_the_history_says_in_the_place_of_which_one_it_is() -> None:
    name = "address-declaration-production-001"
    renewed = {"name": name, "template": {"name": "x", "version": "2.0.0"}}
    deleted = renewed | {"overdueSince": "2025-11-01"}
    first, *others = (
        worlds.decision(1),
        *(worlds.decision(2, spec={"replaces": one}) for one in (renewed, deleted)),
    )
    texts = [entry.text for entry in past(Dossier(worlds.eservice(), decisions=(first, *others)), DAYS)]
    told = "unpublication of viss-2020 2.0.0 decided, overdue since 2025-11-01"
    assert texts == [
        told,
        f"{told}, in the place of {name}",
        f"{told}, in the place of {name}, which was deleted",
    ]


def test_the_advice_where_none_is_there_is_the_agencys() -> None:
    service = EService.model_validate(worlds.eservice())
    told = advice(Gate.TEMPLATE_WITHIN_LIMIT, Case(service, Reason.DECISION_MISSING, "2027-06-20", "4.0.0"))
    assert told.do.startswith("the Agency")
    assert not told.write
