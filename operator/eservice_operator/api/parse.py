# SPDX-License-Identifier: Apache-2.0
"""The operator's own reading of an object: a model, or what is wrong with it in words for people.

The apiserver has checked an object against the CRD that it has, which may be another version's; so the
operator reads again, and trusts only what it could read.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from typing_extensions import override

from eservice_operator.api.base import Model
from eservice_operator.api.kinds import BY_KIND
from eservice_operator.api.schema import VALIDATIONS

M = TypeVar("M", bound=Model)
Loc = tuple[int | str, ...]

MOST_ERRORS = 20
MOST_SHOWN = 60
STATUS_REPAIRS = 3
"""Dropping a field can leave its parent incomplete, which the next round drops; deeper is never needed."""

_NOT_A_DAY = "{shown} is not a day of the calendar, write it as YYYY-MM-DD"
_MORE_THAN_A_DAY = (
    "{shown} is more than a day, write YYYY-MM-DD in quotes: kustomize makes it an instant else"
)
_NOT_AN_INSTANT = "{shown} is not an instant with its offset from UTC, write it as 2026-10-12T10:00:00Z"
_NOT_A_NUMBER = "{shown} is not a whole number, write one"
_NOT_A_MAP = "{shown} is not a map, write its fields"
_NOT_KNOWN = "{shown} is not known, write {expected}"
_NOT_TRUE_OR_FALSE = "{shown} is neither true nor false, write one of them"

SENTENCES = {
    "bool_parsing": _NOT_TRUE_OR_FALSE,
    "bool_type": _NOT_TRUE_OR_FALSE,
    "date_from_datetime_inexact": _NOT_A_DAY,
    "date_from_datetime_parsing": _NOT_A_DAY,
    "date_parsing": _NOT_A_DAY,
    "date_type": _NOT_A_DAY,
    "day_with_time": _MORE_THAN_A_DAY,
    "datetime_from_date_parsing": _NOT_AN_INSTANT,
    "datetime_parsing": _NOT_AN_INSTANT,
    "datetime_type": _NOT_AN_INSTANT,
    "timezone_aware": _NOT_AN_INSTANT,
    "dict_type": _NOT_A_MAP,
    "model_type": _NOT_A_MAP,
    "enum": _NOT_KNOWN,
    "literal_error": _NOT_KNOWN,
    "greater_than_equal": "{shown} is too low, write {ge} or more",
    "less_than": "{shown} is too high, write less than {lt}",
    "less_than_equal": "{shown} is too high, write at most {le}",
    "int_from_float": _NOT_A_NUMBER,
    "int_parsing": _NOT_A_NUMBER,
    "int_parsing_size": _NOT_A_NUMBER,
    "finite_number": _NOT_A_NUMBER,
    "int_type": _NOT_A_NUMBER,
    "missing": "is missing, write it",
    "string_pattern_mismatch": "{shown} is not accepted, {write}",
    "string_too_long": "is too long, write at most {max_length} characters",
    "string_too_short": "is too short, write {min_length} or more characters",
    "string_type": "{shown} is not text, write it in quotes",
    "too_long": "has too many entries, write at most {max_length}",
    "too_short": "has too few entries, write at least {min_length}",
    "tuple_type": "{shown} is not a list, write one",
}


@dataclass(frozen=True, slots=True)
class InvalidObject:
    """An object that cannot be read; each error is ``field.path: what is wrong, write what instead``."""

    errors: tuple[str, ...]

    @override
    def __str__(self) -> str:
        """All errors on one line."""
        return "; ".join(self.errors)


def parse(kind: str, obj: Mapping[str, Any]) -> Model | InvalidObject:
    """The model of an object of one of our kinds.

    Raises:
        KeyError: for a kind that is not ours.
    """
    return read(BY_KIND[kind].model, obj)


def read(model: type[M], obj: Mapping[str, Any]) -> M | InvalidObject:
    """The object as ``model``; what cannot be read of the status, which is ours, becomes its default."""
    try:
        return model.model_validate(obj)
    except ValidationError as error:
        problems = error.errors(include_url=False)
    theirs = [problem for problem in problems if problem["loc"][:1] != ("status",)]
    if theirs:
        return InvalidObject(_lines(theirs, obj, _writing(model)))
    return _with_readable_status(model, obj)


def _with_readable_status(model: type[M], obj: Mapping[str, Any]) -> M:
    """The object with what can be read of its status: a newer operator may have written more."""
    status = copy.deepcopy(obj["status"])
    for _ in range(STATUS_REPAIRS):
        try:
            return model.model_validate({**obj, "status": status})
        except ValidationError as error:
            status = _without(status, [_unreadable(problem) for problem in error.errors(include_url=False)])
    return model.model_validate({key: value for key, value in obj.items() if key != "status"})


def _unreadable(problem: ErrorDetails) -> Loc:
    """What to drop, as a path within the status: the field itself, or what misses a field."""
    within = problem["loc"][1:]
    return within[:-1] if problem["type"] == "missing" else within


def _without(status: Any, paths: list[Loc]) -> Any:
    """The status without these; pydantic names list items in their order, so the last ones go first."""
    for path in reversed(list(dict.fromkeys(paths))):
        if any(path[:length] in paths for length in range(len(path))):
            continue  # it goes with its parent
        if not path:
            return {}
        parent = status
        for step in path[:-1]:
            parent = parent[step]
        if isinstance(parent, dict):
            parent.pop(path[-1], None)
        else:
            del parent[path[-1]]
    return status


def _lines(
    problems: list[ErrorDetails], obj: Mapping[str, Any], writing: Mapping[str, str]
) -> tuple[str, ...]:
    """One line for each place; of several problems in one place the first."""
    lines: dict[str, str] = {}
    for problem in problems:
        path = _path(problem["loc"], obj)
        lines.setdefault(path, f"{path or 'the object'}: {_sentence(problem, path, writing)}")
    kept = tuple(lines.values())[:MOST_ERRORS]
    left = len(lines) - len(kept)
    return (*kept, f"and {left} more: mend these first") if left else kept


def _path(loc: Loc, obj: Any) -> str:
    """The place in YAML notation; the last steps that the object does not have are types that were tried."""
    path = ""
    for step in loc:
        if isinstance(step, int) and isinstance(obj, list | tuple):
            path, obj = f"{path}[{step}]", obj[step]
        elif isinstance(step, str) and isinstance(obj, Mapping):
            path, obj = f"{path}.{step}" if path else step, obj.get(step)
    return path


def _sentence(problem: ErrorDetails, path: str, writing: Mapping[str, str]) -> str:
    context = dict(problem.get("ctx", {}))
    context["write"] = writing.get(context.get("pattern", ""), "")
    context["shown"] = "the value" if ".env[" in path else _shown(problem["input"])
    context["expected"] = str(context.get("expected", "")).replace("'", "")
    context["msg"] = problem["msg"]
    return SENTENCES.get(problem["type"], "{shown} is not accepted, {msg}").format_map(context)


def _shown(value: Any) -> str:
    """The value as far as it helps to find it."""
    match value:
        case Mapping():
            return "a map"
        case list() | tuple():
            return "a list"
        case _:
            text = json.dumps(value, ensure_ascii=False, default=str)
            return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}…"


@cache
def _writing(model: type[Model]) -> Mapping[str, str]:
    """What to write instead, by the pattern that was not met."""
    return dict(_patterns(model.model_json_schema()))


def _patterns(schema: Any) -> Iterator[tuple[str, str]]:
    if isinstance(schema, dict):
        if "pattern" in schema and VALIDATIONS in schema:
            yield schema["pattern"], schema[VALIDATIONS][0]["message"]
        for inner in schema.values():
            yield from _patterns(inner)
    elif isinstance(schema, list):
        for inner in schema:
            yield from _patterns(inner)
