"""Two people talk, by matrix-nio 0.26. The server is killed in the middle."""

import asyncio
import json
import sys
from urllib.parse import quote

import nio
from check import (
    RECOVERY_S_MAX, URL, Person, answered, check, equal, exit_code, kill_server, refused, require, wait_for,
)

ann, ben = Person("ann"), Person("ben")
room_id = None


async def do_register():
    await ann.register()
    await ben.register()


async def do_name_taken():
    refused(await nio.AsyncClient(URL).register("ann", "something else"), "M_USER_IN_USE")


async def do_login_logout():
    second = await Person("ann").login()
    equal(answered(await second.client.whoami()).user_id, ann.user_id, "whoami")
    answered(await second.client.update_device(second.client.device_id, {"display_name": "the second"}))
    devices = answered(await ann.client.devices()).devices
    equal(sorted(device.display_name for device in devices), ["nio", "the second"], "devices")
    answered(await second.client.logout())
    equal(len(answered(await ann.client.devices()).devices), 1, "devices after logout")
    await second.stop()
    wrong = nio.AsyncClient(URL, ann.user_id)
    refused(await wrong.login("wrong"))
    await wrong.close()


async def do_start():
    await ann.start()
    await ben.start()


async def do_create():
    global room_id
    response = answered(await ann.client.room_create(
        name="Talk", topic="This and that", preset=nio.RoomPreset.private_chat, invite=[ben.user_id]))
    room_id = response.room_id
    await wait_for("the invite", lambda: room_id in ben.client.invited_rooms)
    equal(ben.client.invited_rooms[room_id].name, "Talk", "name in the invite")
    answered(await ben.client.join(room_id))
    await wait_for("the room", lambda: room_id in ben.joined)
    await wait_for("ann to see ben", lambda: ann.membership_of(room_id, ben.user_id))


async def do_talk():
    expected = []
    for n in range(10):
        await (ben if n % 2 else ann).say(room_id, f"talk {n}")
        expected.append(f"talk {n}")
    for person in (ann, ben):
        await wait_for("the last message", lambda: "talk 9" in person.bodies(room_id))
        equal(person.bodies(room_id), expected, person.name)


async def do_same_transaction():
    content = {"msgtype": "m.notice", "body": "same"}
    first = answered(await ann.client.room_send(room_id, "m.room.message", content, tx_id="same"))
    second = answered(await ann.client.room_send(room_id, "m.room.message", content, tx_id="same"))
    equal(first.event_id, second.event_id, "event id")


async def do_edit():
    original = await ann.say(room_id, "befor")
    edit = await ann.say(room_id, "* before", **{
        "m.new_content": {"msgtype": "m.text", "body": "before"},
        "m.relates_to": {"rel_type": "m.replace", "event_id": original}})
    seen = await wait_for("the edit", lambda: ben.event(room_id, edit))
    equal(seen.source["content"]["m.relates_to"]["event_id"], original, "target")


async def do_react():
    target = await ann.say(room_id, "like this")
    content = {"m.relates_to": {"rel_type": "m.annotation", "event_id": target, "key": "👍"}}
    reaction = answered(await ben.client.room_send(room_id, "m.reaction", content)).event_id
    seen = await wait_for("the reaction", lambda: ann.event(room_id, reaction))
    equal((seen.reacts_to, seen.key), (target, "👍"), "reaction")


async def do_redact():
    target = await ann.say(room_id, "a slip")
    answered(await ann.client.room_redact(room_id, target, reason="a slip"))

    def redactions():
        events = ben.events.get(room_id, [])
        return [event for event in events if isinstance(event, nio.RedactionEvent) and event.redacts == target]

    await wait_for("the redaction", redactions)
    event = answered(await ben.client.room_get_event(room_id, target)).event
    if not isinstance(event, nio.RedactedEvent):
        raise AssertionError(f"still readable: {event}")
    equal(event.reason, "a slip", "reason")


