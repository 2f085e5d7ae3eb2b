"""The session of docs/websocket.md, frame by frame: every `op`, both ends of a restart, and the way back to HTTP."""

import asyncio
import sys
import urllib.request
from urllib.parse import quote

from client import (URL, Person, Socket, ask_runner, check, equal, exit_code, http, note, require, texts, until)

alice = bob = room = socket = position = None


async def do_discovery():
    versions = await require("GET", "/versions")
    equal(versions["unstable_features"]["chat.hearth.websocket"], True, "the extension")
    limits = (await require("GET", "/v3/capabilities", token=alice.token))["capabilities"]["chat.hearth.websocket"]
    names = {"frame_bytes_max", "calls_in_flight_max", "ack_window_frames", "ack_window_bytes"}
    equal(set(limits), names, "limits")


async def do_open():
    global socket
    socket, hello = await Socket.open(alice)
    limits = (await require("GET", "/v3/capabilities", token=alice.token))["capabilities"]["chat.hearth.websocket"]
    equal((hello["heartbeat_ms"], hello["limits"]), (30_000, limits), "the greeting")


async def do_sync():
    global position
    note("\n   The client has synced over HTTP before. Its page is called p7 (random).")
    position = (await alice.sync())["next_batch"]
    await socket.sync("a", "p7", position)
    body = await socket.body("a", 1)
    equal("rooms" in body, False, "nothing is new")
    position = body["next_batch"]


async def do_push():
    global position
    note("\n   Somebody writes.")
    await bob.say(room, "Are you there?")
    body = await socket.body("a", 2)
    equal(texts(body, room), ["Are you there?"], "messages")
    equal(await alice.sync(position), body, "what HTTP answers from the same position")
    position = body["next_batch"]


async def do_call():
    global position
    note("\n   The client answers, and reads what it said as everybody else does.")
    content = {"msgtype": "m.text", "body": "Hello"}
    path = f"/v3/rooms/{quote(room)}/send/m.room.message/t1"
    id = await socket.start_call("PUT", path, content)
    # The reply and the body come in any order.
    frames = {frame["op"]: frame for frame in [await socket.next(), await socket.next()]}
    equal(set(frames), {"reply", "sync"}, "frames")
    await socket.ack(frames["sync"])
    equal((frames["reply"]["id"], frames["reply"]["status"]), (id, 200), "the reply")
    equal(frames["reply"]["headers"]["content-type"], "application/json", "its header")
    equal(texts(frames["sync"]["body"], room), ["Hello"], "messages")
    equal(await require("PUT", path, content, alice.token), frames["reply"]["body"], "the same event over HTTP")
    position = frames["sync"]["body"]["next_batch"]


async def do_renew():
    note("\n   Its token is about to run out. It has got another one (POST /refresh, over HTTP).")
    alice.token = (await require("POST", "/v3/refresh", {"refresh_token": alice.refresh_token}))["access_token"]
    await socket.authenticate(alice)


async def do_heartbeat():
    note("\n   Nothing happens for a while.")
    await socket.send(op="ping")
    await socket.expect("pong")


async def do_restart():
    global socket, position
    note("\n   The server is restarted.")
    restarting = asyncio.create_task(ask_runner("RESTART"))
    bye = await socket.expect("bye")
    equal(0 <= bye["after_ms"] < 60_000, True, f"the pause of {bye}")
    equal(await socket.code(), 1012, "code")
    await restarting
    await asyncio.sleep(bye["after_ms"] / 1000)
    note("\n   On a new socket, after that time; nothing is lost or told twice.")
    socket, _ = await Socket.open(alice)
    await socket.sync("b", "p7", position)
    body = await socket.body("b", 1)
    equal(texts(body, room), [], "messages")
    await bob.say(room, "Welcome back")
    body = await socket.body("b", 2)
    equal(texts(body, room), ["Welcome back"], "messages")
    position = body["next_batch"]
    note("\n   It has what it wanted.")
    await socket.send(op="stop", id="b")


async def do_side_by_side():
    asked = set()
    for _ in range(20):
        asked.add(await socket.start_call("GET", "/v3/joined_rooms"))
    while asked:
        frame = await socket.expect("reply", status=200)
        equal(frame["body"], {"joined_rooms": [room]}, "rooms")
        asked.remove(frame["id"])


async def do_refusals():
    for method, path in [("POST", "/v3/logout"), ("GET", f"/v3/rooms/{quote(room)}/messages?dir=b"),
                         ("GET", "/v3/sync"), ("GET", "/v3/account/whoami"), ("GET", "/v1/media/config")]:
        id = await socket.start_call(method, path)
        frame = await socket.expect("reply", id=id, status=400)
        equal("HTTP" in frame["body"]["error"], True, f"{path}: {frame}")
    await socket.send(op="sync", id="x", conn_id="p8", path="/_matrix/client/v3/sync")
    equal((await socket.expect("error", id="x"))["status"], 400, "a sync without a position")
    id = await socket.start_call("GET", "/v3/profile/%40nobody%3Alocalhost")
    equal((await socket.expect("reply", id=id))["body"]["errcode"], "M_NOT_FOUND", "what HTTP says too")
    id = await socket.start_call("GET", "/v3/joined_rooms")
    await socket.send(op="cancel", id=id)
    await socket.send(op="ping")
    while (await socket.next())["op"] != "pong":
        pass


