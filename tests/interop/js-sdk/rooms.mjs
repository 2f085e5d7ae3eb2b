// Finding people and rooms, and what becomes of rooms, by matrix-js-sdk 43.

import { assert, assertEqual, assertRefused, check, finish, require, waitFor } from "../check.mjs";
import * as sdk from "matrix-js-sdk";
import { eventOf, makePair, register, roomOf, say, start } from "./people.mjs";

const PASSWORD = "a long enough pass-phrase";
let gina, hank, roomId, publicId;

await require("a room for two", async () => {
    [gina, hank, roomId] = await makePair(["gina", "hank"], PASSWORD);
});
await check("public rooms, found by words and in pages", async () => {
    const made = await gina.createRoom({
        preset: sdk.Preset.PublicChat, visibility: sdk.Visibility.Public, room_alias_name: "garden",
        name: "The garden", topic: "All that grows",
    });
    publicId = made.room_id;
    for (const name of ["The kitchen", "The cellar"]) {
        await gina.createRoom({ preset: sdk.Preset.PublicChat, visibility: sdk.Visibility.Public, name });
    }
    const find = (term) => hank.publicRooms({ limit: 10, filter: { generic_search_term: term } });
    const { chunk } = await waitFor("the room", async () => {
        const page = await find("grows");
        return page.chunk.length > 0 && page;
    });
    assertEqual([chunk.length, chunk[0].room_id, chunk[0].canonical_alias, chunk[0].num_joined_members],
        [1, publicId, "#garden:localhost", 1], "found");
    const names = [];
    for (let since, rounds = 0; rounds < 5; rounds += 1) {
        const page = await hank.publicRooms({ limit: 1, since });
        names.push(...page.chunk.map((room) => room.name));
        since = page.next_batch;
        if (!since) break;
    }
    assertEqual(names.sort(), ["The cellar", "The garden", "The kitchen"], "all pages");
});
await check("aliases and the directory", async () => {
    await gina.createAlias("#flowers:localhost", publicId);
    assertEqual((await hank.getRoomIdForAlias("#flowers:localhost")).room_id, publicId, "room of the alias");
    const { aliases } = await gina.getLocalAliases(publicId);
    assertEqual(aliases.sort(), ["#flowers:localhost", "#garden:localhost"], "aliases");
    await assertRefused(hank.deleteAlias("#flowers:localhost"), 403, "M_FORBIDDEN");
    await gina.deleteAlias("#flowers:localhost");
    await assertRefused(hank.getRoomIdForAlias("#flowers:localhost"), 404, "M_NOT_FOUND");
    await gina.setRoomDirectoryVisibility(publicId, sdk.Visibility.Private);
    assertEqual((await hank.getRoomDirectoryVisibility(publicId)).visibility, "private", "visibility");
});
await check("summary before joining, join by alias", async () => {
    const summary = await hank.getRoomSummary("#garden:localhost");
    assertEqual([summary.room_id, summary.name, summary.membership], [publicId, "The garden", undefined], "summary");
    await hank.joinRoom("#garden:localhost");
    await roomOf(hank, publicId);
    assert((await hank.getJoinedRooms()).joined_rooms.includes(publicId), "not in the list of joined rooms");
});
await check("user directory", async () => {
    await hank.setDisplayName("Hank the Tank");
    const found = await waitFor("hank by his new name", async () => {
        const { results } = await gina.searchUserDirectory({ term: "tank", limit: 5 });
        return results.length > 0 && results;
    });
    assertEqual([found[0].user_id, found[0].display_name], [hank.getUserId(), "Hank the Tank"], "found");
    const stranger = await start(await register("nobody-knows", PASSWORD));
    const { results } = await gina.searchUserDirectory({ term: "nobody-knows" });
    assertEqual(results, [], "somebody with whom gina shares no room");
    stranger.stopClient();
});
await check("spaces, and what is in them", async () => {
    const { room_id: space } = await gina.createRoom({
        preset: sdk.Preset.PublicChat, name: "House", creation_content: { type: "m.space" },
    });
    const child = (id, content) => gina.sendStateEvent(space, "m.space.child", { via: ["localhost"], ...content }, id);
    await child(publicId, { suggested: true, order: "a" });
    await child(roomId, { order: "b" });
    const all = await gina.getRoomHierarchy(space, 10);
    assertEqual(all.rooms.map((room) => room.room_id), [space, publicId, roomId], "rooms for a member of all");
    assertEqual(all.rooms[0].children_state.map((event) => event.state_key), [publicId, roomId], "children");
    const suggested = await gina.getRoomHierarchy(space, 10, undefined, true);
    assertEqual(suggested.rooms.map((room) => room.room_id), [space, publicId], "suggested rooms");
    const guest = await start(await register("ines", PASSWORD));
    const open = await guest.getRoomHierarchy(space, 10);
    assertEqual(open.rooms.map((room) => room.room_id), [space, publicId], "rooms for a stranger");
    guest.stopClient();
    await hank.joinRoom(space);
    assert((await roomOf(hank, space)).isSpaceRoom(), "hank does not know it for a space");
});
await check("tags", async () => {
    const tags = () => gina.getRoom(roomId).tags;
    await gina.setRoomTag(roomId, "m.favourite", { order: 0.5 });
    await waitFor("the tag", () => tags()["m.favourite"]?.order === 0.5);
    assertEqual((await gina.getRoomTags(roomId)).tags, { "m.favourite": { order: 0.5 } }, "tags");
    await gina.deleteRoomTag(roomId, "m.favourite");
    await waitFor("no tag", () => !tags()["m.favourite"]);
});
await check("knock, and be let in", async () => {
    const { room_id: id } = await gina.createRoom({
        initial_state: [{ type: "m.room.join_rules", state_key: "", content: { join_rule: "knock" } }],
    });
    await assertRefused(hank.joinRoom(id), 403, "M_FORBIDDEN");
    await hank.knockRoom(id, { reason: "please" });
    await roomOf(hank, id, "knock");
    await waitFor("the knock", () => gina.getRoom(id)?.getMember(hank.getUserId())?.membership === "knock");
    await gina.invite(id, hank.getUserId());
    await roomOf(hank, id, "invite");
    await hank.joinRoom(id);
    await roomOf(hank, id);
});
await check("a room for members of another", async () => {
    const restricted = { join_rule: "restricted", allow: [{ type: "m.room_membership", room_id: roomId }] };
    const { room_id: id } = await gina.createRoom({
        initial_state: [{ type: "m.room.join_rules", state_key: "", content: restricted }],
    });
    await hank.joinRoom(id);
    await roomOf(hank, id);
    const stranger = await start(await register("jo", PASSWORD));
    await assertRefused(stranger.joinRoom(id), 403, "M_FORBIDDEN");
    stranger.stopClient();
});
await check("look into an open room without joining", async () => {
    const open = { history_visibility: "world_readable" };
    const { room_id: id } = await gina.createRoom({
        preset: sdk.Preset.PublicChat, name: "Shop window",
        initial_state: [{ type: "m.room.history_visibility", state_key: "", content: open }],
    });
    await say(gina, id, "look at this");
    const room = await hank.peekInRoom(id);
    assertEqual(room.name, "Shop window", "name");
    const live = await say(gina, id, "and at that");
    await waitFor("what is said while looking", () => room.findEventById(live));
    hank.stopPeeking();
});
await check("upgrade a room, and go with it", async () => {
    const { room_id: old } = await gina.createRoom({
        name: "Old house", room_version: "10", invite: [hank.getUserId()],
    });
    await roomOf(hank, old, "invite");
    await hank.joinRoom(old);
    await gina.setRoomTag(old, "m.favourite", {});
    await assertRefused(hank.upgradeRoom(old, "12"), 403, "M_FORBIDDEN");
    const { replacement_room: next } = await gina.upgradeRoom(old, "12");
    const tombstone = await waitFor("the tombstone", () =>
        hank.getRoom(old)?.currentState.getStateEvents("m.room.tombstone", ""));
    assertEqual(tombstone.getContent().replacement_room, next, "where to");
    const room = await roomOf(gina, next);
    await waitFor("the name", () => room.name === "Old house");
    assertEqual([room.getVersion(), room.findPredecessor()?.roomId], ["12", old], "version and predecessor");
    await waitFor("the tag in the new room", () => room.tags["m.favourite"]);
    await assertRefused(hank.sendTextMessage(old, "still here"), 403, "M_FORBIDDEN");
    await gina.invite(next, hank.getUserId());
    await roomOf(hank, next, "invite");
    await hank.joinRoom(next);
    await eventOf(hank, next, await say(gina, next, "welcome"), "the first message");
});
await check("leave and forget", async () => {
    await hank.leave(publicId);
    await roomOf(hank, publicId, "leave");
    await hank.forget(publicId);
    await assertRefused(hank.createMessagesRequest(publicId, null, 5, sdk.Direction.Backward), 403, "M_FORBIDDEN");
});
gina.stopClient();
hank.stopClient();
finish();
