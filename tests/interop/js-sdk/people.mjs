// Users of the server under test, by matrix-js-sdk.

import { RECOVERY_MS_MAX, assert, sleep, waitFor } from "../check.mjs";
import * as sdk from "matrix-js-sdk";

const baseUrl = process.env.HEARTH_URL;

export function makeClient(credentials = {}) {
    return sdk.createClient({ baseUrl, timelineSupport: true, ...credentials });
}

/// Registers in the two steps of user-interactive authentication.
export async function register(username, password) {
    const client = makeClient();
    let session;
    try {
        await client.registerRequest({ username, password });
        throw new Error("registration asked for no authentication");
    } catch (error) {
        if (error.httpStatus !== 401) throw error;
        assert(error.data.flows.some((flow) => flow.stages.includes("m.login.dummy")), "no dummy flow offered");
        session = error.data.session;
        assert(session, "no session in the answer");
    }
    const answer = await client.registerRequest({
        username,
        password,
        initial_device_display_name: "js-sdk",
        auth: { type: "m.login.dummy", session },
    });
    return credentialsOf(answer);
}

export async function login(username, password) {
    const answer = await makeClient().loginRequest({
        type: "m.login.password",
        identifier: { type: "m.id.user", user: username },
        password,
    });
    return credentialsOf(answer);
}

function credentialsOf(answer) {
    assert(answer.access_token && answer.device_id, "an answer without a token or a device");
    return { userId: answer.user_id, accessToken: answer.access_token, deviceId: answer.device_id };
}

/// A client that syncs, once its first sync is in.
export async function start(credentials, options = {}) {
    const client = makeClient(credentials);
    client.states = [];
    client.on(sdk.ClientEvent.Sync, (state) => client.states.push(state));
    // Room for all that is said while the server is away: in a shorter answer the SDK takes its own echoes
    // for the events before a gap, and never fills it.
    const filter = new sdk.Filter(credentials.userId);
    filter.setDefinition({ room: { timeline: { limit: 200, unread_thread_notifications: true } } });
    await client.startClient({
        initialSyncLimit: 100, filter, lazyLoadMembers: true, threadSupport: true, pollTimeout: 10_000, ...options,
    });
    await waitFor("the first sync", () => client.states.includes("PREPARED"));
    return client;
}

/// The room as this client has it, once it is there with the membership asked for.
export function roomOf(client, roomId, membership = "join") {
    return waitFor(`${membership} in ${roomId}`, () => {
        const room = client.getRoom(roomId);
        return room?.getMyMembership() === membership && room;
    });
}

/// Two people who sync, and a room with both in it; with what the room is made of beside that.
export async function makePair(names, password, room = {}) {
    const [first, second] = await Promise.all(names.map(async (name) => start(await register(name, password))));
    const made = await first.createRoom({ preset: sdk.Preset.PrivateChat, invite: [second.getUserId()], ...room });
    await roomOf(second, made.room_id, "invite");
    await second.joinRoom(made.room_id);
    await roomOf(second, made.room_id);
    await waitFor("the second to be seen", () =>
        first.getRoom(made.room_id)?.getMember(second.getUserId())?.membership === "join");
    return [first, second, made.room_id];
}

/// The live timeline's messages that the server has, oldest first.
export function bodiesOf(room) {
    return bodiesIn(room.getLiveTimeline().getEvents());
}

/// The same with the parts before a gap in what sync told.
export function allBodiesOf(room) {
    return bodiesIn(room.getUnfilteredTimelineSet().getTimelines().flatMap((timeline) => timeline.getEvents()));
}

function bodiesIn(events) {
    return events
        .filter((event) => event.getType() === "m.room.message" && event.getId().startsWith("$"))
        .map((event) => event.getContent().body);
}

export function eventOf(client, roomId, eventId, what) {
    return waitFor(what, () => client.getRoom(roomId)?.findEventById(eventId));
}

/// Waits until all these bodies are there; where sync left a gap, it is filled by paginating back.
export async function catchUp(client, roomId, wanted) {
    const lacks = () => wanted.filter((body) => !allBodiesOf(client.getRoom(roomId)).includes(body));
    await waitFor("messages after the kill", async () => {
        if (lacks().length === 0) return true;
        client.retryImmediately();
        await client.scrollback(client.getRoom(roomId), 30).catch(() => {});
        await sleep(200);
        return false;
    }, RECOVERY_MS_MAX).catch((error) => {
        throw new Error(`${error.message}; ${client.getUserId()} lacks ${lacks()}`);
    });
}

export async function say(client, roomId, body) {
    return (await client.sendTextMessage(roomId, body)).event_id;
}

/// Sends until it is acknowledged; the echo of a failed try is sent again with its transaction id.
export async function sayStubbornly(client, roomId, body) {
    const end = Date.now() + RECOVERY_MS_MAX;
    try {
        return await say(client, roomId, body);
    } catch (error) {
        for (let last = error; Date.now() < end; ) {
            const room = client.getRoom(roomId);
            const echo = room.getLiveTimeline().getEvents()
                .find((event) => event.status === sdk.EventStatus.NOT_SENT && event.getContent().body === body);
            if (!echo) throw last;
            try {
                return (await client.resendEvent(echo, room)).event_id;
            } catch (again) {
                last = again;
                await sleep(200);
            }
        }
        throw error;
    }
}
