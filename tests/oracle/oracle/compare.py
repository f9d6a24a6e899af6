# SPDX-License-Identifier: Apache-2.0
"""Holds what hooks were told against what the server did."""

import re
from collections import Counter, defaultdict
from dataclasses import dataclass

MARK = re.compile(r"/\*(\d+)( refuse| rewrite| answer| rewritten| slow| cap)?\*/")
DECIDED = {"refuse": "refused", "answer": "answered", "rewrite": "rewritten"}
ENDS_TRANSACTIONS = ("PREPARE TRANSACTION", "COMMIT", "ROLLBACK")  # they are in none, or in two
NOT_JUDGED = ("PREPARE", "EXECUTE")  # PREPARE runs nothing; EXECUTE shows by what it runs

MANAGES_SESSION = re.compile("BEGIN|START|COMMIT|END|ROLLBACK|ABORT|SAVEPOINT|RELEASE|SET|SHOW|RESET|DISCARD|DEALLOCATE|LISTEN|PREPARE TRANS")


@dataclass
class Divergence:
    kind: str
    what: str
    conversation: object = None
    number: int = None  # of the statement


@dataclass
class Call:
    """One pre_query and what followed it."""
    at: int
    decision: str
    tenant: str
    parameters: list
    text: str
    outcome: str = None
    rows: str = "-"
    tag: str = ""
    settlement: str = None


def number_of(text):
    found = MARK.search(text)
    return int(found[1]) if found else None


def calls_of(lines):
    """({id: Call}, divergences in their pairing)"""
    calls, wrong = {}, []
    for line in lines:
        if line[0] == "pre":
            text = "\x1f".join(line[6:])
            calls[line[1]] = Call(int(line[2]), line[3], line[4], line[5].split("\x1e") if line[5] else [], text)
        elif line[1] not in calls:
            wrong.append(Divergence("pairing", f"{line[0]} without pre_query"))
        elif line[0] == "post":
            if calls[line[1]].outcome:
                wrong.append(Divergence("pairing", f"post_query twice: {calls[line[1]].text}"))
            calls[line[1]].outcome, calls[line[1]].rows, calls[line[1]].tag = line[2:5]
        else:
            if calls[line[1]].settlement:
                wrong.append(Divergence("pairing", f"settled twice: {calls[line[1]].text}"))
            calls[line[1]].settlement = line[2]
    for call in calls.values():
        if not call.outcome or not call.settlement:
            wrong.append(Divergence("pairing", f"no end is told of {call.text}"))
    return calls, wrong


def text_told(call):
    """The text that will run, by the plugin's verdict."""
    return f"SELECT /*{number_of(call.text)} rewritten*/ 'rewritten'" if call.decision == "rewrite" else call.text


def is_same_text(told, read):
    """PostgreSQL keeps the whole PREPARE as the text of what was prepared."""
    told = told.strip().rstrip(";").strip()
    return told == read or (read.startswith("PREPARE ") and read.endswith(told) and told != "")


def as_printed(parameter):
    """A parameter of a hook as PostgreSQL prints it; binary ones are ints here. "?": only the server knows them."""
    if parameter == "?":
        return parameter
    if parameter[:1] == "b":
        return str(int.from_bytes(bytes.fromhex(parameter[1:]), "big", signed=True))
    return None if parameter == "n" else parameter[1:]


