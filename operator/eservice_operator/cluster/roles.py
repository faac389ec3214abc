# SPDX-License-Identifier: Apache-2.0
"""Roles by which somebody may invoke web services: of those that are not ours only such rules are kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from eservice_operator.api.names import GROUP, INVOKE, WEB_SERVICES
from eservice_operator.core.actions import Manifest


def invoke_rules(role: Manifest) -> list[dict[str, Any]]:
    """Its rules by which somebody may invoke web services.

    One for every group of the API does not count: it says that somebody may do anything in the namespace.
    """
    rules = role.get("rules") or ()
    return [rule for rule in rules if GROUP in (rule.get("apiGroups") or ()) and _lets_invoke(rule)]


def _lets_invoke(rule: Mapping[str, Any]) -> bool:
    resources = [resource.partition("/")[0] for resource in rule.get("resources") or ()]
    verbs = rule.get("verbs") or ()
    return not {INVOKE, "*"}.isdisjoint(verbs) and not {WEB_SERVICES, "*"}.isdisjoint(resources)
