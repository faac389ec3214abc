# SPDX-License-Identifier: Apache-2.0
"""Benchmarks: figures to read, never tests that depend on the machine; run with ``python -m bench.NAME``."""