class Server:
    """Events of one backend, by number."""

    def __init__(self, events):
        self.by_event = {event["event"]: event for event in events}
        self.ends = {event["of"]: event for event in events if event["kind"] == "end"}
        self.functions = [event for event in events if event["kind"] == "function"]
        self.fate = {event["transaction"]: event["kind"] for event in events
                     if event["kind"] in ("committed", "rolled back", "prepared")}
        self.subs = [event for event in events if event["kind"] in ("merged", "undone")]
        self.seen = defaultdict(list)
        for event in events:
            if event["kind"] in ("plan", "run", "utility"):
                event["text"] = event["text"].strip()
                self.seen[number_of(event["text"])].append(event)

    def is_inside_same(self, event):
        number = number_of(event["text"])
        while event["inside"] in self.by_event:
            event = self.by_event[event["inside"]]
            if event["kind"] != "plan" and number_of(event["text"]) == number:
                return True
        return False

    def executions(self, number):
        """Its executions, each as the events of it, outermost ones only."""
        found = defaultdict(list)
        for event in self.seen[number]:
            if event["kind"] == "plan" or event.get("tag") in NOT_JUDGED or self.is_inside_same(event):
                continue
            found[("run", event["execution"]) if event["kind"] == "run" else ("utility", event["event"])].append(event)
        return list(found.values())

    def settlement(self, event):
        """What became of the transaction, or subtransaction, that the event stands in."""
        sub = event["sub"]
        for later in self.subs:
            if later["event"] > event["event"] and later["transaction"] == event["transaction"] and later["sub"] == sub:
                if later["kind"] == "undone":
                    return "rolled back"
                sub = later["parent"]
        return self.fate.get(event["transaction"], "rolled back")


def compare(lines, events):
    """The divergences between the plugin's lines and the server's events."""
    calls, wrong = calls_of(lines)
    server = Server(events)
    told = defaultdict(list)
    for call in calls.values():
        if number_of(call.text) is not None:
            told[number_of(call.text)].append(call)
    for number in sorted(set(server.seen) | set(told)):
        found = of_number(number, told[number], server)
        for each in found:
            each.number = number
        wrong += found
    for event in server.functions:
        wrong.append(Divergence("function-unseen", f"FunctionCall of {event['text']}"))
    return wrong


def of_number(number, calls, server):
    events = [event for event in server.seen[number] if event.get("tag") not in NOT_JUDGED]
    wrong = [*existence(events, calls)]
    if wrong:
        return wrong
    # A declared cursor may be told twice, as DECLARE and where Execute reads it.
    if any(re.match(r"DECLARE|EXPLAIN|DO", event["text"]) for event in events):
        return []
    calls = [call for call in calls if not re.match("PREPARE (?!TRANS)", call.text)]
    return planned_alone(events, calls, server) or counts(server.executions(number), [call for call in calls if call.decision in ("pass", "rewrite")], server)


def existence(events, calls):
    """What ran counts before what was only planned."""
    for event in sorted(events, key=lambda each: each["kind"] == "plan"):
        kind = {"plan": "planned", "run": "ran", "utility": "utility"}[event["kind"]]
        decision = (MARK.search(event["text"])[2] or "").strip()
        if decision in DECIDED and any(call.decision == decision for call in calls):
            return [Divergence(f"{DECIDED[decision]}-{kind}", f"and yet the server has {event['text']!r}")]
        passed = [call for call in calls if call.decision in ("pass", "rewrite")]
        if not passed:
            return [Divergence(f"unseen-{kind}", f"no hook was asked about {event['text']!r}")]
        if not any(is_same_text(text_told(call), event["text"]) for call in passed):
            return [Divergence(kind_of_text(passed[0].text, event["text"]),
                               f"hooks saw {passed[0].text!r}, the server {event['text']!r}")]
        if not event_is_after(event, passed):
            return [Divergence(f"early-{kind}", f"before its hook: {event['text']!r}")]
    return []


def kind_of_text(told, read):
    """Whether only the client's encoding stands between the two."""
    try:
        return "text-encoding" if is_same_text(told.encode().decode("latin-1"), read) else "text"
    except UnicodeError:
        return "text"


