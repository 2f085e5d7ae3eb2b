// Two people talk, by matrix-js-sdk 43. The server is killed in the middle.

import {
    assert, assertEqual, assertRefused, check, finish, killServer, require, waitFor,
} from "../check.mjs";
import * as sdk from "matrix-js-sdk";
import {
    allBodiesOf, bodiesOf, catchUp, eventOf, login, makeClient, register, roomOf, say, sayStubbornly, start,
} from "./people.mjs";

const PASSWORD = "a long enough pass-phrase";
let alice, bob, roomId;

await require("versions", async () => {
    const { versions } = await makeClient().getVersions();
    assert(versions.includes("v1.1"), `no v1.1 in ${versions}`);
});
await check("well-known answers in JSON", async () => {
    const answer = await fetch(`${process.env.HEARTH_URL}/.well-known/matrix/client`);
    assert([200, 404].includes(answer.status), `status ${answer.status}`);
    await answer.json();
});

let aliceAt, bobAt;
await require("register", async () => {
    aliceAt = await register("alice", PASSWORD);
    bobAt = await register("bob", PASSWORD);
    assertEqual(aliceAt.userId, "@alice:localhost", "user id");
});
await check("a name can be taken only once", () =>
    assertRefused(register("alice", PASSWORD), 400, "M_USER_IN_USE"));
await check("login flows", async () => {
    const { flows } = await makeClient().loginFlows();
    assert(flows.some((flow) => flow.type === "m.login.password"), "no password flow");
});
await check("a wrong password is refused", () => assertRefused(login("alice", "wrong"), 403, "M_FORBIDDEN"));
await check("login, devices, logout", async () => {
    const second = makeClient(await login("alice", PASSWORD));
    assertEqual((await second.whoami()).user_id, "@alice:localhost", "whoami");
    await second.setDeviceDetails(second.getDeviceId(), { display_name: "the second" });
    const { devices } = await makeClient(aliceAt).getDevices();
    assertEqual(devices.length, 2, "devices");
    assert(devices.some((device) => device.display_name === "the second"), "the new name is missing");
    await second.logout();
    await assertRefused(second.whoami(), 401, "M_UNKNOWN_TOKEN");
    assertEqual((await makeClient(aliceAt).getDevices()).devices.length, 1, "devices after logout");
});
await require("first sync", async () => {
    alice = await start(aliceAt);
    bob = await start(bobAt);
    assert(alice.pushRules?.global?.override?.length > 0, "no push rules");
});
await check("capabilities", async () => {
    const capabilities = await alice.getCapabilities();
    assert(capabilities["m.room_versions"]?.default, "no default room version");
});