async def do_typing():
    answered(await ann.client.room_typing(room_id, True, 20_000))
    await wait_for("typing", lambda: ann.user_id in ben.client.rooms[room_id].typing_users)
    answered(await ann.client.room_typing(room_id, False))
    await wait_for("its end", lambda: ann.user_id not in ben.client.rooms[room_id].typing_users)


async def do_receipts():
    event_id = await ann.say(room_id, "read me")
    answered(await ben.client.update_receipt_marker(room_id, event_id))
    await wait_for("the receipt", lambda: any(
        receipt.event_id == event_id and receipt.user_id == ben.user_id
        for _, event in ann.ephemeral if isinstance(event, nio.ReceiptEvent) for receipt in event.receipts))


async def do_presence():
    answered(await ann.client.set_presence("unavailable", "at lunch"))
    await wait_for("presence", lambda: ann.user_id in ben.presence and ben.presence[ann.user_id].status_msg == "at lunch")
    equal(answered(await ben.client.get_presence(ann.user_id)).status_msg, "at lunch", "status")


async def do_profile():
    answered(await ann.client.set_displayname("Ann Other"))
    equal(answered(await ben.client.get_displayname(ann.user_id)).displayname, "Ann Other", "name")
    answered(await ann.client.set_avatar("mxc://localhost/face"))
    equal(answered(await ben.client.get_profile(ann.user_id)).avatar_url, "mxc://localhost/face", "avatar")
    await wait_for("the name in the room", lambda: ben.client.rooms[room_id].user_name(ann.user_id) == "Ann Other")


async def do_account_data():
    user, room = quote(ann.user_id), quote(room_id)
    for path in (f"/user/{user}/account_data/org.example.colour", f"/user/{user}/rooms/{room}/account_data/org.example.note"):
        equal(await ann.raw("PUT", path, json.dumps({"is": path})), (200, {}), "put")
        equal(await ann.raw("GET", path), (200, {"is": path}), "get")
        equal((await ben.raw("GET", path))[0], 403, "another's")


async def do_filters():
    made = answered(await ann.client.upload_filter(room={"timeline": {"limit": 1}, "state": {"lazy_load_members": True}}))
    fresh = await Person("ann").login()
    response = await fresh.sync_once(0, made.filter_id)
    timeline = response.rooms.join[room_id].timeline
    equal((len(timeline.events), timeline.limited), (1, True), "timeline")
    await fresh.stop()


async def do_state():
    answered(await ann.client.room_put_state(room_id, "m.room.topic", {"topic": "Something else"}))
    await wait_for("the topic", lambda: ben.client.rooms[room_id].topic == "Something else")
    equal(answered(await ben.client.room_get_state_event(room_id, "m.room.topic")).content["topic"], "Something else", "topic")
    members = answered(await ben.client.joined_members(room_id)).members
    equal(sorted(member.user_id for member in members), [ann.user_id, ben.user_id], "members")
    refused(await ben.client.room_put_state(room_id, "m.room.topic", {"topic": "not mine to set"}))


async def do_stranger():
    stranger = await Person("zed").register()
    refused(await stranger.client.room_get_state(room_id))
    refused(await stranger.client.join(room_id))
    refused(await stranger.client.room_send(room_id, "m.room.message", {"msgtype": "m.text", "body": "hello"}))
    await stranger.stop()


async def do_leave_kick_ban():
    response = answered(await ann.client.room_create(preset=nio.RoomPreset.public_chat))
    other = response.room_id

    async def join():
        answered(await ben.client.join(other))
        await wait_for("the room", lambda: other in ben.joined)

    async def is_out():
        await wait_for("the leave", lambda: other not in ben.joined)

    await join()
    answered(await ben.client.room_leave(other))
    await is_out()
    await join()
    answered(await ann.client.room_kick(other, ben.user_id, "out"))
    await is_out()
    refused(await ben.client.room_send(other, "m.room.message", {"msgtype": "m.text", "body": "still here"}))
    answered(await ann.client.room_ban(other, ben.user_id, "for good"))
    refused(await ben.client.join(other), None)
    answered(await ann.client.room_unban(other, ben.user_id))
    await join()


