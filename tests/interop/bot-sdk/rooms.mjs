// Finding rooms, and what becomes of rooms, by matrix-bot-sdk 0.8.

import { assert, assertEqual, assertRefused, check, finish, require, waitFor } from "../check.mjs";
import { makePair } from "./bots.mjs";

let rosa, sam, room, publicRoom;

await require("a room for two", async () => {
    [rosa, sam, room] = await makePair(["rosa", "sam"]);
});
await check("aliases and the directory", async () => {
    publicRoom = await rosa.client.createRoom({
        preset: "public_chat", visibility: "public", room_alias_name: "garden", name: "The garden",
    });
    await rosa.client.createRoomAlias("#flowers:localhost", publicRoom);
    assertEqual(await sam.client.resolveRoom("#flowers:localhost"), publicRoom, "room of the alias");
    assertEqual((await sam.client.lookupRoomAlias("#flowers:localhost")).residentServers, ["localhost"], "servers");
    const aliases = await rosa.client.unstableApis.getRoomAliases(publicRoom);
    assertEqual(aliases.sort(), ["#flowers:localhost", "#garden:localhost"], "aliases");
    assertEqual(await rosa.client.getPublishedAlias(publicRoom), "#garden:localhost", "published alias");
    await assertRefused(sam.client.deleteRoomAlias("#flowers:localhost"), 403, "M_FORBIDDEN");
    await rosa.client.deleteRoomAlias("#flowers:localhost");
    await assertRefused(sam.client.resolveRoom("#flowers:localhost"), 404, "M_NOT_FOUND");
    assertEqual(await sam.client.getDirectoryVisibility(publicRoom), "public", "visibility");
    await rosa.client.setDirectoryVisibility(publicRoom, "private");
    assertEqual(await sam.client.getDirectoryVisibility(publicRoom), "private", "visibility");
});
await check("join by alias", async () => {
    assertEqual(await sam.join("#garden:localhost"), publicRoom, "room");
    assert((await sam.client.getJoinedRooms()).includes(publicRoom), "not in the list of joined rooms");
});
await check("spaces: children, their order, and a space in a space", async () => {
    // The SDK's own createSpace names the creator among the power levels, which rooms of version 12 refuse.
    const make = async (name) => rosa.client.getSpace(await rosa.client.createRoom({
        preset: "public_chat", name, creation_content: { type: "m.space" },
    }));
    await assertRefused(rosa.client.createSpace({ name: "House", isPublic: true }), 400, null);
    const [house, attic] = [await make("House"), await make("Attic")];
    await house.addChildRoom(publicRoom, { suggested: true, via: ["localhost"], order: "a" });
    await house.addChildRoom(room, { via: ["localhost"], order: "b" });
    await house.addChildSpace(attic, { via: ["localhost"], order: "c" });
    const children = await house.getChildEntities();
    assertEqual(Object.keys(children).sort(), [publicRoom, room, attic.roomId].sort(), "children");
    assertEqual([children[publicRoom].suggested, children[room].suggested], [true, false], "suggested");
    await house.removeChildRoom(room);
    const { rooms } = await sam.ask("GET", `/v1/rooms/${encodeURIComponent(house.roomId)}/hierarchy`);
    assertEqual(rooms.map((one) => one.room_id), [house.roomId, publicRoom, attic.roomId], "hierarchy");
    await sam.join(house.roomId);
    assertEqual((await sam.client.getSpace(house.roomId)).roomId, house.roomId, "the space for a member");
});
await check("room upgrades, and their history", async () => {
    const first = await rosa.client.createRoom({ name: "Old house", room_version: "10", invite: [sam.userId] });
    await sam.join(first);
    const upgrade = async (id, version) => {
        const path = `/v3/rooms/${encodeURIComponent(id)}/upgrade`;
        return (await rosa.ask("POST", path, null, { new_version: version })).replacement_room;
    };
    const archived = new Map();
    sam.client.on("room.archived", (id, event) => archived.set(id, event.content.replacement_room));
    const second = await upgrade(first, "11");
    await waitFor("the tombstone", () => archived.get(first) === second);
    await rosa.client.inviteUser(sam.userId, second);
    await sam.join(second);
    const third = await upgrade(second, "12");
    const { previous, current, newer } = await rosa.client.getRoomUpgradeHistory(second);
    const ids = (rooms) => rooms.map((one) => [one.roomId, one.version]);
    const expected = [[[first, "10"]], [[second, "11"]], [[third, "12"]]];
    assertEqual([ids(previous), ids([current]), ids(newer)], expected, "history");
    await assertRefused(sam.client.sendText(first, "still here"), 403, "M_FORBIDDEN");
});
rosa.stop();
sam.stop();
finish();
