"""Records what Synapse's state resolution for room version 1 makes of hand-made forks.

    python -m venv venv && venv/bin/pip install matrix-synapse
    venv/bin/python tests/oracle/record_state_resolution_v1.py \
        > src/protocol/resolve/synapse_v1.json

Room version 1 leaves gaps in the specification; servers agree with Synapse. The recording is
what the tests of hearth-protocol compare with, so that they need neither Python nor Synapse.

Each case is a list of events and a list of states (lists of event ids). Cases are made from a
seed, by hand-made recipes: conflicting power levels, join rules, members and other state, at equal
and at different depths, by senders who may and who may not.
"""

import asyncio
import importlib.metadata
import json
import random
import sys

import synapse.event_auth  # noqa: F401  (has to come before synapse.state)
from synapse.api.room_versions import RoomVersions
from synapse.events import make_event_from_dict
from synapse.state.v1 import resolve_events_with_store

ROOM = "!room:a.org"
ALICE, BOB, CAROL, DAVE = USERS = ["@alice:a.org", "@bob:b.org", "@carol:c.org", "@dave:d.org"]
CASES = 120
# The fields that the algorithm reads, all that the recording keeps.
KEPT = ["event_id", "type", "sender", "state_key", "content", "depth"]


class Room:
    """Makes events and states with ids in a row."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.seed = seed
        self.events = {}
        self.ids = 0

    def add(self, kind, sender, state_key, content, depth):
        self.ids += 1
        event_id = "$%d.%d:%s" % (self.seed, self.ids, sender.split(":")[1])
        self.events[event_id] = {
            "event_id": event_id,
            "room_id": ROOM,
            "type": kind,
            "sender": sender,
            "state_key": state_key,
            "content": content,
            "depth": depth,
            "origin_server_ts": 1000 + self.ids,
            "prev_events": [["$before:a.org", {"sha256": "AAAA"}]],
            "auth_events": [],
            "hashes": {"sha256": "AAAA"},
            "signatures": {},
        }
        return event_id

    def member(self, sender, target, membership, depth):
        return self.add("m.room.member", sender, target, {"membership": membership}, depth)

    def levels(self, sender, users, depth, **fields):
        return self.add("m.room.power_levels", sender, "", {"users": users, **fields}, depth)

    def rule(self, sender, rule, depth):
        return self.add("m.room.join_rules", sender, "", {"join_rule": rule}, depth)

    def key(self, event_id):
        event = self.events[event_id]
        return (event["type"], event["state_key"])

    def base(self):
        """A room with Alice (100), Bob (50) and Carol (0) in it, open to all."""
        r = self.random
        state = [
            self.add("m.room.create", ALICE, "", {"creator": ALICE}, 1),
            self.member(ALICE, ALICE, "join", 2),
            self.levels(ALICE, {ALICE: 100, BOB: 50}, 3),
            self.rule(ALICE, r.choice(["public", "public", "invite"]), 4),
            self.member(BOB, BOB, "join", 5),
            self.member(CAROL, CAROL, "join", 6),
        ]
        return {self.key(event_id): event_id for event_id in state}

    def change(self):
        """One state event by someone, allowed or not, at a depth where ties are likely."""
        r = self.random
        sender, target, depth = r.choice(USERS), r.choice(USERS), r.randint(7, 10)
        recipe = r.randrange(9)
        if recipe <= 1:
            return self.member(target, target, r.choice(["join", "join", "leave"]), depth)
        if recipe == 2:
            return self.member(sender, target, r.choice(["ban", "leave", "invite"]), depth)
        if recipe <= 4:
            users = {ALICE: 100, BOB: r.choice([0, 50, 60, 100]), CAROL: r.choice([0, 10, 50, 100])}
            fields = {} if r.random() < 0.6 else {"state_default": r.choice([0, 50, 75])}
            return self.levels(sender, users, depth, **fields)
        if recipe == 5:
            return self.rule(sender, r.choice(["public", "invite"]), depth)
        kind = r.choice(["m.room.topic", "m.room.name"])
        return self.add(kind, sender, "", {"text": str(self.ids)}, depth)

    def fork(self, base):
        state = dict(base)
        for _ in range(self.random.randint(1, 6)):
            event_id = self.change()
            state[self.key(event_id)] = event_id
        return state


def events_of(room):
    return {
        event_id: make_event_from_dict(event, RoomVersions.V1)
        for event_id, event in room.events.items()
    }


async def record(seed):
    room = Room(seed)
    base = room.base()
    states = [room.fork(base) for _ in range(room.random.choice([2, 2, 3]))]
    events = events_of(room)

    async def find(event_ids):
        return {event_id: events[event_id] for event_id in event_ids}

    resolved = await resolve_events_with_store(
        ROOM, RoomVersions.V1, [dict(state) for state in states], None, find
    )
    used = {event_id for state in states for event_id in state.values()}
    return {
        "events": [
            {field: event[field] for field in KEPT}
            for event_id, event in room.events.items()
            if event_id in used
        ],
        "states": [sorted(state.values()) for state in states],
        "resolved": sorted(resolved.values()),
    }


async def main():
    version = importlib.metadata.version("matrix-synapse")
    cases = [await record(seed) for seed in range(CASES)]
    note = "matrix-synapse %s by tests/oracle/record_state_resolution_v1.py" % version
    lines = [json.dumps(case, separators=(",", ":"), sort_keys=True) for case in cases]
    sys.stdout.write('{"recorded_with":%s,"cases":[\n' % json.dumps(note))
    sys.stdout.write(",\n".join(lines) + "\n]}\n")


asyncio.run(main())
