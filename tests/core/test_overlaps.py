# SPDX-License-Identifier: Apache-2.0
"""Which hosts a route answers for: the Gateway API's wildcards, beside those of registrations (R1)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eservice_operator.core.hosts import EVERY, host_matches, overlaps, patterns_over

labels = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,4}[a-z0-9])?", fullmatch=True)
hosts = st.lists(labels, min_size=2, max_size=6).map(".".join)
patterns = st.one_of(hosts, hosts.map("*.{}".format), st.just(EVERY))


@pytest.mark.parametrize(
    "pattern, host, answered",
    [
        ("a.example.lv", "a.example.lv", True),
        ("a.example.lv", "b.example.lv", False),
        ("*.example.lv", "a.example.lv", True),
        ("*.example.lv", "b.a.example.lv", True),
        ("*.example.lv", "example.lv", False),
        ("*.example.lv", "aexample.lv", False),
        ("*.lv", "a.example.lv", True),
        (EVERY, "a.example.lv", True),
        ("A.Example.LV.", "a.example.lv", True),
        ("*.EXAMPLE.lv", "a.example.lv.", True),
    ],
)
def test_a_wildcard_of_a_route_covers_every_depth(pattern: str, host: str, answered: bool) -> None:
    assert overlaps(pattern, host) is answered


@given(patterns, hosts)
def test_whatever_a_registration_covers_a_route_answers_for(pattern: str, host: str) -> None:
    assert overlaps(pattern, host) or not host_matches(pattern, host)


@given(st.lists(labels, min_size=1, max_size=4).map(".".join), hosts)
def test_a_wildcard_covers_all_below_its_domain_and_nothing_else(below: str, domain: str) -> None:
    assert overlaps(f"*.{domain}", f"{below}.{domain}")
    assert overlaps(EVERY, f"{below}.{domain}")
    assert not overlaps(f"*.{domain}", domain)
    assert not overlaps(f"{below}.{domain}", domain)
    assert not overlaps(f"*.{domain}", f"{below}x{domain}") or domain.split(".", 1)[0] in below


@given(patterns, hosts, st.sampled_from([str.upper, str.title, "{}.".format]))
def test_neither_case_nor_a_dot_at_the_end_tells_hosts_apart(
    pattern: str, host: str, written: Callable[[str], str]
) -> None:
    assert overlaps(written(pattern), host) is overlaps(pattern, host)
    assert overlaps(pattern, written(host)) is overlaps(pattern, host)


@given(hosts)
def test_a_look_up_takes_one_step_for_each_label(host: str) -> None:
    found = patterns_over(host)
    assert len(found) == len(set(found)) == host.count(".") + 2
    assert (found[0], found[-1]) == (host, EVERY)
    assert all(overlaps(pattern, host) for pattern in found)
