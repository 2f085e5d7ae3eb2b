// Users of the server under test, by matrix-bot-sdk.

import { assertEqual, waitFor } from "../check.mjs";
import { LogService, MatrixAuth, MemoryStorageProvider, MatrixClient, RichConsoleLogger } from "matrix-bot-sdk";

const url = process.env.HEARTH_URL;
export const PASSWORD = "a long enough pass-phrase";

// What the SDK says while the server is down is no finding.
LogService.setLogger(new RichConsoleLogger());
LogService.muteModule("Metrics");

/// A bot that syncs and keeps all that it is told, also what the SDK does not hand on.
export class Bot {
    constructor(client, userId) {
        this.client = client;
        this.userId = userId;
        this.rooms = new Map();
        this.invites = new Set();
        this.joined = new Set();
        this.presence = new Map();
        this.accountData = new Map();
    }

    static async register(name) {
        return Bot.of(name, await new MatrixAuth(url).passwordRegister(name, PASSWORD, "bot-sdk"));
    }

    static async login(name) {
        return Bot.of(name, await new MatrixAuth(url).passwordLogin(name, PASSWORD, "bot-sdk"));
    }

    static async of(name, { accessToken }) {
        const client = new MatrixClient(url, accessToken, new MemoryStorageProvider());
        client.syncingTimeout = 10_000;
        const bot = new Bot(client, await client.getUserId());
        assertEqual(bot.userId, `@${name}:localhost`, "user id");
        return bot;
    }

    /// Begins to sync; the SDK gives a room's events to listeners, and drops the rest.
    async start() {
        const process = this.client.processSync.bind(this.client);
        this.client.processSync = (answer, emit) => {
            this.keep(answer);
            return process(answer, emit);
        };
        this.client.on("room.invite", (room) => this.invites.add(room));
        this.client.on("room.join", (room) => this.joined.add(room));
        this.client.on("room.leave", (room) => this.joined.delete(room));
        this.client.on("room.event", (room, event) => this.room(room).events.push(event));
        this.client.on("account_data", (event) => this.accountData.set(event.type, event.content));
        await this.client.start({ room: { timeline: { limit: 200 } } });
        return this;
    }

    keep(answer) {
        for (const event of answer.presence?.events ?? []) this.presence.set(event.sender, event.content);
        for (const [id, told] of Object.entries(answer.rooms?.join ?? {})) {
            const room = this.room(id);
            if (told.unread_notifications) room.unread = told.unread_notifications;
            for (const event of told.ephemeral?.events ?? []) {
                if (event.type === "m.typing") room.typing = event.content.user_ids;
                if (event.type === "m.receipt") room.receipts.push(event.content);
            }
        }
    }

    room(id) {
        if (!this.rooms.has(id)) this.rooms.set(id, { events: [], typing: [], receipts: [], unread: {} });
        return this.rooms.get(id);
    }

    event(room, id) {
        return this.room(room).events.find((event) => event.event_id === id);
    }

    waitForEvent(room, id, what) {
        return waitFor(what, () => this.event(room, id));
    }

    bodies(room) {
        const messages = this.room(room).events.filter((event) => event.type === "m.room.message");
        return messages.map((event) => event.content.body);
    }

    say(room, body, more = {}) {
        return this.client.sendMessage(room, { msgtype: "m.text", body, ...more });
    }

    async join(room) {
        const id = await this.client.joinRoom(room);
        await waitFor("the room", () => this.joined.has(id));
        return id;
    }

    /// A call that the SDK has no function for.
    ask(method, path, query, body) {
        return this.client.doRequest(method, `/_matrix/client${path}`, query, body);
    }

    stop() {
        this.client.stop();
    }
}

/// Two bots that sync, and a room with both in it; the second is let in by its invite.
export async function makePair(names) {
    const [first, second] = await Promise.all(names.map(async (name) => (await Bot.register(name)).start()));
    const room = await first.client.createRoom({ preset: "private_chat", invite: [second.userId] });
    await waitFor("the invite", () => second.invites.has(room));
    await second.join(room);
    await waitFor("the first to see the second", () => first.room(room).events.some((event) =>
        event.type === "m.room.member" && event.state_key === second.userId && event.content.membership === "join"));
    return [first, second, room];
}
