# SPDX-License-Identifier: Apache-2.0
"""Follows one direction of the protocol and tells where its messages begin and end."""

import struct

from .wire import CANCEL_REQUEST, GSSENC_REQUEST, SSL_REQUEST

# Packets that open a connection have no type byte; these stand for it.
STARTUP, SSL, CANCEL = "startup", "ssl", "cancel"


class Frames:
    def __init__(self, from_client):
        self.offset = 0  # of the next byte that feed() gets
        self._untyped = from_client
        self._header = b""
        self._body_left = 0
        self._raw_left = 0

    def skip_raw(self, count):
        """Bytes outside of messages come next: the answer to an SSLRequest."""
        self._raw_left += count

    def feed(self, data):
        """Returns (kind, start, end) of each message whose header ends in `data`; offsets count from the first byte."""
        found = []
        at = 0
        while at < len(data):
            if self._raw_left or self._body_left:
                at += self._pass_over(len(data) - at)
                continue
            self._header += data[at:at + 1]
            at += 1
            if len(self._header) == (8 if self._untyped else 5):
                found.append(self._begin(self.offset + at))
        self.offset += len(data)
        return found

    def _pass_over(self, available):
        if self._raw_left:
            step = min(self._raw_left, available)
            self._raw_left -= step
        else:
            step = min(self._body_left, available)
            self._body_left -= step
        return step

    def _begin(self, header_end):
        header, self._header = self._header, b""
        start = header_end - len(header)
        if self._untyped:
            length, code = struct.unpack("!ii", header)
            kind = {SSL_REQUEST: SSL, GSSENC_REQUEST: SSL, CANCEL_REQUEST: CANCEL}.get(code, STARTUP)
            self._untyped = kind == SSL
        else:
            kind, length = header[:1], struct.unpack("!i", header[1:])[0] + 1
        self._body_left = max(length - len(header), 0)
        return kind, start, start + length
