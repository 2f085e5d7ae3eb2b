// What is said about what was said, and how it is found again, by matrix-js-sdk 43.

import { assert, assertEqual, check, finish, require, waitFor } from "../check.mjs";
import * as sdk from "matrix-js-sdk";
import { bodiesOf, eventOf, login, makePair, roomOf, say, start } from "./people.mjs";

const PASSWORD = "a long enough pass-phrase";
const { Total, Highlight } = sdk.NotificationCountType;
let carol, dave, roomId;
const roomFor = (client) => client.getRoom(roomId);
const text = (body, more = {}) => ({ msgtype: "m.text", body, ...more });

await require("a room for two", async () => {
    [carol, dave, roomId] = await makePair(["carol", "dave"], PASSWORD);
});
await check("reply", async () => {
    const question = await say(carol, roomId, "what is it?");
    await eventOf(dave, roomId, question, "the question");
    const { event_id: answer } = await dave.sendMessage(roomId, text("a server", {
        "m.relates_to": { "m.in_reply_to": { event_id: question } },
    }));
    assertEqual((await eventOf(carol, roomId, answer, "the answer")).replyEventId, question, "what it replies to");
});
await check("edits come with the message, the last one counts", async () => {
    const id = await say(carol, roomId, "one");
    for (const body of ["two", "three"]) {
        await carol.sendMessage(roomId, text(`* ${body}`, {
            "m.new_content": text(body), "m.relates_to": { rel_type: "m.replace", event_id: id },
        }));
    }
    const stored = await dave.fetchRoomEvent(roomId, id);
    const edit = stored.unsigned["m.relations"]["m.replace"];
    assertEqual([stored.content.body, edit.content["m.new_content"].body], ["one", "three"], "bodies");
    const { originalEvent, events } = await dave.relations(roomId, id, "m.replace", "m.room.message");
    assertEqual(events.length, 2, "edits in /relations");
    assertEqual(originalEvent.getContent().body, "three", "the body that is shown");
});
await check("reactions are counted, and can be taken back", async () => {
    const id = await say(carol, roomId, "who likes this?");
    await eventOf(dave, roomId, id, "the message");
    const react = (client, key) => client.sendEvent(roomId, "m.reaction", {
        "m.relates_to": { rel_type: "m.annotation", event_id: id, key },
    });
    await Promise.all([react(carol, "👍"), react(carol, "🎉")]);
    const { event_id: mine } = await react(dave, "👍");
    const counts = () => Object.fromEntries(roomFor(carol).relations
        .getChildEventsForEvent(id, "m.annotation", "m.reaction")?.getSortedAnnotationsByKey()
        ?.map(([key, events]) => [key, events.size]).filter(([, count]) => count > 0) ?? []);
    await waitFor("three reactions", () => counts()["👍"] === 2 && counts()["🎉"] === 1);
    await assertTwice(react(dave, "👍"));
    await dave.redactEvent(roomId, mine);
    await waitFor("two reactions", () => counts()["👍"] === 1);
    const { chunk } = await carol.fetchRelations(roomId, id, "m.annotation", "m.reaction");
    const keys = chunk.map((event) => event.content["m.relates_to"].key);
    assertEqual(keys.sort(), ["🎉", "👍"].sort(), "in /relations");
});

/// The same reaction a second time is refused.
async function assertTwice(promise) {
    const refusal = await promise.then(() => null, (error) => error);
    assertEqual(refusal?.errcode, "M_DUPLICATE_ANNOTATION", "the second reaction");
}

/// The SDK throws where sync tells of a message in a thread before the sending of it is answered; it is sent then.
async function sayInThread(client, id, body) {
    await client.sendMessage(roomId, id, text(body)).catch((error) => {
        if (!String(error).includes("not a local echo")) throw error;
    });
}

