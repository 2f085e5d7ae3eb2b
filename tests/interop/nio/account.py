"""What belongs to one user, by matrix-nio 0.26."""

import asyncio
import json
import sys
from urllib.parse import quote

import nio
from check import PASSWORD, URL, Person, answered, check, equal, exit_code, make_pair, refused, require, wait_for
from nio.api import PushRuleKind
from nio.events.account_data import PushNotify, PushSetTweak

gus = ivy = room_id = None


async def do_pair():
    global gus, ivy, room_id
    gus, ivy, room_id = await make_pair("gus", "ivy")


async def do_login_info():
    client = nio.AsyncClient(URL)
    equal("m.login.password" in answered(await client.login_info()).flows, True, "flows")
    await client.close()


async def do_devices():
    others = [await Person("gus").login() for _ in range(2)]
    ids = [other.client.device_id for other in others]
    asked = await gus.client.delete_devices(ids)
    equal(isinstance(asked, nio.DeleteDevicesAuthResponse), True, f"asked for the password: {asked}")
    auth = {"type": "m.login.password", "session": asked.session, "password": PASSWORD,
            "identifier": {"type": "m.id.user", "user": gus.user_id}}
    answered(await gus.client.delete_devices(ids, auth))
    for other in others:
        refused(await other.client.whoami(), "M_UNKNOWN_TOKEN")
        await other.stop()
    left = [device.id for device in answered(await gus.client.devices()).devices]
    equal(left, [gus.client.device_id], "devices")


async def do_direct():
    path = f"/user/{quote(gus.user_id)}/account_data/m.direct"
    equal(await gus.raw("PUT", path, json.dumps({ivy.user_id: [room_id]})), (200, {}), "put")
    equal(answered(await gus.client.list_direct_rooms()).rooms, {ivy.user_id: [room_id]}, "direct rooms")
    rooms = await ivy.client.list_direct_rooms()
    equal((type(rooms).__name__, rooms.status_code), ("DirectRoomsErrorResponse", "M_NOT_FOUND"), "none of ivy's")


async def do_tags():
    path = f"/user/{quote(gus.user_id)}/rooms/{quote(room_id)}/tags/m.favourite"
    equal((await gus.raw("PUT", path, json.dumps({"order": 0.5})))[0], 200, "put")
    await wait_for("the tag", lambda: gus.client.rooms[room_id].tags == {"m.favourite": {"order": 0.5}})
    equal((await gus.raw("DELETE", path))[0], 200, "delete")
    await wait_for("no tag", lambda: gus.client.rooms[room_id].tags == {})


async def do_push_rules():
    rules = []
    gus.client.add_global_account_data_callback(lambda event: rules.append(event), nio.PushRulesEvent)
    kind = PushRuleKind.content
    answered(await gus.client.set_pushrule(
        "global", kind, "pear", pattern="pear", actions=[PushNotify(), PushSetTweak("highlight", True)]))
    named = lambda name: [rule for event in rules[-1:] for rule in event.global_rules.content if rule.id == name]
    await wait_for("the rule", lambda: named("pear"))
    before = gus.client.rooms[room_id].unread_highlights
    await ivy.say(room_id, "there is a pear tree")
    await wait_for("a highlight", lambda: gus.client.rooms[room_id].unread_highlights == before + 1)
    answered(await gus.client.enable_pushrule("global", kind, "pear", False))
    await wait_for("the rule to be off", lambda: named("pear") and not named("pear")[0].enabled)
    answered(await gus.client.set_pushrule_actions("global", kind, "pear", [PushNotify()]))
    answered(await gus.client.delete_pushrule("global", kind, "pear"))
    await wait_for("no rule", lambda: not named("pear"))
    refused(await gus.client.delete_pushrule("global", kind, "pear"), "M_NOT_FOUND")


async def do_presence():
    for presence in ("unavailable", "online"):
        answered(await ivy.client.set_presence(presence, presence.upper()))
        await wait_for(presence, lambda: ivy.user_id in gus.presence and (
            gus.presence[ivy.user_id].presence, gus.presence[ivy.user_id].status_msg) == (presence, presence.upper()))


async def do_openid():
    token = answered(await gus.client.get_openid_token(gus.user_id))
    equal((token.token_type, token.matrix_server_name), ("Bearer", "localhost"), "token")
    refused(await gus.client.get_openid_token(ivy.user_id))


async def main():
    await require("a room for two", do_pair)
    await check("login flows", do_login_info)
    await check("devices: remove with the password", do_devices)
    await check("direct rooms", do_direct)
    await check("tags", do_tags)
    await check("push rules: add, switch off, change, remove", do_push_rules)
    await check("presence", do_presence)
    await check("an OpenID token", do_openid)
    await gus.stop()
    await ivy.stop()


asyncio.run(main())
sys.exit(exit_code())
