# SPDX-License-Identifier: Apache-2.0
"""Which metrics a PromQL expression asks for, and which there are."""

from __future__ import annotations

import re

from prometheus_client.parser import text_string_to_metric_families

from eservice_operator.authorizer.figures import Figures as AuthorizerFigures
from eservice_operator.runtime.figures import FAMILIES
from eservice_operator.runtime.metrics import Metrics

KEYWORDS = frozenset({"and", "or", "unless", "bool", "offset", "inf", "nan"})
_STRING = re.compile(r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'|`[^`]*`')
_MATCHERS = re.compile(r"\{[^{}]*\}")
_RANGE = re.compile(r"\[[^\]]*\]")
_LABELS = re.compile(r"\b(by|without|on|ignoring|group_left|group_right)\b\s*(\([^()]*\))?", re.IGNORECASE)
_NAME = re.compile(r"(?<![\w:.])([a-zA-Z_:][\w:]*)(?!\s*\()(?![\w:])")


def asked_for(expression: str) -> set[str]:
    """The metrics that an expression names: what is left without strings, labels, ranges and functions."""
    text = _STRING.sub("", expression)
    for taken_out in (_MATCHERS, _RANGE, _LABELS):
        text = taken_out.sub(" ", text)
    return {name for name in _NAME.findall(text) if name.lower() not in KEYWORDS}


def there_are() -> set[str]:
    """Every name that a scrape of operator or authorizer can have, samples of histograms among them."""
    metrics = Metrics()
    metrics.collect_list_ages(lambda: {"EService": 1.0})
    text = metrics.render().decode() + AuthorizerFigures().render().decode()
    families = list(text_string_to_metric_families(text))
    told = {sample.name for family in families for sample in family.samples} | {f.name for f in FAMILIES}
    labelled = {name for family in families for name in _names(family.name, family.type)}
    return told | labelled


def _names(name: str, kind: str) -> tuple[str, ...]:
    """Those of families that have no sample before something has happened."""
    match kind:
        case "counter":
            return (f"{name}_total",)
        case "histogram":
            return (f"{name}_bucket", f"{name}_sum", f"{name}_count")
        case _:
            return (name,)
