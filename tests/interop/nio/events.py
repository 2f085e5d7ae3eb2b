"""What is said about what was said, and how it is read again, by matrix-nio 0.26."""

import asyncio
import sys

import nio
from check import answered, check, equal, exit_code, make_pair, require, wait_for
from nio.api import MessageDirection, ReceiptType, RelationshipType, ThreadInclusion

amy = bob = room_id = None


def related(kind, event_id, **more):
    return {"m.relates_to": {"rel_type": kind, "event_id": event_id, **more}}


async def bodies_of(events):
    return [event.body async for event in events]


async def do_pair():
    global amy, bob, room_id
    amy, bob, room_id = await make_pair("amy", "bo")


async def do_reply():
    question = await amy.say(room_id, "what is it?")
    answer = await bob.say(room_id, "a server", **{"m.relates_to": {"m.in_reply_to": {"event_id": question}}})
    seen = await wait_for("the answer", lambda: amy.event(room_id, answer))
    equal(seen.source["content"]["m.relates_to"]["m.in_reply_to"]["event_id"], question, "what it replies to")


async def do_edits():
    target = await amy.say(room_id, "one")
    for body in ("two", "three"):
        await amy.say(room_id, f"* {body}", **{"m.new_content": {"msgtype": "m.text", "body": body}},
                      **related("m.replace", target))
    stored = answered(await bob.client.room_get_event(room_id, target)).event
    edit = stored.source["unsigned"]["m.relations"]["m.replace"]
    equal((stored.body, edit["content"]["m.new_content"]["body"]), ("one", "three"), "bodies")
    edits = bob.client.room_get_event_relations(room_id, target, RelationshipType.replacement, "m.room.message")
    equal(await bodies_of(edits), ["* three", "* two"], "edits, the newest first")


async def do_reactions():
    target = await amy.say(room_id, "who likes this?")
    for person, key in ((amy, "👍"), (bob, "👍"), (bob, "🎉")):
        answered(await person.client.room_send(room_id, "m.reaction", related("m.annotation", target, key=key)))
    found = bob.client.room_get_event_relations(
        room_id, target, RelationshipType.annotation, "m.reaction", MessageDirection.front)
    equal([(event.sender, event.key) async for event in found],
          [(amy.user_id, "👍"), (bob.user_id, "👍"), (bob.user_id, "🎉")], "reactions, the oldest first")


async def do_threads():
    roots = [await amy.say(room_id, body) for body in ("apart", "further apart")]
    for root in roots:
        for n in range(3):
            await bob.say(room_id, f"reply {n}", **related("m.thread", root))
    await amy.say(room_id, "one more", **related("m.thread", roots[0]))
    replies = amy.client.room_get_event_relations(room_id, roots[1], RelationshipType.thread, limit=2)
    equal(await bodies_of(replies), ["reply 2", "reply 1", "reply 0"], "replies, page by page")
    listed = [event.event_id async for event in amy.client.room_get_threads(room_id, limit=1)]
    equal(listed, roots, "threads, the last spoken in first")
    third = await bob.say(room_id, "bo's own")
    await bob.say(room_id, "and so on", **related("m.thread", third))
    mine = [event.event_id async for event in amy.client.room_get_threads(room_id, ThreadInclusion.participated)]
    equal(mine, roots, "threads with amy")


async def do_unread():
    room = amy.client.rooms[room_id]
    counts = lambda: (room.unread_notifications, room.unread_highlights)
    read = lambda event_id: amy.client.room_read_markers(room_id, event_id, event_id)
    answered(await read(await bob.say(room_id, "all until here")))
    await wait_for("nothing unread", lambda: counts() == (0, 0))
    await bob.say(room_id, "one for you")
    last = await bob.say(room_id, "amy: another", **{"m.mentions": {"user_ids": [amy.user_id]}})
    await wait_for("two unread, one a mention", lambda: counts() == (2, 1))
    answered(await read(last))
    await wait_for("all read", lambda: counts() == (0, 0))


async def do_markers():
    first, second, third = [await bob.say(room_id, body) for body in ("first", "second", "third")]

    def told():
        events = [event for _, event in bob.ephemeral if isinstance(event, nio.ReceiptEvent)]
        return [receipt.event_id for event in events for receipt in event.receipts if receipt.user_id == amy.user_id]

    answered(await amy.client.room_read_markers(room_id, first, first))
    await wait_for("the marker", lambda: amy.client.rooms[room_id].fully_read_marker == first)
    await wait_for("the open receipt", lambda: first in told())
    answered(await amy.client.update_receipt_marker(room_id, second, ReceiptType.read_private))
    await wait_for("one unread", lambda: amy.client.rooms[room_id].unread_notifications == 1)
    answered(await amy.client.update_receipt_marker(room_id, third))
    await wait_for("the next open receipt", lambda: third in told())
    if second in told():
        raise AssertionError("bo was told of the private receipt")


async def do_context_and_pages():
    other = answered(await amy.client.room_create(preset=nio.RoomPreset.public_chat)).room_id
    ids = [await amy.say(other, f"line {n}") for n in range(40)]
    answered(await bob.client.join(other))
    around = answered(await bob.client.room_context(other, ids[20], limit=6))
    text = lambda events: [event.body for event in events if isinstance(event, nio.RoomMessageText)]
    equal(around.event.body, "line 20", "the event")
    equal(text(around.events_before), ["line 19", "line 18", "line 17"], "before it")
    equal(text(around.events_after), ["line 21", "line 22", "line 23"], "after it")
    pages = {}
    for direction, start in ((MessageDirection.back, around.start), (MessageDirection.front, around.end)):
        pages[direction] = []
        while start:
            page = answered(await bob.client.room_messages(other, start, direction=direction, limit=7))
            pages[direction] += text(page.chunk)
            start = page.end if page.chunk else None
    equal(pages[MessageDirection.back], [f"line {n}" for n in reversed(range(17))], "back to the beginning")
    equal(pages[MessageDirection.front], [f"line {n}" for n in range(24, 40)], "on to the end")


async def main():
    await require("a room for two", do_pair)
    await check("reply", do_reply)
    await check("edits come with the message, the last one counts", do_edits)
    await check("reactions, in order", do_reactions)
    await check("threads, their replies, and the list of them", do_threads)
    await check("unread: messages and mentions; read again", do_unread)
    await check("markers: what is fully read, and what is read in private", do_markers)
    await check("an event with what is around it, and pages both ways", do_context_and_pages)
    await amy.stop()
    await bob.stop()


asyncio.run(main())
sys.exit(exit_code())