let root;
await check("thread", async () => {
    root = await say(carol, roomId, "let us talk of this apart");
    await eventOf(dave, roomId, root, "the root");
    for (const body of ["first", "second", "third"]) await sayInThread(dave, root, body);
    const thread = () => roomFor(carol).getThread(root);
    await waitFor("the thread", () => thread()?.length === 3);
    await waitFor("its last message", () => thread().replyToEvent?.getContent().body === "third");
    const stored = await carol.fetchRoomEvent(roomId, root);
    const summary = stored.unsigned["m.relations"]["m.thread"];
    assertEqual([summary.count, summary.current_user_participated], [3, true], "summary");
    const { chunk } = await carol.fetchRelations(roomId, root, "m.thread", null, { dir: sdk.Direction.Forward });
    assertEqual(chunk.map((event) => event.content.body), ["first", "second", "third"], "in /relations");
});
await check("list of threads", async () => {
    const other = await say(carol, roomId, "another thing");
    await sayInThread(carol, other, "to begin with");
    const list = async (which) => {
        const { chunk } = await dave.createThreadListMessagesRequest(roomId, null, 20, sdk.Direction.Backward, which);
        return chunk.map((event) => event.event_id).reverse(); // The SDK turns the server's list around.
    };
    assertEqual(await list(sdk.ThreadFilterType.All), [other, root], "all threads, the last spoken in first");
    assertEqual(await list(sdk.ThreadFilterType.My), [root], "threads with dave");
});
await check("unread: messages, mentions, threads; read again", async () => {
    const counts = () => [Total, Highlight].map((type) => roomFor(carol).getRoomUnreadNotificationCount(type));
    const inThread = () => roomFor(carol).getThreadUnreadNotificationCount(root, Total);
    await carol.sendReadReceipt(roomFor(carol).getLiveTimeline().getEvents().at(-1), "m.read", true);
    await waitFor("nothing unread", () => counts().every((count) => count === 0) && inThread() === 0);
    await say(dave, roomId, "one for you");
    const mention = { "m.mentions": { user_ids: [carol.getUserId()] } };
    const { event_id: last } = await dave.sendMessage(roomId, text("carol: and another", mention));
    await waitFor("two unread, one a mention", () => JSON.stringify(counts()) === "[2,1]");
    await sayInThread(dave, root, "fourth");
    await waitFor("one unread in the thread", () => inThread() === 1);
    await carol.sendReadReceipt(await eventOf(carol, roomId, last, "the mention"));
    await waitFor("the room read", () => JSON.stringify(counts()) === "[0,0]");
    assertEqual(inThread(), 1, "unread in the thread after the room was read");
    const reply = await waitFor("the reply", () =>
        roomFor(carol).getThread(root)?.events.find((event) => event.getContent().body === "fourth"));
    await carol.sendReadReceipt(reply);
    await waitFor("the thread read", () => inThread() === 0);
});
await check("a private receipt is told to nobody else", async () => {
    const id = await say(dave, roomId, "read me in private");
    const message = await eventOf(carol, roomId, id, "the message");
    await carol.sendReadReceipt(message, sdk.ReceiptType.ReadPrivate);
    await waitFor("it to be read", () => roomFor(carol).getRoomUnreadNotificationCount(Total) === 0);
    await say(carol, roomId, "a message that comes later");
    await waitFor("that one", () => bodiesOf(roomFor(dave)).includes("a message that comes later"));
    const seen = roomFor(dave).getReceiptsForEvent(roomFor(dave).findEventById(id));
    assert(!seen.some((receipt) => receipt.userId === carol.getUserId()), "it was told");
});
await check("the marker of what is fully read", async () => {
    const id = await say(dave, roomId, "up to here");
    const message = await eventOf(carol, roomId, id, "the message");
    await carol.setRoomReadMarkers(roomId, id, message);
    await waitFor("the marker", () => roomFor(carol).getAccountData("m.fully_read")?.getContent().event_id === id);
    await waitFor("the receipt", () => roomFor(dave).hasUserReadEvent(carol.getUserId(), id));
});
await check("search, in pages, the newest first, with what stands around", async () => {
    for (let n = 0; n < 25; n += 1) await say(carol, roomId, `needle number ${n}`);
    const ask = async () => {
        const found = await dave.searchRoomEvents({ term: "needle", filter: { limit: 10, rooms: [roomId] } });
        return found.count === 25 && found;
    };
    const found = await waitFor("the index", ask);
    assert(found.highlights.includes("needle"), `highlights: ${found.highlights}`);
    const first = found.results[0].context;
    assertEqual(first.getEvent().getContent().body, "needle number 24", "the first result");
    const around = first.getTimeline().map((event) => event.getContent().body);
    assert(around.includes("needle number 23"), `around it: ${around}`);
    while (found.next_batch) await dave.backPaginateRoomEventsSearch(found);
    const bodies = found.results.map((result) => result.context.getEvent().getContent().body);
    assertEqual(bodies, Array.from({ length: 25 }, (_, n) => `needle number ${24 - n}`), "all results");
});
await check("jump to a message, and read on both ways", async () => {
    const { room_id: id } = await carol.createRoom({ preset: sdk.Preset.PublicChat });
    const ids = [];
    for (let n = 0; n < 40; n += 1) ids.push(await say(carol, id, `line ${n}`));
    await dave.joinRoom(id);
    const fresh = await start(await login("dave", PASSWORD), { filter: undefined, initialSyncLimit: 3 });
    const room = await roomOf(fresh, id);
    const timeline = await fresh.getEventTimeline(room.getUnfilteredTimelineSet(), ids[20]);
    for (const backwards of [true, false]) {
        let rounds = 0;
        while (await fresh.paginateEventTimeline(timeline, { backwards, limit: 7 })) {
            assert((rounds += 1) < 20, "there is no end");
            if (timeline.getNeighbouringTimeline(backwards ? "b" : "f")) break;
        }
    }
    const lines = [timeline, timeline.getNeighbouringTimeline("f")].filter(Boolean)
        .flatMap((part) => part.getEvents()).filter((event) => event.getType() === "m.room.message")
        .map((event) => event.getContent().body);
    assertEqual(lines, ids.map((_, n) => `line ${n}`), "lines");
    fresh.stopClient();
});
await check("the event at a time", async () => {
    const stored = roomFor(dave).getLiveTimeline().getEvents().at(-1);
    const found = await dave.timestampToEvent(roomId, stored.getTs(), sdk.Direction.Backward);
    const at = await dave.fetchRoomEvent(roomId, found.event_id);
    assert(at.origin_server_ts <= stored.getTs(), "it is later");
});
await check("report an event and a room", async () => {
    await dave.reportEvent(roomId, await say(carol, roomId, "something rude"), -100, "rude");
    await dave.reportRoom(roomId, "all of it");
});
carol.stopClient();
dave.stopClient();
finish();
