# SPDX-License-Identifier: Apache-2.0
"""Answers a proxy in front of a web service whether the caller may use it: a server of its own.

It reads the cluster and writes nothing but reviews; what it cannot decide it does not allow.
"""
