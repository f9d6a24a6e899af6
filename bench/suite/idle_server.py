# SPDX-License-Identifier: Apache-2.0
"""A server that greets and is silent; prints its port. See connections.IdleServer."""

import asyncio
import resource

# What PostgreSQL tells of itself. PgBouncer does not live without.
SETTINGS = {"server_version": "17.0", "server_encoding": "UTF8", "client_encoding": "UTF8", "DateStyle": "ISO, MDY",
            "TimeZone": "UTC", "integer_datetimes": "on", "standard_conforming_strings": "on", "is_superuser": "on",
            "session_authorization": "postgres", "application_name": ""}


def message(kind, body):
    return kind + (len(body) + 4).to_bytes(4, "big") + body


GREETING = b"".join([
    message(b"R", bytes(4)), *(message(b"S", f"{name}\0{value}\0".encode()) for name, value in SETTINGS.items()),
    message(b"K", bytes(8)), message(b"Z", b"I")])


class Greeter(asyncio.Protocol):
    greeted = False

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        if data.startswith(b"X"):
            self.transport.close()
        elif not self.greeted:
            self.greeted = True
            self.transport.write(GREETING)


async def main():
    server = await asyncio.get_running_loop().create_server(Greeter, "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


_, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
asyncio.run(main())
