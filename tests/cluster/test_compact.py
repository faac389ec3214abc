# SPDX-License-Identifier: Apache-2.0
"""Models that are kept by the ten thousand share the names of their fields, and are what they were."""

import copy
import gc
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pydantic import ValidationError

from eservice_operator.api.base import Model
from eservice_operator.api.parse import parse
from eservice_operator.cluster import compact as compacting
from eservice_operator.cluster.compact import compact
from tests.support import worlds


class Other(Model):
    """A model whose fields nobody has written before."""

    first: int = 0


def read(name: str) -> Any:
    """An EService with a status, as a model of its own."""
    conditions = [worlds.condition("Published", "Published"), worlds.condition("Accepted", "Accepted")]
    body = worlds.eservice(metadata={"name": name, "uid": name}, status={"conditions": conditions})
    return parse("EService", body)


def models(value: Any) -> Iterator[Model]:
    if isinstance(value, Model):
        yield value
        for below in value.__dict__.values():
            yield from models(below)
    elif isinstance(value, tuple):
        for below in value:
            yield from models(below)


def sets(value: Any) -> set[int]:
    return {id(model.model_fields_set) for model in models(value)}


def test_two_objects_share_the_names_of_their_fields() -> None:
    one, other = compact(read("one")), compact(read("other"))
    assert len(sets(one)) > 5, "there is something to share"
    assert len(list(models(one))) > len(sets(one)), "within an object, too"
    assert sets(one) == sets(other)


def test_it_is_what_it_was() -> None:
    plain, shared = read("one"), compact(read("one"))
    assert shared == plain
    assert shared.model_dump(exclude_unset=True) == plain.model_dump(exclude_unset=True)
    assert shared.spec.model_fields_set < set(type(shared.spec).model_fields), "not all were given"


def test_it_is_written_and_copied_as_any_other() -> None:
    plain, shared = read("one"), compact(read("one"))
    assert shared.model_dump_json(by_alias=True) == plain.model_dump_json(by_alias=True)
    assert repr(shared) == repr(plain)
    assert copy.deepcopy(shared) == plain
    assert hash(shared.spec.template) == hash(plain.spec.template)
    with pytest.raises(ValidationError, match="frozen"):
        shared.spec = plain.spec


def test_it_takes_little_more_than_a_third_of_the_memory() -> None:
    plain, shared = _bytes_of(lambda: read("one")), _bytes_of(lambda: compact(read("one")))
    assert shared < 0.4 * plain, (shared, plain)  # with the texts, which stay


def _bytes_of(make: Callable[[], object]) -> int:
    """What a hundred of them take."""
    make()
    gc.collect()
    tracemalloc.start()
    try:
        kept = [make() for _ in range(100)]
        gc.collect()
        return tracemalloc.get_traced_memory()[0] if kept else 0
    finally:
        tracemalloc.stop()


def test_a_changed_copy_changes_no_other() -> None:
    one, other = compact(read("one")), compact(read("other"))
    before = set(other.spec.model_fields_set)
    changed = one.spec.model_copy(update={"uses": ()})
    assert "uses" in changed.model_fields_set
    assert "uses" not in before
    assert other.spec.model_fields_set == one.spec.model_fields_set == before


def test_what_is_no_model_stays_as_it_is() -> None:
    invalid = parse("EService", worlds.eservice(spec={"environment": "Moon"}))
    assert compact(invalid) is invalid


def test_only_so_many_are_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever writes ever other fields fills no memory."""
    monkeypatch.setattr(compacting, "MOST", 0)
    known = len(compacting._known)
    compact(Other.model_validate({"first": 1}))
    assert len(compacting._known) == known
