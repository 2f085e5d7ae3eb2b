"""Finding rooms, and what becomes of rooms, by matrix-nio 0.26."""

import asyncio
import sys

import nio
from check import Person, answered, check, equal, exit_code, make_pair, refused, require, wait_for

eva = fred = room_id = public_id = None


async def do_pair():
    global eva, fred, room_id
    eva, fred, room_id = await make_pair("eva", "fred")


async def create(person, **options):
    return answered(await person.client.room_create(**options)).room_id


async def join(person, room):
    answered(await person.client.join(room))
    await wait_for("the room", lambda: room in person.joined)


async def do_public_rooms():
    global public_id
    public = {"preset": nio.RoomPreset.public_chat, "visibility": nio.RoomVisibility.public}
    public_id = await create(eva, alias="garden", name="The garden", topic="All that grows", **public)
    for name in ("The kitchen", "The cellar"):
        await create(eva, name=name, **public)

    async def found():
        return answered(await fred.client.list_public_rooms(filter_generic_search_term="grows")).public_rooms

    rooms = await wait_for("the room", found)
    equal([(room.room_id, room.canonical_alias, room.num_joined_members) for room in rooms],
          [(public_id, "#garden:localhost", 1)], "found")
    names, since = [], None
    for _ in range(5):
        page = answered(await fred.client.list_public_rooms(limit=1, since=since))
        names += [room.name for room in page.public_rooms]
        since = page.next_batch
        if not since:
            break
    equal(sorted(names), ["The cellar", "The garden", "The kitchen"], "all pages")


async def do_aliases():
    answered(await eva.client.room_put_alias("#flowers:localhost", public_id))
    equal(answered(await fred.client.room_resolve_alias("#flowers:localhost")).room_id, public_id, "room of the alias")
    # nio takes any answer for a success here.
    answer = await fred.client.room_delete_alias("#flowers:localhost")
    equal(answer.transport_response.status, 403, "status for one who did not make it")
    answered(await eva.client.room_delete_alias("#flowers:localhost"))
    refused(await fred.client.room_resolve_alias("#flowers:localhost"), "M_NOT_FOUND")
    equal(answered(await fred.client.room_get_visibility(public_id)).visibility, "public", "visibility")


async def do_join_by_alias():
    answered(await fred.client.join("#garden:localhost"))
    await wait_for("the room", lambda: public_id in fred.joined)
    rooms = answered(await fred.client.joined_rooms()).rooms
    equal(public_id in rooms, True, f"in {rooms}")


async def do_space():
    space = await create(eva, space=True, name="House", preset=nio.RoomPreset.public_chat)
    for order, child in (("a", public_id), ("b", room_id)):
        content = {"via": ["localhost"], "order": order, "suggested": child == public_id}
        answered(await eva.client.room_put_state(space, "m.space.child", content, child))
    listed = lambda response: [room["room_id"] for room in answered(response).rooms]
    equal(listed(await eva.client.space_get_hierarchy(space)), [space, public_id, room_id], "for a member of all")
    # Not asked for here: the suggested ones alone, for nio says "True" where the specification says "true".
    stranger = await Person("ida").register()
    equal(listed(await stranger.client.space_get_hierarchy(space)), [space, public_id], "for a stranger")
    await stranger.stop()
    await join(fred, space)
    await wait_for("a space", lambda: fred.client.rooms[space].room_type == "m.space")
    equal(fred.client.rooms[space].children, {public_id, room_id}, "children")


async def do_knock():
    room = await create(eva)
    answered(await eva.client.room_enable_knocking(room))
    refused(await fred.client.join(room))
    answered(await fred.client.room_knock(room, "please"))
    await wait_for("the knock", lambda: any(
        isinstance(event, nio.RoomMemberEvent) and event.membership == "knock" for event in eva.events.get(room, [])))
    answered(await eva.client.room_invite(room, fred.user_id))
    await wait_for("the invite", lambda: room in fred.client.invited_rooms)
    await join(fred, room)


async def do_power():
    answered(await eva.client.update_room_topic(room_id, "Eva's"))
    refused(await fred.client.update_room_topic(room_id, "Fred's"))
    levels = dict(answered(await eva.client.room_get_state_event(room_id, "m.room.power_levels")).content)
    levels["users"] = {**levels.get("users", {}), fred.user_id: 50}
    answered(await eva.client.room_put_state(room_id, "m.room.power_levels", levels))
    answered(await fred.client.update_room_topic(room_id, "Fred's"))
    await wait_for("the topic", lambda: eva.client.rooms[room_id].topic == "Fred's")


async def do_upgrade():
    old = await create(eva, name="Old house", room_version="10", alias="house", invite=[fred.user_id])
    await join(fred, old)
    # nio makes the new room itself, the tombstone and the aliases too; a room of version 12 refuses the
    # creator among its power levels, which nio copies.
    new = answered(await eva.client.room_upgrade(old, "11")).room_id
    tombstone = lambda: [event for event in fred.events[old] if isinstance(event, nio.RoomUpgradeEvent)]
    equal((await wait_for("the tombstone", tombstone))[0].replacement_room, new, "where to")
    await wait_for("the new room", lambda: new in eva.joined)
    equal((eva.client.rooms[new].name, eva.client.rooms[new].room_version), ("Old house", "11"), "name and version")
    create_event = answered(await eva.client.room_get_state_event(new, "m.room.create")).content
    equal(create_event["predecessor"]["room_id"], old, "predecessor")
    equal(answered(await fred.client.room_resolve_alias("#house:localhost")).room_id, new, "room of the alias")


async def do_forget():
    answered(await fred.client.room_leave(public_id))
    await wait_for("the leave", lambda: public_id not in fred.joined)
    answered(await fred.client.room_forget(public_id))
    refused(await fred.client.room_messages(public_id))


async def main():
    await require("a room for two", do_pair)
    await check("public rooms, found by words and in pages", do_public_rooms)
    await check("aliases and the directory", do_aliases)
    await check("join by alias", do_join_by_alias)
    await check("spaces, and what is in them", do_space)
    await check("knock, and be let in", do_knock)
    await check("power levels", do_power)
    await check("upgrade a room", do_upgrade)
    await check("leave and forget", do_forget)
    await eva.stop()
    await fred.stop()


asyncio.run(main())
sys.exit(exit_code())
