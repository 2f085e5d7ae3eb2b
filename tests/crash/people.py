"""Users who write, and users who follow: what they were promised, and what they were told.

A writer keeps what the server acknowledged. A follower folds every answer of /sync that reaches it; some
answers it throws away and asks again, as a client on a bad line does.
"""

import threading
import time

from server import Api, Gone, client_path

DATA_KINDS = 4
SYNC_MS = 1_000
PAGES_MAX = 2_000


class Writer:
    """Sends messages and changes account data, one after the other, until the server is gone."""

    def __init__(self, port, user_id, token, rooms, rng):
        self.api = Api(port, token)
        self.user_id = user_id
        self.rooms = rooms
        self.rng = rng
        self.number = 0
        self.acknowledged = {}  # transaction id -> (room, event id)
        self.order = {room: [] for room in rooms}  # event ids as they were acknowledged
        self.unknown = []  # (transaction id, room) without an answer
        self.data = {}  # account-data type -> the values that may stand there (None: absent)
        self.data_count = 0
        self.complaints = []

    def run(self, stop):
        try:
            while not stop.is_set():
                if self.rng.random() < 0.25:
                    self.change_data()
                else:
                    self.number += 1
                    self.send(f"{self.user_id}-{self.number}", self.rng.choice(self.rooms))
        except Gone:
            self.api.drop()

    def send(self, transaction, room):
        self.unknown.append((transaction, room))
        path = client_path("rooms", room, "send", "m.room.message", transaction)
        status, answer = self.api.call("PUT", path, {"msgtype": "m.text", "body": transaction})
        self.unknown.pop()
        if status == 200:
            self.acknowledged[transaction] = (room, answer["event_id"])
            self.order[room].append(answer["event_id"])
        else:
            self.complaints.append(f"send {transaction}: {status} {answer}")

    def change_data(self):
        kind = f"org.example.crash{self.rng.randrange(DATA_KINDS)}"
        self.data_count += 1
        value = {"n": self.data_count}
        self.data.setdefault(kind, [None]).append(value)
        status, answer = self.api.call("PUT", client_path("user", self.user_id, "account_data", kind), value)
        if status == 200:
            self.data[kind] = [value]
        else:
            self.complaints.append(f"account data {kind}: {status} {answer}")

    def settle(self):
        """After a restart: sends again, with its transaction id, what had no answer, and reads what stands."""
        waiting, self.unknown = self.unknown, []
        for transaction, room in waiting:
            self.send(transaction, room)
        for kind, values in self.data.items():
            status, answer = self.api.call("GET", client_path("user", self.user_id, "account_data", kind))
            answer = None if status == 404 else answer
            if answer not in values:
                self.complaints.append(f"{self.user_id}: account data {kind} is {answer}, may be {values}")
            self.data[kind] = [answer]

    def verify(self, transactions):
        for transaction in transactions:
            room, event_id = self.acknowledged[transaction]
            status, event = self.api.call("GET", client_path("rooms", room, "event", event_id))
            if status != 200 or event["content"].get("body") != transaction:
                self.complaints.append(f"acknowledged and lost: {transaction} as {event_id}: {status} {event}")


class Follower:
    """Folds /sync, over cancelled and repeated requests, kills and restarts."""

    def __init__(self, port, user_id, token, rng):
        self.api = Api(port, token)
        self.user_id = user_id
        self.rng = rng
        self.since = None
        self.rooms = {}  # room -> event ids in the order they were told
        self.data = {}
        self.complaints = []
        self.thread = None

    def start(self, stop):
        self.thread = threading.Thread(target=self.run, args=(stop,), daemon=True)
        self.thread.start()

    def run(self, stop):
        while not stop.is_set():
            try:
                self.step(SYNC_MS, self.rng.random())
            except Gone:
                time.sleep(0.02)

    def step(self, timeout_ms, luck=1.0):
        """One request; with bad luck its answer is cut off or thrown away."""
        query = f"?timeout={timeout_ms}" + (f"&since={self.since}" if self.since else "")
        path = client_path("sync") + query
        status, answer = self.api.call("GET", path, timeout_s=0.01 if luck < 0.05 else 30)
        if status != 200:
            self.complaints.append(f"{self.user_id}: sync {status} {answer}")
            raise Gone("refused")
        if luck > 0.1:
            self.fold(answer)

    def fold(self, answer):
        # Everything is worked out before anything is kept: filling a gap may be cut off too.
        news = {}
        for room, part in answer.get("rooms", {}).get("join", {}).items():
            timeline = part.get("timeline", {})
            events = [event["event_id"] for event in timeline.get("events", [])]
            if timeline.get("limited"):
                events = self.fill_gap(room, timeline["prev_batch"]) + events
            news[room] = events
        for room, events in news.items():
            known = self.rooms.setdefault(room, [])
            doubled = set(known) & set(events)
            if doubled or len(set(events)) != len(events):
                self.complaints.append(f"{self.user_id}: told twice: {sorted(doubled)[:3]} since {self.since}")
            known += [event for event in events if event not in doubled]
        for event in answer.get("account_data", {}).get("events", []):
            self.data[event["type"]] = event["content"]
        self.since = answer["next_batch"]

    def fill_gap(self, room, start):
        known = set(self.rooms.get(room, []))
        found = []
        for event in read_back(self.api, room, start):
            if event["event_id"] in known:
                break
            found.append(event["event_id"])
        return found[::-1]

    def catch_up(self, wanted):
        """Syncs until the last events wanted have been told."""
        end = time.monotonic() + 30
        while any(event not in self.rooms.get(room, [])[-500:] for room, event in wanted):
            if time.monotonic() > end:
                self.complaints.append(f"{self.user_id}: was not told {wanted} in 30 s")
                return
            self.step(100)


def read_back(api, room, start=None):
    """Events of a room from `start` (or its end) back to its beginning."""
    for _ in range(PAGES_MAX):
        query = "?dir=b&limit=200" + (f"&from={start}" if start else "")
        status, page = api.call("GET", client_path("rooms", room, "messages") + query)
        if status != 200:
            raise AssertionError(f"messages of {room}: {status} {page}")
        yield from page["chunk"]
        start = page.get("end")
        if not start or not page["chunk"]:
            return
    raise AssertionError(f"{room} has no beginning within {PAGES_MAX} pages")
