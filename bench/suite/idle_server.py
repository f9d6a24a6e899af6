# SPDX-License-Identifier: Apache-2.0
"""A server that greets and is silent; prints its port. See connections.IdleServer."""

import asyncio
import resource

GREETING = b"R\0\0\0\x08\0\0\0\0" + b"K\0\0\0\x0c\0\0\0\x01\0\0\0\x02" + b"Z\0\0\0\x05I"


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
