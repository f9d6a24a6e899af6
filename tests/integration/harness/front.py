# SPDX-License-Identifier: Apache-2.0
"""A load balancer that passes TCP connections on, with a header of the PROXY protocol in front."""

import contextlib
import ipaddress
import os
import socket
import struct
import threading

from .wire import Raw

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
CHECKSUM = 0x03


def text_header(client, family="TCP4"):
    """Version 1."""
    return f"PROXY {family} {client} {'10.0.0.5' if family == 'TCP4' else '::1'} 40000 6432\r\n".encode()


def binary_header(client=None, tlvs=b"", command=1):
    """Version 2; of no client: AF_UNSPEC."""
    if client is None:
        return SIGNATURE + bytes([0x20 | command, 0]) + struct.pack("!H", len(tlvs)) + tlvs
    address = ipaddress.ip_address(client)
    family, other = (0x11, bytes(4)) if address.version == 4 else (0x21, bytes(16))
    rest = address.packed + other + struct.pack("!HH", 40000, 6432) + tlvs
    return SIGNATURE + bytes([0x20 | command, family]) + struct.pack("!H", len(rest)) + rest


def tlv(kind, value):
    return bytes([kind]) + struct.pack("!H", len(value)) + value


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def checked_header(client):
    """Version 2 with a checksum."""
    empty = binary_header(client, tlv(CHECKSUM, bytes(4)))
    return empty[:-4] + struct.pack("!I", crc32c(empty))


class Front:
    """Listens on `port` of 127.0.0.1; `header` goes in front of each connection from now on."""

    def __init__(self, target, header=b""):
        """`target`: a port of 127.0.0.1, or the path of a Unix socket."""
        self.target, self.header = target, header
        self._open = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _dial(self):
        if isinstance(self.target, int):
            return socket.create_connection(("127.0.0.1", self.target))
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(os.fspath(self.target))
        return connection

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            proxy = self._dial()
            self._open += [client, proxy]
            try:
                proxy.sendall(self.header)
            except OSError:
                pass
            for source, sink in ((client, proxy), (proxy, client)):
                threading.Thread(target=self._pass, args=(source, sink), daemon=True).start()

    @staticmethod
    def _pass(source, sink):
        try:
            while chunk := source.recv(65536):
                sink.sendall(chunk)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def raw(self):
        return Raw("127.0.0.1", self.port)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for each in [self._listener, *self._open]:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)  # wakes the thread that reads it
            each.close()