await require("create a room, invite, join", async () => {
    const answer = await alice.createRoom({
        preset: sdk.Preset.PrivateChat, name: "Talk", topic: "This and that", invite: [bobAt.userId],
    });
    roomId = answer.room_id;
    const invited = await roomOf(bob, roomId, "invite");
    assertEqual(invited.name, "Talk", "name in the invite");
    await bob.joinRoom(roomId);
    await roomOf(bob, roomId);
    await waitFor("alice to see bob", () => alice.getRoom(roomId)?.getMember(bobAt.userId)?.membership === "join");
});
await check("talk, in order, each message once", async () => {
    const expected = [];
    for (let n = 0; n < 10; n += 1) {
        const [speaker, listener] = n % 2 ? [bob, alice] : [alice, bob];
        const id = await say(speaker, roomId, `talk ${n}`);
        await eventOf(listener, roomId, id, `talk ${n}`);
        expected.push(`talk ${n}`);
    }
    for (const client of [alice, bob]) {
        await waitFor("the last message", () => bodiesOf(client.getRoom(roomId)).includes("talk 9"));
        assertEqual(bodiesOf(client.getRoom(roomId)), expected, client.getUserId());
    }
});
await check("the same transaction id is the same event", async () => {
    const send = () => alice.http.authedRequest("PUT",
        `/rooms/${encodeURIComponent(roomId)}/send/m.room.message/same`, undefined, { msgtype: "m.notice", body: "same" });
    assertEqual((await send()).event_id, (await send()).event_id, "event id");
});
await check("edit", async () => {
    const id = await say(alice, roomId, "befor");
    await eventOf(bob, roomId, id, "the original");
    await alice.sendMessage(roomId, {
        "msgtype": "m.text", "body": "* before",
        "m.new_content": { msgtype: "m.text", body: "before" },
        "m.relates_to": { rel_type: "m.replace", event_id: id },
    });
    await waitFor("the edit", () => bob.getRoom(roomId).findEventById(id).getContent().body === "before");
});
await check("react", async () => {
    const id = await say(alice, roomId, "like this");
    await eventOf(bob, roomId, id, "the message");
    const reaction = await bob.sendEvent(roomId, "m.reaction", {
        "m.relates_to": { rel_type: "m.annotation", event_id: id, key: "👍" },
    });
    const seen = await eventOf(alice, roomId, reaction.event_id, "the reaction");
    assertEqual(seen.getRelation().key, "👍", "key");
});
await check("redact", async () => {
    const id = await say(alice, roomId, "a slip");
    await eventOf(bob, roomId, id, "the slip");
    await alice.redactEvent(roomId, id, undefined, { reason: "a slip" });
    await waitFor("the redaction", () => bob.getRoom(roomId).findEventById(id).isRedacted());
    const stored = await bob.fetchRoomEvent(roomId, id);
    assertEqual(stored.content, {}, "content after redaction");
    assertEqual(stored.unsigned.redacted_because.content.reason, "a slip", "reason");
});
await check("typing", async () => {
    await bob.getRoom(roomId).loadMembersIfNeeded();
    const typing = () => bob.getRoom(roomId).getMember(aliceAt.userId)?.typing;
    await alice.sendTyping(roomId, true, 20_000);
    await waitFor("typing", typing);
    await alice.sendTyping(roomId, false, 0);
    await waitFor("the end of typing", () => !typing());
});
await check("receipts", async () => {
    const id = await say(alice, roomId, "read me");
    await bob.sendReadReceipt(await eventOf(bob, roomId, id, "the message"));
    await waitFor("the receipt", () => alice.getRoom(roomId).hasUserReadEvent(bobAt.userId, id));
});
await check("presence", async () => {
    await alice.setPresence({ presence: "unavailable", status_msg: "at lunch" });
    await waitFor("presence", () => bob.getUser(aliceAt.userId)?.presenceStatusMsg === "at lunch");
    assertEqual((await bob.getPresence(aliceAt.userId)).status_msg, "at lunch", "status");
    await alice.setPresence({ presence: "online", status_msg: "" });
});
await check("profile", async () => {
    await alice.setDisplayName("Alice Liddell");
    assertEqual((await bob.getProfileInfo(aliceAt.userId)).displayname, "Alice Liddell", "name");
    await waitFor("the name in the room", () =>
        bob.getRoom(roomId).getMember(aliceAt.userId)?.rawDisplayName === "Alice Liddell");
});
await check("account data, of the user and of the room", async () => {
    await alice.setAccountData("org.example.colour", { colour: "blue" });
    assertEqual(await alice.getAccountDataFromServer("org.example.colour"), { colour: "blue" }, "global");
    await alice.setRoomAccountData(roomId, "org.example.note", { text: "mine" });
    await waitFor("it in sync", () => alice.getRoom(roomId).getAccountData("org.example.note")?.getContent().text === "mine");
    assert(!bob.getRoom(roomId).getAccountData("org.example.note"), "bob has it too");
});
await check("filters", async () => {
    const definition = { room: { timeline: { limit: 3, types: ["m.room.message"] } } };
    const made = await alice.createFilter(definition);
    const read = await alice.getFilter(aliceAt.userId, made.filterId, false);
    assertEqual(read.getDefinition().room.timeline.limit, 3, "limit");
});
await check("state, members, one event", async () => {
    await alice.setRoomTopic(roomId, "Something else");
    await waitFor("the topic", () =>
        bob.getRoom(roomId).currentState.getStateEvents("m.room.topic", "")?.getContent().topic === "Something else");
    assertEqual((await bob.getStateEvent(roomId, "m.room.topic", "")).topic, "Something else", "topic");
    assert((await bob.roomState(roomId)).length >= 7, "too little state");
    assertEqual((await bob.members(roomId)).chunk.length, 2, "members");
    await assertRefused(bob.setRoomTopic(roomId, "not mine to set"), 403, "M_FORBIDDEN");
});
await check("a stranger reads nothing", async () => {
    const stranger = makeClient(await register("mallory", PASSWORD));
    await assertRefused(stranger.roomState(roomId), 403, "M_FORBIDDEN");
    await assertRefused(stranger.sendTextMessage(roomId, "hello"), 403, "M_FORBIDDEN");
    await assertRefused(stranger.joinRoom(roomId), 403, "M_FORBIDDEN");
});
await check("leave, kick, ban, unban", async () => {
    const { room_id: id } = await alice.createRoom({ preset: sdk.Preset.PublicChat, invite: [bobAt.userId] });
    await bob.joinRoom(id);
    await roomOf(bob, id);
    await bob.leave(id);
    await roomOf(bob, id, "leave");
    await bob.joinRoom(id);
    await roomOf(bob, id);
    await alice.kick(id, bobAt.userId, "out");
    await roomOf(bob, id, "leave");
    await assertRefused(bob.sendTextMessage(id, "still here"), 403, "M_FORBIDDEN");
    await alice.ban(id, bobAt.userId, "for good");
    await waitFor("the ban", () => alice.getRoom(id).getMember(bobAt.userId)?.membership === "ban");
    await assertRefused(bob.joinRoom(id), 403, null);
    await alice.unban(id, bobAt.userId);
    await bob.joinRoom(id);
    await roomOf(bob, id);
});
await check("paginate back to the beginning, each message once", async () => {
    const { room_id: id } = await alice.createRoom({ preset: sdk.Preset.PublicChat });
    const expected = Array.from({ length: 60 }, (_, n) => `page ${n}`);
    for (const body of expected) await say(alice, id, body);
    await bob.joinRoom(id);
    const fresh = await start(await login("bob", PASSWORD), { initialSyncLimit: 5 });
    const room = await roomOf(fresh, id);
    assert(bodiesOf(room).length <= 5, "the timeline was not limited");
    for (let rounds = 0; rounds < 20 && room.oldState.paginationToken; rounds += 1) await fresh.scrollback(room, 10);
    assertEqual(bodiesOf(room), expected, "messages");
    fresh.stopClient();
});

