# SPDX-License-Identifier: Apache-2.0
"""The page that stands in for an e-service which is off the public route: a server of its own, with no state.

What the page needs comes with each request, in a header that the route's rule sets. The server knows no
cluster and has no rights in one.
"""
