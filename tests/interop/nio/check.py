"""The frame of a script: named checks, waiting with a limit, asking the runner to kill the server, and
people who sync.

Every check prints one line, `ok NAME` or `not ok NAME: why`; the runner counts them.
"""

import asyncio
import logging
import os
import sys
import time
import traceback

import nio

WAIT_S_MAX = 30
RECOVERY_S_MAX = 90
URL = os.environ["HEARTH_URL"]
PASSWORD = "a long enough pass-phrase"

# What nio logs while the server is down is no finding; only checks decide.
logging.disable(logging.CRITICAL)

_failures = []


async def check(name, body):
    """Runs one named check; True if it passed."""
    try:
        await body()
        print(f"ok {name}", flush=True)
        return True
    except Exception as error:  # noqa: BLE001 - whatever goes wrong is the finding
        where = traceback.extract_tb(error.__traceback__)[-1]
        text = f"{type(error).__name__} {error}".replace("\n", " | ")[:400]
        print(f"not ok {name}: {text} ({os.path.basename(where.filename)}:{where.lineno})", flush=True)
        _failures.append(name)
        return False


async def require(name, body):
    """A check that everything after it stands on."""
    if not await check(name, body):
        print(f'not ok everything after "{name}": it stands on that', flush=True)
        sys.exit(1)


def exit_code():
    return 1 if _failures else 0


def equal(actual, expected, what):
    if actual != expected:
        raise AssertionError(f"{what}: got {actual!r}, expected {expected!r}")


def answered(response):
    """The response, unless it is an error."""
    if isinstance(response, nio.ErrorResponse):
        raise AssertionError(f"refused: {response}")
    return response


def refused(response, errcode="M_FORBIDDEN"):
    if not isinstance(response, nio.ErrorResponse):
        raise AssertionError(f"allowed, but should be refused: {response}")
    if errcode:
        equal(response.status_code, errcode, "error code")


async def wait_for(what, ask, seconds_max=WAIT_S_MAX):
    end = time.monotonic() + seconds_max
    while True:
        answer = ask()
        if asyncio.iscoroutine(answer):
            answer = await answer
        if answer:
            return answer
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds_max} s in vain for {what}")
        await asyncio.sleep(0.02)


async def kill_server():
    """Has the runner kill the server with signal 9 and start it on its data; returns when it is up."""
    print("KILL", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)


class Person:
    """A user with one device that syncs in the background and keeps all that it was told."""

    def __init__(self, name):
        self.name = name
        self.user_id = f"@{name}:localhost"
        self.client = nio.AsyncClient(URL, self.user_id, config=nio.AsyncClientConfig(
            encryption_enabled=False, max_timeout_retry_wait_time=1))
        self.events = {}  # room -> timeline events in the order of arrival
        self.joined = set()  # nio itself keeps rooms that were left
        self.ephemeral = []
        self.presence = {}
        self.task = None

    async def register(self):
        self.took(await self.client.register(self.name, PASSWORD, "nio"))
        return self

    async def login(self):
        self.took(await self.client.login(PASSWORD, "nio"))
        return self

    def took(self, response):
        answered(response)
        equal(response.user_id, self.user_id, "user id")

    async def sync_once(self, timeout_ms=0, sync_filter=None):
        response = answered(await self.client.sync(timeout_ms, sync_filter=sync_filter))
        for room_id, room in list(response.rooms.join.items()) + list(response.rooms.leave.items()):
            self.events.setdefault(room_id, []).extend(room.timeline.events)
        self.joined -= set(response.rooms.leave)
        self.joined |= set(response.rooms.join)
        for room_id, room in response.rooms.join.items():
            self.ephemeral += [(room_id, event) for event in room.ephemeral]
        for event in response.presence_events:
            self.presence[event.user_id] = event
        return response

    async def start(self):
        # Room for all that is said while the server is away, so that there is no gap to fill.
        sync_filter = {"room": {"timeline": {"limit": 200}}}
        await self.sync_once(0, sync_filter)

        async def run():
            while True:
                try:
                    await self.sync_once(10_000, sync_filter)
                except AssertionError:
                    await asyncio.sleep(0.5)  # An answer of a server that is going down.
                except Exception as error:  # noqa: BLE001 - nio refuses what it cannot read
                    text = f"{type(error).__name__} {error}".replace("\n", " | ")[:600]
                    print(f"not ok nio understands what {self.name} is told: {text}", flush=True)
                    _failures.append("sync")
                    return

        self.task = asyncio.create_task(run())
        return self

    async def stop(self):
        if self.task:
            self.task.cancel()
        await self.client.close()

    def bodies(self, room_id):
        """Bodies of the messages of a room, in the order of arrival."""
        events = self.events.get(room_id, [])
        return [event.body for event in events if isinstance(event, nio.RoomMessageText)]

    def event(self, room_id, event_id):
        found = [event for event in self.events.get(room_id, []) if event.event_id == event_id]
        return found[0] if found else None

    def membership_of(self, room_id, user_id):
        room = self.client.rooms.get(room_id)
        return room and user_id in room.users and "join"

    async def say(self, room_id, body, **content):
        response = await self.client.room_send(
            room_id, "m.room.message", {"msgtype": "m.text", "body": body, **content})
        return answered(response).event_id

    async def raw(self, method, path, data=None):
        """A call that nio has no function for: status and JSON."""
        headers = {"Authorization": f"Bearer {self.client.access_token}", "Content-Type": "application/json"}
        response = await self.client.send(method, f"/_matrix/client/v3{path}", data, headers)
        return response.status, await response.json()


async def make_pair(first_name, second_name):
    """Two people who sync, and a room with both in it."""
    first, second = Person(first_name), Person(second_name)
    for person in (first, second):
        await person.register()
        await person.start()
    room_id = answered(await first.client.room_create(
        preset=nio.RoomPreset.private_chat, invite=[second.user_id])).room_id
    answered(await second.client.join(room_id))
    await wait_for("the room", lambda: room_id in second.joined)
    await wait_for("the second to be seen", lambda: first.membership_of(room_id, second.user_id))
    return first, second, room_id
