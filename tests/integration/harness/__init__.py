# SPDX-License-Identifier: Apache-2.0
"""What the integration tests stand on: a PostgreSQL of their own, the proxy, and clients for both.

postgres  one server per test file, as an unprivileged user, with a user per authentication method
proxy     the proxy with a configuration of the test's choosing, on ports that the kernel chose
wire      a client that speaks the protocol message by message, and can be as rude as a test wants
clients   psql, pgbench and the admin interface
"""