async def do_window():
    global position
    await socket.sync("w", "p7", position)
    unprocessed = [await socket.expect("sync", id="w", seq=1)]
    heard = []
    for number in range(8):
        await bob.say(room, str(number))
        if len(unprocessed) < 4:
            unprocessed.append(await socket.expect("sync", id="w", seq=len(unprocessed) + 1))
    await socket.expect_nothing()
    for frame in unprocessed:
        heard += texts(frame["body"], room)
    await socket.ack(unprocessed[-1])
    while len(heard) < 8:
        body = await socket.body("w")
        heard += texts(body, room)
        position = body["next_batch"]
    equal(heard, [str(number) for number in range(8)], "messages")


async def do_refresh():
    phone = await alice.log_in_again(refresh_token=True)
    other, _ = await Socket.open(phone)
    fresh = await require("POST", "/v3/refresh", {"refresh_token": phone.refresh_token})
    old, phone.token = phone.token, fresh["access_token"]
    await other.authenticate(phone)
    equal((await asyncio.to_thread(http, "GET", "/v3/joined_rooms", None, old))[0], 401, "the old token")
    id = await other.start_call("GET", "/v3/joined_rooms")
    await other.expect("reply", id=id, status=200)
    await require("POST", "/v3/logout", {}, phone.token)
    equal(await other.code(), 4401, "code after the logout")
    status, answer = await asyncio.to_thread(http, "GET", "/v3/joined_rooms", None, phone.token)
    equal((status, answer["errcode"]), (401, "M_UNKNOWN_TOKEN"), "what HTTP says of it")


async def do_close_codes():
    tablet = await alice.log_in_again()
    for what, expected, frame in [
        ("a bad frame", 4400, {"op": "dance"}),
        ("another device's token", 4403, {"op": "auth", "token": tablet.token}),
        ("too large a frame", 4413, {"op": "ping", "x": "x" * 140_000}),
    ]:
        other, _ = await Socket.open(alice)
        await other.send(**frame)
        equal(await other.code(), expected, what)
    silent = await Socket.connect()
    stranger = await Socket.connect()
    await stranger.send(op="auth", token="nobody")
    equal(await stranger.code(), 4401, "a stranger")
    newer, _ = await Socket.open(alice)
    await newer.sync("n", "p7", position)
    await newer.body("n", 1)
    equal(await socket.code(), 4409, "the older socket of the page")
    equal(await silent.code(), 4408, "who says nothing")
    await newer.close()
    native = await Socket.connect(tablet.token)
    await native.expect("hello", device_id=tablet.device_id)
    await native.close()


async def do_lost_socket():
    """The server dies; the client goes on over HTTP with its position, and comes back to the socket later."""
    global socket, position
    socket, _ = await Socket.open(alice)
    await socket.sync("l", "p7", position)
    position = (await socket.body("l", 1))["next_batch"]
    dying = asyncio.create_task(ask_runner("KILL"))
    equal((await socket.code()) in (None, 1006), True, "no good-bye")
    await dying

    async def is_up():
        try:
            return (await asyncio.to_thread(http, "GET", "/versions"))[0] == 200
        except OSError:
            return False

    await until(is_up, "the server")
    await bob.say(room, "over HTTP")
    body = await alice.sync(position, 10_000)
    equal(texts(body, room), ["over HTTP"], "messages")
    socket, _ = await Socket.open(alice)
    await socket.sync("m", "p7", body["next_batch"])
    equal(texts(await socket.body("m", 1), room), [], "messages")
    await bob.say(room, "over the socket")
    body = await socket.body("m", 2)
    equal(texts(body, room), ["over the socket"], "messages")
    position = body["next_batch"]
    await socket.close()


async def do_event_stream():
    def read(headers, events):
        request = urllib.request.Request(f"{URL}/_matrix/client/v3/sync?since={quote(position)}", headers={
            "Accept": "text/event-stream", "Authorization": f"Bearer {alice.token}", **headers})
        found, last = [], None
        with urllib.request.urlopen(request, timeout=30) as stream:
            equal(stream.headers["Content-Type"], "text/event-stream", "what it is")
            while len(found) < events:
                name, _, value = stream.readline().decode().rstrip("\n").partition(": ")
                if name == "id":
                    last = value
                elif name == "data":
                    found.append((last, value))
        return found

    reading = asyncio.create_task(asyncio.to_thread(read, {}, 2))
    await asyncio.sleep(1)
    await bob.say(room, "streamed")
    _, (last, data) = await reading
    equal("streamed" in data and last in data, True, "the second event")
    [(_, data)] = await asyncio.to_thread(read, {"Last-Event-ID": last}, 1)
    equal("streamed" in data, False, "an event after the last one")


async def main():
    global alice, bob, room
    registered, bob = await Person.register("alice"), await Person.register("bob")
    alice = await registered.log_in_again(refresh_token=True)
    room = await alice.make_room_with(bob)
    for name, body in list(globals().items()):
        if name.startswith("do_"):
            await check(f"socket {name[3:].replace('_', ' ')}", body)
    return exit_code()


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
