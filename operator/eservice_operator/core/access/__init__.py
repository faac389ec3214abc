# SPDX-License-Identifier: Apache-2.0
"""Web-service access (R3, R9, R10): who may call which web service, and what follows from it."""
