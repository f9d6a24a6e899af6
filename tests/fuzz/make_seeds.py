# SPDX-License-Identifier: Apache-2.0
"""Writes the seeds that are not text: make_seeds.py DIRECTORY. CMake runs it when it configures."""

import os
import struct
import sys


def message(kind, body=b""):
    return kind + struct.pack("!I", len(body) + 4) + body


def framing():
    """Eight bytes that choose the cuts, then messages; odd type bytes are collected, even ones streamed."""
    small = message(b"Q", b"select 1\0") + message(b"S") + message(b"D", b"\0\1\0\0\0\1x") + message(b"Z", b"I")
    return {
        "messages": b"\0\1\2\3\4\5\6\7" + small,
        "single_bytes": bytes(8) + small + message(b"C", b"SELECT 1\0"),
        "partial": b"\5" * 8 + message(b"d", b"x" * 40)[:20],
        "long_announced": b"\3" * 8 + b"Q" + struct.pack("!I", 0x7FFFFFFF) + b"select",
        "negative_length": b"\3" * 8 + b"D" + struct.pack("!I", 0x80000000) + b"select",
        "bad_length": b"\7" * 8 + small + b"Q\0\0\0\3",
    }


def proxy_header():
    signature = b"\r\n\r\n\0\r\nQUIT\n"
    ipv4 = bytes([10, 1, 2, 3, 10, 0, 0, 5, 0x9c, 0x40, 0x19, 0x20])

    def binary(how, rest):
        return signature + how + struct.pack("!H", len(rest)) + rest
    return {
        "text4": b"PROXY TCP4 10.1.2.3 10.0.0.5 40000 6432\r\nmore",
        "text6": b"PROXY TCP6 2001:db8::1 ::1 1 2\r\n",
        "unknown": b"PROXY UNKNOWN\r\n",
        "ipv4": binary(b"\x21\x11", ipv4) + b"more",
        "ipv6": binary(b"\x21\x21", bytes(36)),
        "unix": binary(b"\x21\x31", bytes(216)),
        "local": binary(b"\x20\x00", b""),
        "tlvs": binary(b"\x21\x11", ipv4 + b"\x04\0\3pad\x02\0\0"),
        "checksum": binary(b"\x21\x11", ipv4 + b"\x03\0\4abcd"),
    }


def messages():
    return {
        "cancel_key": struct.pack("!I", 4711) + b"abcd",
        "long_key": struct.pack("!I", 1) + b"k" * 256,
        "tag": b"INSERT 0 5\0",
        "huge_tag": b"SELECT 99999999999999999999\0",
        "ready": b"T",
        "parameter": b"client_encoding\0UTF8\0",
        "error": b"SERROR\0VFATAL\0C42601\0Msyntax error\0P12\0\0",
        "query": b"select 1\0",
        "parse": b"name\0select $1\0\0\1\0\0\0\x17",
        "rows": b"\1one\n\2two\n\0null\n",
    }


def request(line, *headers, body=b""):
    lines = [line + " HTTP/1.1", "Host: localhost", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def admin_http():
    """A byte that says where the connection is cut, then its bytes."""
    put = request("PUT /admin/kv/p/a", "Content-Length: 5", body=b"value")
    get = request("GET /admin/kv/p/a", "Accept: application/octet-stream")
    return {
        "pipelined": b"\x10" + put + get + request("HEAD /version") + request("DELETE /admin/kv/p/a"),
        "chunked": b"\x60" + request("PUT /admin/kv/p/b", "Transfer-Encoding: chunked",
                                     body=b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nT: 1\r\n\r\n"),
        "expect": b"\0" + request("PUT /admin/kv/p/c", "Expect: 100-continue", "Content-Length: 1", body=b"x"),
        "too_long": b"\x20" + request("PUT /admin/kv/p/d", "Content-Length: 999999", body=b"x"),
        "long_header": b"\xff" + request("GET /", "X: " + "y" * 600),
        "two_lengths": b"\5" + request("PUT /admin/kv/p/e", "Content-Length: 1", "Transfer-Encoding: chunked"),
        "old": b"\3GET / HTTP/1.0\r\n\r\n",
        "garbage": b"\x08\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    }


def scram():
    """One end, a byte of choices, and its messages, each up to 0xFF: a client of ours, or a server that we log in to."""
    end = b"\xff"

    def client(how, *messages):
        return b"c" + bytes([how]) + end.join(messages)

    def server(how, *messages):
        return b"s" + bytes([how]) + end.join(messages)
    first = b"SCRAM-SHA-256\0\0\0\0\x10n,,n=,r=abcdefgh"
    plus = b"SCRAM-SHA-256-PLUS\0\0\0\0\x28p=tls-server-end-point,,n=,r=abcdefgh"
    sasl, go_on, final = (struct.pack("!I", code) for code in (10, 11, 12))
    return {
        "password": client(0, b"secret\0"),
        "md5": client(33, b"md5d41d8cd98f00b204e9800998ecf8427e\0"),
        "scram": client(18, first, b"c=biws,r=%N,p=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="),
        "scram_unknown": client(2, first, b"c=biws,r=%N,p=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="),
        "scram_plus": client(26, plus, b"c=cD10bHMtc2VydmVyLWVuZC1wb2ludCwsYmluZGluZw==,r=%N,p=AAAA"),
        "server": server(2, sasl + b"SCRAM-SHA-256\0\0", go_on + b"r=%Nxyz,s=MDEyMzQ1Njc4OWFiY2RlZg==,i=2",
                         final + b"v=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", struct.pack("!I", 0)),
        "server_plus": server(6, sasl + b"SCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0", go_on + b"r=%Nx,s=MDEy,i=2"),
        "server_in_clear": server(1, struct.pack("!I", 3), struct.pack("!I", 0)),
        "server_md5": server(1, struct.pack("!I", 5) + b"salt", struct.pack("!I", 0)),
    }


def tls():
    """The end that is ours, then pairs of what is done and to which byte."""
    whole = bytes([0, 0, 3, 0]) * 4
    talk = bytes([4, 40, 0, 0, 4, 200, 2, 7, 0, 0, 3, 0])
    return {
        "server": b"\0" + whole + talk,
        "client": b"\1" + bytes([3, 0, 0, 0]) * 4 + talk,
        "touched": b"\0" + whole + bytes([4, 40, 5, 9, 0, 0]),
        "dropped": b"\1" + bytes([3, 0, 6, 3, 0, 0]) + talk,
        "doubled": b"\0" + whole + bytes([4, 40, 7, 0, 0, 0]),
        "added": b"\0" + bytes([8, 5]) + b"\x17\x03\x03\0\0" + whole,
    }


def main():
    directory = sys.argv[1]
    for target, seeds in {"framing": framing(), "messages": messages(), "proxy_header": proxy_header(), "admin_http": admin_http(), "scram": scram(), "tls": tls()}.items():
        folder = os.path.join(directory, target)
        os.makedirs(folder, exist_ok=True)
        for name, content in seeds.items():
            with open(os.path.join(folder, name), "wb") as stream:
                stream.write(content)


if __name__ == "__main__":
    main()
