# SPDX-License-Identifier: Apache-2.0
"""What a soak puts on the proxy. Each load is a thread that goes on until it is told to stop.

Loads that count know exactly how many of their tenant's statements were answered: `answered` is what the counter plugin
must have counted."""

import itertools
import os
import random
import re
import shutil
import signal
import threading

from harness.clients import pgbench
from harness.conversation import TO_CLIENT, TO_SERVER, Conversation
from harness.dying import deaths, die
from harness.relay import CORRUPT, HALF_CLOSE, RESET
from harness.wire import Wire

PLACES = {"to_server": TO_SERVER, "to_client": TO_CLIENT}


class Load(threading.Thread):
    """Calls round() again and again. What it raises ends the load and is kept in `failure`."""

    def __init__(self, name):
        super().__init__(name=name, daemon=True)
        self.rounds = 0
        self.failure = None
        self._stop_asked = threading.Event()

    def run(self):
        try:
            while not self._stop_asked.is_set():
                self.round()
                self.rounds += 1
        except Exception as failure:  # pylint: disable=broad-except
            self.failure = failure

    def ask_to_stop(self):
        self._stop_asked.set()

    def wait(self, seconds):
        self._stop_asked.wait(seconds)


class CountedLoad(Load):
    def __init__(self, tenant, port):
        super().__init__(tenant)
        self.tenant, self.port = tenant, port
        self.answered = 0


class Pgbench(CountedLoad):
    """Many sessions, each as fast as it can."""

    CLIENTS = 6
    TRANSACTIONS = 400

    def __init__(self, tenant, port, folder):
        super().__init__(tenant, port)
        self.script = os.path.join(folder, "pgbench.sql")
        with open(self.script, "w", encoding="utf-8") as script:
            script.write("SELECT :client_id;\nSELECT generate_series(1, 20);\n")

    def round(self):
        process = pgbench(self.port, self.script, self.CLIENTS, self.TRANSACTIONS, f"-c helios.tenant_id={self.tenant}")
        output, errors = process.communicate(timeout=600)
        assert process.returncode == 0, errors
        done = re.search(r"actually processed: (\d+)/", output)
        self.answered += 2 * int(done[1])


class Churn(CountedLoad):
    """Sessions that come for a few statements and leave in different ways."""

    STATEMENTS = ["SELECT 1", "SELECT repeat('x', 100000)", "SELECT 1/0", "SELECT count(*) FROM pg_class"]

    def round(self):
        with Wire("127.0.0.1", self.port, options=f"-c helios.tenant_id={self.tenant}") as session:
            for text in self.STATEMENTS[:1 + self.rounds % len(self.STATEMENTS)]:
                reply = session.query(text)
                assert not reply.errors or reply.sqlstate == "22012", reply.errors
                self.answered += 1
            if self.rounds % 2:
                session.terminate()


class Faults(Load):
    """Conversations through relays, each with a fault at some place on one of the sides."""

    def __init__(self, front, behind, seed):
        super().__init__("faults")
        self.relays = (front, behind)
        self.front = front
        self.random = random.Random(seed)

    def round(self):
        direction = self.random.choice(list(PLACES))
        message, nth, plus = PLACES[direction][self.random.choice(list(PLACES[direction]))]
        relay = self.random.choice(self.relays)
        # A client would wait for ever for what it does not recognise in the proxy's answers.
        is_last_leg = relay is self.front and direction == "to_client"
        fault = self.random.choice([RESET, HALF_CLOSE] if is_last_leg else [RESET, HALF_CLOSE, CORRUPT])
        if fault == CORRUPT and message != "startup":
            plus = 0

        def plan(link):
            link.only = b"conversation"  # the others' connections to the server pass here too
            getattr(link, direction).at(fault, message=message, nth=nth, plus=plus)

        relay.on_link = plan
        try:
            Conversation(self.front.port).run()
        except (OSError, ValueError, AssertionError):
            pass  # what a client makes of corrupt answers is its own affair
        finally:
            relay.on_link = lambda link: None


class Dying(Load):
    """Clients that die at every byte of what they say."""

    def __init__(self, port, key):
        super().__init__("dying")
        self.port, self.key = port, key
        self.deaths = deaths()

    def round(self):
        die(self.port, self.key, *next(self.deaths))


class Reloads(Load):
    """Other hostile plugins every few seconds, other settings, and now and then a plugin that does not load."""

    SECONDS = 3.0
    AT_ONCE = 2

    def __init__(self, proxy, guests, hostile):
        super().__init__("reloads")
        self.proxy, self.guests = proxy, guests
        self.hostile = itertools.cycle(hostile)
        self.installed = []

    def round(self):
        self._swap_plugins()
        self.proxy.config["limits.query_timeout_ms"] = 500_000 + self.rounds % 2
        self.proxy.write_config()
        if self.rounds % 2:
            self.proxy.process.send_signal(signal.SIGHUP)
        else:
            answer = self.proxy.reload()
            is_broken = "broken.wat" in self.installed
            assert (answer.status == 200) != is_broken, answer.text
        self.wait(self.SECONDS)

    def remove_hostile(self):
        """Leaves the plugins that were there before."""
        for file in self.installed:
            os.remove(os.path.join(self.proxy.plugins, file))
            os.remove(os.path.join(self.proxy.plugins, file.removesuffix(".wat") + ".toml"))
        self.installed = []

    def _swap_plugins(self):
        self.remove_hostile()
        self.installed = [next(self.hostile) + ".wat" for _ in range(self.AT_ONCE)]
        if self.rounds % 5 == 4:
            self.installed.append("broken.wat")
        for file in self.installed:
            self._install(file)

    def _install(self, file):
        name = file.removesuffix(".wat")
        with open(os.path.join(self.proxy.plugins, name + ".toml"), "w", encoding="utf-8") as manifest:
            manifest.write('on_error = "allow"\n[limits]\ntimeout_ms = 5\n')
        # By one rename: a reload that another one's SIGHUP has begun may look at any time.
        target = os.path.join(self.proxy.plugins, file)
        shutil.copy(os.path.join(self.guests, file), target + ".new")
        os.rename(target + ".new", target)
