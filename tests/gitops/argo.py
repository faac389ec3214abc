# SPDX-License-Identifier: Apache-2.0
"""Argo CD's way of asking a health script: Lua 5.1, base and table libraries, the object as ``obj``."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from lupa.lua51 import LuaRuntime, lua_type

from eservice_operator.core.actions import Manifest

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "charts" / "eservice-operator" / "files" / "argocd" / "health.lua"
FORBIDDEN = (
    "string",
    "math",
    "io",
    "os",
    "debug",
    "coroutine",
    "package",
    "require",
    "dofile",
    "loadfile",
    "python",
)
"""What Argo CD does not give to a script (of ``os`` it gives the clock, which ours does not need)."""
VERDICTS = frozenset({"Healthy", "Progressing", "Degraded", "Suspended", "Missing", "Unknown"})


class Health(NamedTuple):
    """What the script answers; Argo CD shows both."""

    status: str
    message: str


def health(obj: Manifest, script: str | None = None) -> Health:
    """The script's answer about an object; an AssertionError where Argo CD would refuse it."""
    lua = LuaRuntime(register_eval=False, register_builtins=False)
    # the metatable of text is the string library by another way: ("").rep
    lua.execute('getmetatable("").__index = nil')
    for name in FORBIDDEN:
        lua.globals()[name] = None
    lua.globals().obj = _table(lua, obj)
    answer = lua.execute(SCRIPT.read_text() if script is None else script)
    assert lua_type(answer) == "table", f"Argo CD wants a table, not {answer!r}"
    found = dict(answer.items())
    assert set(found) <= {"status", "message"}, found
    assert found["status"] in VERDICTS, found
    assert isinstance(found.get("message", ""), str), found
    return Health(found["status"], found.get("message", ""))


def _table(lua: LuaRuntime, value: Any) -> Any:
    if isinstance(value, dict):
        return lua.table_from({key: _table(lua, one) for key, one in value.items() if one is not None})
    if isinstance(value, list):
        return lua.table_from([_table(lua, one) for one in value])
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value