await check("kill -9 in the middle: nothing lost, nothing doubled", async () => {
    const said = new Map();
    let restart;
    const talk = async (client, name) => {
        for (let n = 0; n < 30; n += 1) {
            const body = `${name} ${n}`;
            said.set(body, await sayStubbornly(client, roomId, body));
            if (name === "left" && n === 10) restart = killServer();
        }
    };
    await Promise.all([talk(alice, "left"), talk(bob, "right")]);
    await restart;
    alice.retryImmediately();
    bob.retryImmediately();
    const mine = (room) => allBodiesOf(room).filter((body) => said.has(body));
    for (const client of [alice, bob]) {
        const room = client.getRoom(roomId);
        await catchUp(client, roomId, [...said.keys()]);
        assertEqual(mine(room).length, said.size, `messages seen by ${client.getUserId()}`);
    }
    const fresh = await start(await login("alice", PASSWORD), { initialSyncLimit: 5 });
    const room = await roomOf(fresh, roomId);
    for (let rounds = 0; rounds < 30 && room.oldState.paginationToken; rounds += 1) await fresh.scrollback(room, 20);
    assertEqual(mine(room).sort(), [...said.keys()].sort(), "messages read back from the server");
    for (const [body, id] of said) assertEqual(room.findEventById(id)?.getContent().body, body, `event ${id}`);
    fresh.stopClient();
});
await check("account data and profile outlive the kill", async () => {
    assertEqual(await alice.getAccountDataFromServer("org.example.colour"), { colour: "blue" }, "account data");
    assertEqual((await bob.getProfileInfo(aliceAt.userId)).displayname, "Alice Liddell", "name");
});
await check("talk goes on after the kill", async () => {
    const id = await say(bob, roomId, "still there?");
    await eventOf(alice, roomId, id, "the message");
});
await check("logout everywhere", async () => {
    alice.stopClient();
    bob.stopClient();
    await makeClient(aliceAt).http.authedRequest("POST", "/logout/all");
    await assertRefused(makeClient(aliceAt).whoami(), 401, "M_UNKNOWN_TOKEN");
});
finish();
