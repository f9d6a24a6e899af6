# SPDX-License-Identifier: Apache-2.0
"""Messages as steps: their bytes, and the words that a test is printed with. A test evaluates the words."""

import struct

from harness.wire import FLUSH, SYNC, cstring, message, query_message

from .conversation import Step


def raw(text):
    """Bytes that are written as text: characters beyond ASCII are UTF-8 unless the text is bytes."""
    return text if isinstance(text, bytes) else text.encode()


def q(text):
    return query_message(raw(text))


def p(name, text, *types):
    return message(b"P", cstring(raw(name)) + cstring(raw(text)) + struct.pack(f"!h{len(types)}i", len(types), *types))


def b(portal, name, *values):
    """Values are texts, None, or bytes: those are bound in binary format."""
    body = cstring(raw(portal)) + cstring(raw(name))
    body += struct.pack(f"!h{len(values)}h", len(values), *[isinstance(value, bytes) for value in values])
    body += struct.pack("!h", len(values))
    for value in values:
        body += struct.pack("!i", -1) if value is None else struct.pack("!i", len(raw(value))) + raw(value)
    return message(b"B", body + struct.pack("!h", 0))


def d(kind, name):
    return message(b"D", kind.encode() + cstring(raw(name)))


def c(kind, name):
    return message(b"C", kind.encode() + cstring(raw(name)))


def e(portal, rows=0):
    return message(b"E", cstring(raw(portal)) + struct.pack("!i", rows))


def f(oid):
    """FunctionCall with one argument, the text 1."""
    return message(b"F", struct.pack("!ihhi", oid, 0, 1, 1) + b"1" + struct.pack("!h", 0))


def data(text):
    return message(b"d", raw(text))


def done():
    return message(b"c")


def fail():
    return message(b"f", cstring("given up"))


def sync():
    return SYNC


def flush():
    return FLUSH


# What a client does beside messages: "!" and the words of it.

def cancel():
    """A cancel request, when everything before has been sent."""
    return b"!cancel"


def reload():
    """The proxy reads its plugins again."""
    return b"!reload"


def cut(withheld=0):
    """The connection is cut; so many bytes of what stands before it are not sent any more."""
    return b"!cut %d" % withheld


def pause(milliseconds, withheld=0):
    """The client says nothing for so long; so many bytes of what stands before it are sent only then."""
    return b"!pause %d %d" % (milliseconds, withheld)


def stop():
    """Another session calls pg_cancel_backend()."""
    return b"!stop"


def terminate():
    """Another session calls pg_terminate_backend()."""
    return b"!terminate"


def wait(data):
    """The message, and whatever it is answered with."""
    return Step(data, wait=True)


MAKERS = {each.__name__: each for each in (q, p, b, d, c, e, f, data, done, fail, sync, flush, cancel, reload, cut, pause, stop,
                                           terminate, wait)}


def step(maker, *arguments):
    return Step(maker(*arguments), f"{maker.__name__}({', '.join(map(repr, arguments))})")


def read_step(line):
    """A step from the words that it is printed with."""
    made = eval(line, {"__builtins__": {}}, dict(MAKERS))
    made = made if isinstance(made, Step) else Step(made)
    made.source = line[len("wait("):-1] if made.wait else line
    return made
