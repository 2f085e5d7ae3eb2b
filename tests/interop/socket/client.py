"""A client of the WebSocket extension, written from docs/websocket.md alone, with the package `websockets`.

With HEARTH_TRANSCRIPT every frame is written into that file: `>` is the client, `<` the server.
"""

import asyncio
import itertools
import json
import os
import secrets
import sys
import time
import traceback
import urllib.error
import urllib.request
from urllib.parse import quote

import websockets

WAIT_S_MAX = 30
URL = os.environ["HEARTH_URL"]
PASSWORD = "a long enough pass-phrase"
SUBPROTOCOL = "chat.hearth.v1.json"
CONNECT = URL.replace("http", "ws", 1) + "/_matrix/client/unstable/chat.hearth.websocket/connect"

_failures = []
_transcript = open(os.environ["HEARTH_TRANSCRIPT"], "w") if "HEARTH_TRANSCRIPT" in os.environ else None


async def check(name, body):
    """Runs one named check and prints its one line."""
    try:
        await body()
        print(f"ok {name}", flush=True)
    except Exception as error:  # noqa: BLE001 - whatever goes wrong is the finding
        where = traceback.extract_tb(error.__traceback__)[-1]
        text = f"{type(error).__name__} {error}".replace("\n", " | ")[:400]
        print(f"not ok {name}: {text} ({os.path.basename(where.filename)}:{where.lineno})", flush=True)
        _failures.append(name)


def exit_code():
    return 1 if _failures else 0


def equal(actual, expected, what):
    if actual != expected:
        raise AssertionError(f"{what}: got {actual!r}, expected {expected!r}")


def note(line):
    if _transcript:
        print(line, file=_transcript, flush=True)


async def ask_runner(word):
    """KILL: the server dies by signal 9 and is started again; RESTART: it is stopped as an operator does."""
    print(word, flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)


def http(method, path, body=None, token=None, headers=None):
    """A request: its status and JSON."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(URL + "/_matrix/client" + path, data, headers or {}, method=method)
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    if data is not None:
        request.add_header("Content-Type", "application/json")
    try:
        with urllib.request.urlopen(request, timeout=WAIT_S_MAX) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


async def require(method, path, body=None, token=None):
    """The JSON of a request that has to succeed."""
    status, answer = await asyncio.to_thread(http, method, path, body, token)
    equal(status, 200, f"{method} {path}: {answer}")
    return answer


class Person:
    """Somebody with one device, who talks over HTTP."""

    def __init__(self, answer):
        self.user_id, self.device_id = answer["user_id"], answer["device_id"]
        self.token, self.refresh_token = answer["access_token"], answer.get("refresh_token")

    @classmethod
    async def register(cls, name):
        body = {"username": name, "password": PASSWORD, "auth": {"type": "m.login.dummy"}}
        return cls(await require("POST", "/v3/register", body))

    async def log_in_again(self, **more):
        identifier = {"type": "m.id.user", "user": self.user_id}
        body = {"type": "m.login.password", "identifier": identifier, "password": PASSWORD, **more}
        return Person(await require("POST", "/v3/login", body))

    async def make_room_with(self, other):
        room = (await require("POST", "/v3/createRoom", {"invite": [other.user_id]}, self.token))["room_id"]
        await require("POST", f"/v3/join/{quote(room)}", {}, other.token)
        return room

    async def say(self, room, text):
        path = f"/v3/rooms/{quote(room)}/send/m.room.message/{secrets.token_hex(8)}"
        return (await require("PUT", path, {"msgtype": "m.text", "body": text}, self.token))["event_id"]

    async def sync(self, since=None, timeout_ms=0):
        query = f"?timeout={timeout_ms}" + (f"&since={quote(since)}" if since else "")
        return await require("GET", "/v3/sync" + query, token=self.token)


class Closed(Exception):
    """The socket is closed; with its code, None where there was none."""

    def __init__(self, code):
        super().__init__(f"closed with {code}")
        self.code = code


class Socket:
    """One socket, with one frame after another."""

    def __init__(self, connection):
        self.connection = connection
        self.ids = itertools.count(1)

    @classmethod
    async def connect(cls, token=None):
        """Opens it; a native client says who it is by a header, a browser by its first frame."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return cls(await websockets.connect(CONNECT, subprotocols=[SUBPROTOCOL], additional_headers=headers,
                                            compression=None, max_size=None))

    @classmethod
    async def open(cls, person):
        socket = await cls.connect()
        return socket, await socket.authenticate(person)

    async def authenticate(self, person):
        await self.send(op="auth", token=person.token)
        return await self.expect("hello", user_id=person.user_id, device_id=person.device_id)

    async def send(self, **frame):
        text = json.dumps(frame, separators=(",", ":"))
        note(f"> {text}")
        try:
            await self.connection.send(text)
        except websockets.ConnectionClosed as closed:
            raise Closed(closed.rcvd.code if closed.rcvd else None) from None

    async def next(self):
        try:
            text = await asyncio.wait_for(self.connection.recv(), WAIT_S_MAX)
        except websockets.ConnectionClosed as closed:
            code = closed.rcvd.code if closed.rcvd else None
            note(f"< close {code}")
            raise Closed(code) from None
        note(f"< {text}")
        return json.loads(text)

    async def expect(self, op, **fields):
        frame = await self.next()
        got = {name: frame.get(name) for name in ("op", *fields)}
        equal(got, {"op": op, **fields}, f"a frame {str(frame)[:300]}")
        return frame

    async def expect_nothing(self, seconds=0.5):
        try:
            frame = await asyncio.wait_for(self.connection.recv(), seconds)
        except asyncio.TimeoutError:
            return
        raise AssertionError(f"something came: {frame[:300]}")

    async def code(self):
        """The code with which the server closes it, whatever comes before."""
        try:
            while True:
                await self.next()
        except Closed as closed:
            return closed.code

    async def sync(self, id, conn_id, since):
        await self.send(op="sync", id=id, conn_id=conn_id, path=f"/_matrix/client/v3/sync?since={quote(since)}")

    async def ack(self, frame):
        await self.send(op="ack", id=frame["id"], seq=frame["seq"])

    async def body(self, id, seq=None):
        """The next body, processed at once."""
        fields = {"id": id} if seq is None else {"id": id, "seq": seq}
        frame = await self.expect("sync", **fields)
        await self.ack(frame)
        return frame["body"]

    async def start_call(self, method, path, body=None):
        id = str(next(self.ids))
        more = {} if body is None else {"body": body}
        await self.send(op="call", id=id, method=method, path="/_matrix/client" + path, **more)
        return id

    async def close(self):
        await self.connection.close()


def texts(body, room):
    """The messages of a room in a body."""
    joined = body.get("rooms", {}).get("join", {}).get(room, {})
    return [event["content"].get("body") for event in joined.get("timeline", {}).get("events", [])
            if event["type"] == "m.room.message"]


async def until(ask, what):
    """Asks again and again until the answer is true."""
    end = time.monotonic() + WAIT_S_MAX
    while not await ask():
        if time.monotonic() > end:
            raise AssertionError(f"waited in vain for {what}")
        await asyncio.sleep(0.05)
