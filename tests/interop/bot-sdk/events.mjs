// What is said about what was said, and how it is read again, by matrix-bot-sdk 0.8.

import { assert, assertEqual, check, finish, require, waitFor } from "../check.mjs";
import { Bot, makePair } from "./bots.mjs";

let olga, pete, room;
const related = (kind, id, more = {}) => ({ "m.relates_to": { rel_type: kind, event_id: id, ...more } });
const bodies = (events) => events.map((event) => event.content.body);

await require("a room for two", async () => {
    [olga, pete, room] = await makePair(["olga", "pete"]);
});
await check("edits come with the message, the last one counts", async () => {
    const id = await olga.say(room, "one");
    for (const body of ["two", "three"]) {
        const content = { "m.new_content": { msgtype: "m.text", body }, ...related("m.replace", id) };
        await olga.say(room, `* ${body}`, content);
    }
    const stored = await pete.client.getRawEvent(room, id);
    const edit = stored.unsigned["m.relations"]["m.replace"];
    assertEqual([stored.content.body, edit.content["m.new_content"].body], ["one", "three"], "bodies");
    const { chunk } = await pete.client.getRelationsForEvent(room, id, "m.replace", "m.room.message");
    assertEqual(bodies(chunk), ["* three", "* two"], "edits, the newest first");
});
await check("react, and take it back", async () => {
    const id = await olga.say(room, "who likes this?");
    const mine = await pete.client.unstableApis.addReactionToEvent(room, id, "👍");
    await olga.waitForEvent(room, mine, "the reaction");
    const keys = async () => {
        const { chunk } = await olga.client.getRelationsForEvent(room, id, "m.annotation", "m.reaction");
        return chunk.map((event) => event.content["m.relates_to"].key);
    };
    assertEqual(await keys(), ["👍"], "reactions");
    await pete.client.redactEvent(room, mine, "a slip");
    assertEqual(await keys(), [], "reactions after it was taken back");
});
await check("redact", async () => {
    const id = await olga.say(room, "a slip");
    await pete.waitForEvent(room, id, "the slip");
    const redaction = await olga.client.redactEvent(room, id, "a slip");
    const seen = await pete.waitForEvent(room, redaction, "the redaction");
    assertEqual([seen.content.redacts, seen.redacts], [id, id], "what it redacts, in the new place and the old");
    const stored = await pete.client.getRawEvent(room, id);
    assertEqual([stored.content, stored.unsigned.redacted_because.content.reason], [{}, "a slip"], "what is left");
});
await check("thread", async () => {
    const root = await olga.say(room, "let us talk of this apart");
    for (const body of ["first", "second"]) await pete.say(room, body, related("m.thread", root));
    const { chunk } = await olga.client.getRelationsForEvent(room, root, "m.thread");
    assertEqual(bodies(chunk), ["second", "first"], "replies, the newest first");
    const summary = (await olga.client.getRawEvent(room, root)).unsigned["m.relations"]["m.thread"];
    assertEqual([summary.count, summary.latest_event.content.body], [2, "second"], "summary");
});
await check("an event with what is around it, and pages both ways", async () => {
    const other = await olga.client.createRoom({ preset: "public_chat" });
    const ids = [];
    for (let n = 0; n < 40; n += 1) ids.push(await olga.say(other, `line ${n}`));
    await pete.join(other);
    const around = await pete.client.getEventContext(other, ids[20], 6);
    assertEqual(bodies(around.before.map((event) => event.raw)), ["line 19", "line 18", "line 17"], "before it");
    assertEqual(bodies(around.after.map((event) => event.raw)), ["line 21", "line 22", "line 23"], "after it");
    const path = `/v3/rooms/${encodeURIComponent(other)}`;
    const { start, end } = await pete.ask("GET", `${path}/context/${encodeURIComponent(ids[20])}`, { limit: 6 });
    const pages = async (dir, from) => {
        const lines = [];
        while (from) {
            const page = await pete.ask("GET", `${path}/messages`, { dir, from, limit: 7 });
            lines.push(...page.chunk.filter((event) => event.type === "m.room.message"));
            from = page.chunk.length > 0 && page.end;
        }
        return bodies(lines);
    };
    const numbered = (from, to) => ids.map((_, n) => `line ${n}`).slice(from, to);
    assertEqual(await pages("b", start), numbered(0, 17).reverse(), "back to the beginning");
    assertEqual(await pages("f", end), numbered(24), "on to the end");
});
await check("state, by type and whole; members", async () => {
    await olga.client.sendStateEvent(room, "m.room.topic", "", { topic: "This and that" });
    assertEqual((await pete.client.getRoomStateEvent(room, "m.room.topic", "")).topic, "This and that", "topic");
    const types = (await pete.client.getRoomState(room)).map((event) => event.type);
    const wanted = ["m.room.create", "m.room.power_levels", "m.room.topic"];
    assert(wanted.every((type) => types.includes(type)), `state: ${types}`);
    const members = await pete.client.getRoomMembers(room, null, ["join"]);
    assertEqual(members.map((member) => member.membershipFor).sort(), [olga.userId, pete.userId], "members");
});
await check("power levels", async () => {
    const can = () => pete.client.userHasPowerLevelFor(pete.userId, room, "m.room.topic", true);
    assertEqual(await can(), false, "before");
    await olga.client.setUserPowerLevel(pete.userId, room, 50);
    assertEqual(await can(), true, "after");
    await pete.client.sendStateEvent(room, "m.room.topic", "", { topic: "Pete's" });
});
await check("a later bot catches up from where it stopped", async () => {
    const other = await Bot.login("pete");
    await other.start();
    await waitFor("the room", () => other.bodies(room).includes("one"));
    other.stop();
    await other.waitForEvent(room, await olga.say(room, "the end of its last poll"), "the end of the poll");
    const id = await olga.say(room, "said in between");
    const again = await Bot.login("pete");
    again.client.storage = other.client.storage; // Where the SDK keeps how far it has read.
    await again.start();
    await again.waitForEvent(room, id, "what was said in between");
    assert(!again.bodies(room).includes("one"), "it was told what it knew");
    again.stop();
});
olga.stop();
pete.stop();
finish();
