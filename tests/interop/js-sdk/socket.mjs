// matrix-js-sdk 43 alone, over the WebSocket: the module `transport` of the web UI as its `fetchFn`, and nothing else.

import "../typescript.mjs";
import { assert, assertEqual, check, finish, killServer, require, sleep, waitFor } from "../check.mjs";
import * as sdk from "matrix-js-sdk";
import { bodiesOf, catchUp, eventOf, login, makeClient, register, roomOf, say, sayStubbornly, start } from "./people.mjs";

const { Transport } = await import("../../../src/web/ui/src/transport/index.ts");
const PASSWORD = "a long enough pass-phrase";
const baseUrl = process.env.HEARTH_URL;
let tom, una, roomId;

/// A user whose requests pass the transport; `http` is what it sends past the socket.
async function startOverSocket(credentials) {
    const http = [];
    const states = [];
    const transport = new Transport({
        baseUrl,
        fetch: (resource, init) => {
            http.push(`${init?.method ?? "GET"} ${String(resource).replace(baseUrl, "")}`);
            return fetch(resource, init);
        },
        onState: (state) => states.push(state),
    });
    const client = await start({ ...credentials, fetchFn: transport.fetch });
    client.wire = { http, transport, states };
    await waitFor("the socket", () => states.at(-1) === "up");
    return client;
}

/// Requests that the socket carries.
const strays = (client) => client.wire.http.filter((line) => /[?&]since=|\/send\/|\/typing\/|\/receipt\/|\/redact\//.test(line));

await require("two users sync over sockets", async () => {
    tom = await startOverSocket(await register("tom", PASSWORD));
    una = await startOverSocket(await register("una", PASSWORD));
});
await require("one makes a room, the other joins", async () => {
    const made = await tom.createRoom({ preset: sdk.Preset.PrivateChat, name: "Wire", invite: [una.getUserId()] });
    roomId = made.room_id;
    await roomOf(una, roomId, "invite");
    await una.joinRoom(roomId);
    await roomOf(una, roomId);
});
await check("messages, an edit, a reaction and a redaction go over, both ways", async () => {
    tom.wire.http.length = una.wire.http.length = 0;
    const hello = await say(tom, roomId, "hello over the wire");
    await eventOf(una, roomId, hello, "the message");
    const answer = await say(una, roomId, "heard");
    await eventOf(tom, roomId, answer, "the answer");
    const { event_id: reaction } = await una.sendEvent(roomId, "m.reaction", { "m.relates_to": { rel_type: "m.annotation", event_id: hello, key: "👍" } });
    await eventOf(tom, roomId, reaction, "the reaction");
    await una.redactEvent(roomId, answer);
    await waitFor("the redaction", () => tom.getRoom(roomId).findEventById(answer).isRedacted());
    await una.sendTyping(roomId, true, 10_000);
    await waitFor("typing", () => tom.getRoom(roomId).getMember(una.getUserId()).typing);
    const last = await say(tom, roomId, "read this");
    await una.sendReadReceipt(await eventOf(una, roomId, last, "what is to be read"));
    const readers = () => tom.getRoom(roomId).getUsersReadUpTo(tom.getRoom(roomId).findEventById(last));
    await waitFor("the receipt", () => readers().includes(una.getUserId()));
    assertEqual([...strays(tom), ...strays(una)], [], "what went over HTTP");
});
await check("a large body, history and members go over HTTP, and come", async () => {
    const body = "x".repeat(60_000);
    await eventOf(una, roomId, await say(tom, roomId, body), "a large message");
    assert((await una.createMessagesRequest(roomId, null, 30, "b")).chunk.length > 3, "no history");
    assert((await tom.members(roomId)).chunk.length === 2, "no members");
});
await check("an error of a call comes as an error", async () => {
    const refusal = await tom.sendTextMessage("!nowhere:localhost", "lost").catch((error) => error);
    assertEqual([refusal.httpStatus, refusal.errcode], [403, "M_FORBIDDEN"], "refusal");
});
await check("an aborted call is cancelled, and others go on", async () => {
    const abort = new AbortController();
    const aborted = tom.wire.http.length;
    const asked = tom.wire.transport.fetch(`${baseUrl}/_matrix/client/v3/pushrules/`, {
        headers: { authorization: `Bearer ${tom.getAccessToken()}` }, signal: abort.signal,
    });
    abort.abort();
    assertEqual(await asked.catch((error) => error.name), "AbortError", "the end of the call");
    assertEqual(tom.wire.http.length, aborted, "requests over HTTP");
    await eventOf(una, roomId, await say(tom, roomId, "still here"), "a message afterwards");
});
await check("the server is killed: both come back to the socket, nothing is lost or doubled", async () => {
    const wanted = ["before 1", "before 2"];
    for (const body of wanted) await say(tom, roomId, body);
    const down = killServer();
    for (const [who, body] of [[tom, "while it is down"], [una, "me too"]]) {
        wanted.push(body);
        await sayStubbornly(who, roomId, body);
    }
    await down;
    for (const who of [tom, una]) {
        await catchUp(who, roomId, wanted);
        await waitFor("the socket", () => who.wire.states.at(-1) === "up", 90_000);
        for (const body of wanted) {
            const times = bodiesOf(who.getRoom(roomId)).filter((one) => one === body).length;
            assertEqual(times, 1, `${who.getUserId()}: "${body}"`);
        }
    }
    await waitFor("syncing", () => tom.getSyncState() === "SYNCING" && una.getSyncState() === "SYNCING");
    await sleep(500);
    tom.wire.http.length = una.wire.http.length = 0;
    await eventOf(una, roomId, await say(tom, roomId, "as before"), "a message over the new socket");
    assertEqual([...strays(tom), ...strays(una)], [], "what went over HTTP");
});
await check("a session that is ended elsewhere ends here at once", async () => {
    const second = await startOverSocket(await login("una", PASSWORD));
    const ended = new Promise((resolve) => second.once(sdk.HttpApiEvent.SessionLoggedOut, resolve));
    const owner = makeClient({ accessToken: second.getAccessToken(), userId: una.getUserId() });
    await owner.logout();
    await Promise.race([ended, sleep(10_000).then(() => { throw new Error("nobody was told within 10 s"); })]);
    assertEqual(await second.whoami().catch((error) => error.errcode), "M_UNKNOWN_TOKEN", "the next call");
    second.stopClient();
});
await check("after the end, requests go over HTTP", async () => {
    tom.wire.transport.close();
    tom.wire.http.length = 0;
    await eventOf(una, roomId, await say(tom, roomId, "by the old way"), "a message over HTTP");
    assert(strays(tom).length > 0, "it went over no HTTP");
});
finish();
