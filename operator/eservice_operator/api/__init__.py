# SPDX-License-Identifier: Apache-2.0
"""The contract: every kind as a frozen model, with the names, reasons and schema rules that go with it.

What people write, what they read back, and the CRDs generated from it. It imports nothing else of the
operator and knows no cluster, so that a client may import it too.
"""
