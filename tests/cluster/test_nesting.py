# SPDX-License-Identifier: Apache-2.0
"""What is nested too deeply is cut off, and nothing else is changed."""

import json
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eservice_operator.cluster.nesting import DEEPEST, READ_AT_MOST, TOO_DEEP, read, within
from eservice_operator.cluster.sharing import Sharing

values = st.recursive(
    st.none() | st.integers(-2, 2) | st.text('{}[]"\\a\n', max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text('{}[]"\\a', max_size=3), inner, max_size=3)
    ),
    max_leaves=20,
)


def nested(levels: int, at: Any = "bottom", key: str = "a") -> Any:
    """Maps and lists in turns, so many of them."""
    for level in range(levels):
        at = {key: at} if level % 2 else [at]
    return at


def text_of(levels: int) -> bytes:
    """As `nested`, beyond what Python writes."""
    return b'{"a":' * levels + b'"bottom"' + b"}" * levels


def cut(value: Any, deepest: int) -> Any:
    """What `within` does, said of values."""
    if not isinstance(value, dict | list):
        return value
    if not deepest:
        return TOO_DEEP
    if isinstance(value, list):
        return [cut(one, deepest - 1) for one in value]
    return {key: cut(one, deepest - 1) for key, one in value.items()}


def levels_of(value: Any) -> int:
    levels = 0
    while isinstance(value, dict):
        value, levels = value["a"], levels + 1
    assert value == TOO_DEEP
    return levels


@given(values, st.integers(0, 5))
def test_what_is_deeper_is_cut_off_and_all_else_stays(value: Any, deepest: int) -> None:
    assert json.loads(within(json.dumps(value).encode(), deepest)) == cut(value, deepest)


@pytest.mark.parametrize("key", ["a", "}", "]", '"', "\\", '\\"', '"}', "{"])
def test_brackets_in_texts_hide_no_depth(key: str) -> None:
    """Of a text that has the other half of each pair nothing may be counted."""
    value = nested(60, at={"{": "}" * 60, "x": ["[" * 60]}, key=key)
    for deepest in (59, 60):
        assert json.loads(within(json.dumps(value).encode(), deepest)) == cut(value, deepest)
    body = json.dumps(value).encode()
    assert within(body, 62) is body


@pytest.mark.parametrize("levels", [sys.getrecursionlimit(), 10_000, 500_000])
def test_one_that_python_cannot_read_harms_no_other(levels: int) -> None:
    """The whole answer, in which one object is too deep."""
    body = b'{"items":[{"n":1},{"deep":%s},{"n":"}\\"]"}]}' % text_of(levels)
    with pytest.raises(RecursionError):
        json.loads(body)
    one, odd, other = read(body)["items"]
    assert (one, other) == ({"n": 1}, {"n": '}"]'})
    assert levels_of(odd["deep"]) == READ_AT_MOST - 3


def test_what_is_no_json_is_said_to_be_none() -> None:
    for body in (text_of(5000)[:-1], text_of(5000)[:20_000], b"[" * 5000, b"}" * 5000, b'"' * 5001, b""):
        with pytest.raises(ValueError, match=r"(?s)."):
            read(body)


def test_what_is_kept_is_no_deeper_however_it_was_read() -> None:
    """Python reads 500 levels, and gives up where something walks through them."""
    pool = Sharing()
    shared = pool.share({"data": nested(500, key="b")})
    assert pool.cut
    assert shared == cut({"data": nested(500, key="b")}, DEEPEST)
    whole = {"data": nested(DEEPEST - 1)}
    assert pool.share(whole) == whole
    assert not pool.cut
