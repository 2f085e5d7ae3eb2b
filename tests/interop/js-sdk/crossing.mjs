// The js-sdk half of a conversation with a matrix-nio user (crossing.py); that one makes the room.

import { assertEqual, check, finish, require, waitFor } from "../check.mjs";
import * as sdk from "matrix-js-sdk";
import { allBodiesOf, catchUp, register, roomOf, sayStubbornly, start } from "./people.mjs";

let me, room;
const live = () => room.getLiveTimeline().getEvents();
const eventWith = (body) => waitFor(`"${body}"`, () =>
    live().find((event) => event.getId().startsWith("$") && event.getContent().body === body));

await require("js-sdk: register and sync", async () => {
    me = await start(await register("jessie", "a long enough pass-phrase"));
});
await require("js-sdk: join on nio's invite", async () => {
    const invite = await waitFor("the invite", () => me.getRooms().find((r) => r.getMyMembership() === "invite"));
    await me.joinRoom(invite.roomId);
    room = await roomOf(me, invite.roomId);
});
await check("js-sdk: sees nio's message, answers and reacts", async () => {
    const hello = await eventWith("hello from nio");
    await me.sendMessage(room.roomId, {
        "msgtype": "m.text", "body": "hello from js-sdk",
        "m.relates_to": { "m.in_reply_to": { event_id: hello.getId() } },
    });
    await me.sendEvent(room.roomId, "m.reaction", {
        "m.relates_to": { rel_type: "m.annotation", event_id: hello.getId(), key: "👋" },
    });
    await me.sendReadReceipt(hello);
});
await check("js-sdk: sees nio's edit", async () => {
    const edited = await eventWith("spelt wrogn").catch(() => eventWith("spelt right"));
    await waitFor("the edit", () => edited.getContent().body === "spelt right");
});
await check("js-sdk: sees nio's redaction", async () => {
    await waitFor("a redacted message", () => live().some((event) => event.isRedacted()));
});
await check("js-sdk: sees nio's name and topic", async () => {
    await waitFor("the topic", () => room.currentState.getStateEvents("m.room.topic", "")?.getContent().topic === "Crossing");
    const nio = room.getJoinedMembers().find((member) => member.userId !== me.getUserId());
    await waitFor("the name", () => nio.rawDisplayName === "Nio");
});
await check("js-sdk: both count to twenty", async () => {
    for (let n = 0; n < 20; n += 1) await sayStubbornly(me, room.roomId, `js-sdk ${n}`);
    const count = (name) => allBodiesOf(room).filter((body) => body?.startsWith(`${name} `)).length;
    const numbers = Array.from({ length: 20 }, (_, n) => n);
    await catchUp(me, room.roomId, numbers.flatMap((n) => [`js-sdk ${n}`, `nio ${n}`]));
    assertEqual([count("js-sdk"), count("nio")], [20, 20], "messages");
});
await check("js-sdk: is kicked by nio", async () => {
    await roomOf(me, room.roomId, "leave");
    assertEqual(room.getMyMembership(), sdk.KnownMembership?.Leave ?? "leave", "membership");
});
me.stopClient();
finish();
