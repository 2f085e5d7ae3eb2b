"""The nio half of a conversation with a matrix-js-sdk user (crossing.mjs); this one makes the room."""

import asyncio
import sys
from urllib.parse import quote

import nio
from check import RECOVERY_S_MAX, Person, answered, check, equal, exit_code, kill_server, require, wait_for

me = Person("nia")
OTHER = "@jessie:localhost"
room_id = None


async def do_start():
    await me.register()
    await me.start()
    answered(await me.client.set_displayname("Nio"))


async def do_create():
    global room_id

    async def registered():
        return (await me.raw("GET", f"/profile/{quote(OTHER)}"))[0] == 200

    await wait_for("the other to register", registered)
    response = answered(await me.client.room_create(preset=nio.RoomPreset.private_chat, invite=[OTHER]))
    room_id = response.room_id
    await wait_for("the other to join", lambda: me.membership_of(room_id, OTHER) and any(
        isinstance(event, nio.RoomMemberEvent) and event.state_key == OTHER and event.membership == "join"
        for event in me.events.get(room_id, [])))


async def do_talk():
    hello = await me.say(room_id, "hello from nio")
    answer = await wait_for("the answer", lambda: [
        event for event in me.events[room_id] if getattr(event, "body", None) == "hello from js-sdk"])
    equal(answer[0].source["content"]["m.relates_to"]["m.in_reply_to"]["event_id"], hello, "reply to")
    await wait_for("the reaction", lambda: [
        event for event in me.events[room_id] if isinstance(event, nio.ReactionEvent) and event.reacts_to == hello])
    await wait_for("the receipt", lambda: any(
        receipt.user_id == OTHER for _, event in me.ephemeral if isinstance(event, nio.ReceiptEvent)
        for receipt in event.receipts))


async def do_change():
    original = await me.say(room_id, "spelt wrogn")
    await me.say(room_id, "* spelt right", **{
        "m.new_content": {"msgtype": "m.text", "body": "spelt right"},
        "m.relates_to": {"rel_type": "m.replace", "event_id": original}})
    slip = await me.say(room_id, "a slip")
    answered(await me.client.room_redact(room_id, slip))
    answered(await me.client.update_room_topic(room_id, "Crossing"))


async def do_count():
    for n in range(20):
        await me.say(room_id, f"nio {n}")
        if n == 8:
            await kill_server()
    count = lambda name: len([body for body in me.bodies(room_id) if body.startswith(f"{name} ")])
    await wait_for("js-sdk's last", lambda: "js-sdk 19" in me.bodies(room_id), RECOVERY_S_MAX)
    equal((count("js-sdk"), count("nio")), (20, 20), "messages")


async def do_kick():
    await asyncio.sleep(1)
    answered(await me.client.room_kick(room_id, OTHER))
    await wait_for("the leave", lambda: not me.membership_of(room_id, OTHER))


async def main():
    await require("nio: register and sync", do_start)
    await require("nio: js-sdk joins on the invite", do_create)
    await check("nio: sees js-sdk's answer, reaction and receipt", do_talk)
    await check("nio: edits, redacts, sets the topic", do_change)
    await check("nio: both count to twenty, over a kill -9", do_count)
    await check("nio: kicks js-sdk", do_kick)
    await me.stop()


asyncio.run(main())
sys.exit(exit_code())