async def read_back(person, room, start):
    """All text messages by /messages, oldest first."""
    bodies = []
    while start:
        page = answered(await person.client.room_messages(room, start, limit=10))
        bodies += [event.body for event in page.chunk if isinstance(event, nio.RoomMessageText)]
        start = page.end
    return bodies[::-1]


async def do_paginate():
    other = answered(await ann.client.room_create(preset=nio.RoomPreset.public_chat)).room_id
    expected = [f"page {n}" for n in range(60)]
    for body in expected:
        await ann.say(other, body)
    answered(await ben.client.join(other))
    fresh = await Person("ben").login()
    response = await fresh.sync_once(0, {"room": {"timeline": {"limit": 5}}})
    timeline = response.rooms.join[other].timeline
    equal(timeline.limited, True, "limited")
    older = await read_back(fresh, other, timeline.prev_batch)
    equal(older + fresh.bodies(other), expected, "messages")
    await fresh.stop()


async def do_kill():
    said = {}
    restarts = []

    async def talk(person):
        for n in range(30):
            body = f"{person.name} {n}"
            # nio itself tries again with the same transaction id while there is no connection.
            said[body] = await person.say(room_id, body)
            if person is ann and n == 10:
                restarts.append(asyncio.create_task(kill_server()))
                await asyncio.sleep(0)

    await asyncio.gather(talk(ann), talk(ben))
    await asyncio.gather(*restarts)
    equal(len(said), 60, "acknowledged")
    for person in (ann, ben):
        mine = lambda: [body for body in person.bodies(room_id) if body in said]
        await wait_for("all messages", lambda: len(set(mine())) == len(said), RECOVERY_S_MAX)
        equal(len(mine()), len(said), f"messages seen by {person.name}")
    fresh = await Person("ann").login()
    response = await fresh.sync_once(0, {"room": {"timeline": {"limit": 5}}})
    older = await read_back(fresh, room_id, response.rooms.join[room_id].timeline.prev_batch)
    bodies = [body for body in older + fresh.bodies(room_id) if body in said]
    equal(sorted(bodies), sorted(said), "messages read back from the server")
    for body, event_id in said.items():
        equal(answered(await fresh.client.room_get_event(room_id, event_id)).event.body, body, event_id)
    await fresh.stop()


async def do_after_kill():
    path = f"/user/{quote(ann.user_id)}/account_data/org.example.colour"
    equal((await ann.raw("GET", path))[0], 200, "account data")
    equal(answered(await ben.client.get_displayname(ann.user_id)).displayname, "Ann Other", "name")
    event_id = await ben.say(room_id, "still there?")
    await wait_for("the message", lambda: ann.event(room_id, event_id))


async def do_logout_all():
    answered(await ann.client.logout(all_devices=True))
    status, body = await ben.raw("POST", "/logout/all", "{}")
    equal((status, body), (200, {}), "logout")
    equal((await ben.raw("GET", "/account/whoami"))[1]["errcode"], "M_UNKNOWN_TOKEN", "whoami")


async def main():
    await require("register", do_register)
    await check("a name can be taken only once", do_name_taken)
    await check("login, devices, logout", do_login_logout)
    await require("first sync", do_start)
    await require("create a room, invite, join", do_create)
    await check("talk, in order, each message once", do_talk)
    await check("the same transaction id is the same event", do_same_transaction)
    await check("edit", do_edit)
    await check("react", do_react)
    await check("redact", do_redact)
    await check("typing", do_typing)
    await check("receipts", do_receipts)
    await check("presence", do_presence)
    await check("profile", do_profile)
    await check("account data, of the user and of the room", do_account_data)
    await check("filters", do_filters)
    await check("state, members", do_state)
    await check("a stranger reads nothing", do_stranger)
    await check("leave, kick, ban, unban", do_leave_kick_ban)
    await check("paginate back to the beginning, each message once", do_paginate)
    await check("kill -9 in the middle: nothing lost, nothing doubled", do_kill)
    await check("what was set outlives the kill, talk goes on", do_after_kill)
    await check("logout everywhere", do_logout_all)
    await ann.stop()
    await ben.stop()


asyncio.run(main())
sys.exit(exit_code())