def event_is_after(event, calls):
    return any(call.at <= event["ns"] // 1000000 for call in calls)


def counts(executions, calls, server):
    wrong = []
    text = executions[0][0]["text"] if executions else calls[0].text if calls else ""
    done = [call for call in calls if call.outcome == "executed"]
    if len(executions) > len(calls):
        wrong.append(Divergence("told-too-seldom", f"{len(executions)} executions, {len(calls)} pre_query: {text!r}"))
    if len(done) > len(executions):
        wrong.append(Divergence("phantom", f"{len(done)} told as executed, {len(executions)} executions: {text!r}"))
    ended = [group for group in executions if group[-1]["event"] in server.ends]
    if len(executions) == len(calls):
        wrong += agreement(executions, calls, text)
    if len(executions) == len(calls) == 1:
        wrong += of_one(executions[0], calls[0], server, text, ended)
    return wrong


def planned_alone(events, calls, server):
    """The server has planned what it never ran: functions may have worked, and the transaction says what became of that."""
    plans = [event for event in events if event["kind"] == "plan"]
    if len(calls) != 1 or not plans or len(plans) != len(events):
        return []
    call, text = calls[0], plans[0]["text"]
    if call.outcome == "skipped":
        return [Divergence("outcome", f"told as skipped, and it was planned: {text!r}")]
    fates = {server.settlement(event) for event in plans}
    if call.settlement not in (None, "unknown") and fates != {call.settlement}:
        return [Divergence("settlement", f"hooks {call.settlement}, server {fates}, planned alone: {text!r}")]
    return []


def agreement(executions, calls, text):
    """Parameters and tenants, in whatever order."""
    wrong = []
    server_parameters = Counter(tuple(group[0]["parameters"]) for group in executions)
    hook_parameters = Counter(tuple(map(as_printed, call.parameters)) for call in calls)
    unknown = hook_parameters.pop(("?",), 0)
    is_same = not hook_parameters - server_parameters and (server_parameters - hook_parameters).total() == unknown
    takes_none = set(server_parameters) == {()} and "$1" not in text  # EXECUTE's arguments are ignored then
    if all(call.decision == "pass" for call in calls) and not is_same and not takes_none:
        wrong.append(Divergence("parameters", f"hooks {dict(hook_parameters)}, server {dict(server_parameters)}: {text!r}"))
    server_tenants = Counter(group[0]["tenant"] or "" for group in executions)
    hook_tenants = Counter(call.tenant for call in calls)
    # One that nobody can know is told as none, and only commands of the session run then.
    is_unknown = MANAGES_SESSION.match(text) and set(hook_tenants - server_tenants) == {""}
    if server_tenants != hook_tenants and not is_unknown:
        wrong.append(Divergence("tenant", f"hooks {dict(hook_tenants)}, server {dict(server_tenants)}: {text!r}"))
    return wrong


def of_one(group, call, server, text, ended):
    wrong = []
    if call.outcome in ("skipped", "refused") and ended:
        wrong.append(Divergence("outcome", f"told as {call.outcome}, and it ran: {text!r}"))
    if call.outcome == "executed" and not ended:
        wrong.append(Divergence("outcome", f"told as executed, and it did not end: {text!r}"))
    if call.outcome == "executed" and group[0]["kind"] == "run" and call.rows != "-" and group[0]["depth"] == 0:
        rows = sum(server.ends[event["event"]]["rows"] for event in group if event["event"] in server.ends)
        # What returns rows runs to its end, although the client may read less; nobody outside can count what a function reads.
        # Nor does it where its answer was cut.
        may_be_more = "RETURNING" in text or " cap*/" in call.text or any(event["depth"] > 0 for event in group)
        if rows != int(call.rows) and not (may_be_more and int(call.rows) < rows):
            wrong.append(Divergence("rows", f"hooks {call.rows}, server {rows}: {text!r}"))
    fate = server.settlement(group[-1])
    if group[-1].get("tag") in ENDS_TRANSACTIONS:
        return wrong
    if call.settlement not in (None, "unknown") and fate != call.settlement:
        wrong.append(Divergence("settlement", f"hooks {call.settlement}, server {fate}: {text!r}"))
    return wrong
