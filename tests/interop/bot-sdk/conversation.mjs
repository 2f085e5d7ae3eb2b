// Two bots talk, by matrix-bot-sdk 0.8. The server is killed in the middle.

import {
    RECOVERY_MS_MAX, assert, assertEqual, assertRefused, check, finish, killServer, require, sleep, waitFor,
} from "../check.mjs";
import { makePng, sizeOfPicture } from "../picture.mjs";
import { AutojoinRoomsMixin } from "matrix-bot-sdk";
import { Bot, makePair } from "./bots.mjs";

let max, ned, room;

await require("register, create a room, invite, join", async () => {
    [max, ned, room] = await makePair(["max", "ned"]);
});
await check("a name can be taken only once", async () => {
    // The SDK keeps the server's reason for itself.
    const refusal = await Bot.register("max").then(() => null, (error) => error);
    assertEqual(refusal?.message, "Failed to register", "refusal");
});
await check("login, whoami, devices", async () => {
    const second = await Bot.login("max");
    const { user_id: user, device_id: device } = await second.client.getWhoAmI();
    assertEqual(user, max.userId, "whoami");
    const devices = await max.client.getOwnDevices();
    assertEqual(devices.length, 2, "devices");
    assert(devices.some((one) => one.device_id === device && one.display_name === "bot-sdk"), "the new one is missing");
    await second.ask("POST", "/v3/logout");
    await assertRefused(second.client.getWhoAmI(), 401, "M_UNKNOWN_TOKEN");
});
await check("a bot that joins whatever it is invited to", async () => {
    const greeter = await (await Bot.register("greeter")).start();
    AutojoinRoomsMixin.setupOnClient(greeter.client);
    const other = await max.client.createRoom({ preset: "private_chat", name: "Hall" });
    await max.client.inviteUser(greeter.userId, other);
    await waitFor("the bot", () => greeter.joined.has(other));
    assertEqual((await max.client.getJoinedRoomMembers(other)).sort(), [greeter.userId, max.userId], "members");
    greeter.stop();
});
await check("talk, in order, each message once", async () => {
    const expected = [];
    for (let n = 0; n < 10; n += 1) {
        await [max, ned][n % 2].client.sendText(room, `talk ${n}`);
        expected.push(`talk ${n}`);
    }
    for (const bot of [max, ned]) {
        await waitFor("the last message", () => bot.bodies(room).includes("talk 9"));
        assertEqual(bot.bodies(room), expected, bot.userId);
    }
});
await check("notice, HTML, reply", async () => {
    const question = await max.client.sendHtmlText(room, "What is <b>it</b>?");
    const seen = await ned.waitForEvent(room, question, "the question");
    assertEqual(seen.content.format, "org.matrix.custom.html", "format");
    assertEqual(seen.content.formatted_body, "What is <b>it</b>?", "HTML");
    const answer = await ned.client.replyNotice(room, seen, "a server");
    const reply = await max.waitForEvent(room, answer, "the answer");
    const target = reply.content["m.relates_to"]["m.in_reply_to"].event_id;
    assertEqual([reply.content.msgtype, target], ["m.notice", question], "reply");
});
await check("typing", async () => {
    await max.client.setTyping(room, true, 20_000);
    await waitFor("typing", () => ned.room(room).typing.includes(max.userId));
    await max.client.setTyping(room, false);
    await waitFor("its end", () => !ned.room(room).typing.includes(max.userId));
});
await check("receipts and unread counts", async () => {
    const unread = () => ned.room(room).unread.notification_count;
    await ned.client.sendReadReceipt(room, await max.client.sendText(room, "until here"));
    await waitFor("nothing unread", () => unread() === 0);
    await max.client.sendText(room, "one");
    const last = await max.client.sendText(room, "two");
    await waitFor("two unread", () => unread() === 2);
    await ned.client.sendReadReceipt(room, last);
    const isNeds = (receipt) => receipt[last]?.["m.read"]?.[ned.userId];
    await waitFor("the receipt", () => max.room(room).receipts.some(isNeds));
    await waitFor("nothing unread", () => unread() === 0);
});
await check("presence", async () => {
    await max.client.setPresenceStatus("unavailable", "at lunch");
    await waitFor("presence", () => ned.presence.get(max.userId)?.status_msg === "at lunch");
    // Whether max is "unavailable" is no question: the SDK's next sync says "online" again.
    assertEqual((await ned.client.getPresenceStatusFor(max.userId)).statusMessage, "at lunch", "status");
});
await check("profile", async () => {
    await max.client.setDisplayName("Max Headroom");
    assertEqual((await ned.client.getUserProfile(max.userId)).displayname, "Max Headroom", "name");
    const members = await waitFor("the name in the room", async () => {
        const all = await ned.client.getJoinedRoomMembersWithProfiles(room);
        return all[max.userId].display_name === "Max Headroom" && all;
    });
    assertEqual(Object.keys(members).sort(), [max.userId, ned.userId], "members");
});
await check("account data, of the user and of the room", async () => {
    assertEqual(await max.client.getSafeAccountData("org.example.colour", "none"), "none", "before it is set");
    await max.client.setAccountData("org.example.colour", { colour: "blue" });
    await waitFor("it in sync", () => max.accountData.get("org.example.colour")?.colour === "blue");
    assertEqual(await max.client.getAccountData("org.example.colour"), { colour: "blue" }, "account data");
    await max.client.setRoomAccountData("org.example.note", room, { text: "mine" });
    assertEqual(await max.client.getRoomAccountData("org.example.note", room), { text: "mine" }, "the room's");
    await assertRefused(ned.client.getRoomAccountData("org.example.note", room), 404, "M_NOT_FOUND");
});
await check("a picture up and down, with a thumbnail", async () => {
    const picture = makePng(640, 480);
    const uri = await max.client.uploadContent(picture, "image/png", "a picture.png");
    const id = await max.say(room, "a picture.png", { msgtype: "m.image", url: uri });
    const seen = await ned.waitForEvent(room, id, "the picture");
    const { data, contentType } = await ned.client.downloadContent(seen.content.url);
    assertEqual([contentType, picture.equals(data)], ["image/png", true], "what came down");
    const size = { width: 96, height: 96, method: "crop" };
    const path = `/_matrix/client/v1/media/thumbnail/${uri.slice("mxc://".length)}`;
    const { body } = await ned.client.doRequest("GET", path, size, null, 30_000, true, null, true);
    assertEqual(sizeOfPicture(body), [96, 96], "thumbnail");
});
await check("a stranger reads nothing", async () => {
    const stranger = await Bot.register("mallory");
    await assertRefused(stranger.client.getRoomState(room), 403, "M_FORBIDDEN");
    await assertRefused(stranger.client.sendText(room, "hello"), 403, "M_FORBIDDEN");
    await assertRefused(stranger.client.joinRoom(room), 403, "M_FORBIDDEN");
});
await check("kick, ban, unban, leave, forget", async () => {
    const other = await max.client.createRoom({ preset: "public_chat" });
    await ned.join(other);
    await max.client.kickUser(ned.userId, other, "out");
    await waitFor("the leave", () => !ned.joined.has(other));
    await assertRefused(ned.client.sendText(other, "still here"), 403, "M_FORBIDDEN");
    await max.client.banUser(ned.userId, other, "for good");
    await assertRefused(ned.client.joinRoom(other), 403, null);
    const banned = await max.client.getRoomMembersByMembership(other, "ban");
    assertEqual(banned.map((event) => [event.membershipFor, event.content.reason]), [[ned.userId, "for good"]], "banned");
    await max.client.unbanUser(ned.userId, other);
    await ned.join(other);
    await ned.client.leaveRoom(other);
    await ned.client.forgetRoom(other);
    assert(!(await ned.client.getJoinedRooms()).includes(other), "ned is still in it");
});
await check("an OpenID token", async () => {
    const token = await max.client.getOpenIDConnectToken();
    assertEqual([token.token_type, token.matrix_server_name], ["Bearer", "localhost"], "token");
});

await check("kill -9 in the middle: nothing lost, nothing doubled", async () => {
    const said = new Map();
    let restart;
    // The SDK makes a new transaction id for each try, by which a repeat after a lost answer would be a second
    // message; so the ids are ours here.
    const pathOf = (txn) => `/v3/rooms/${encodeURIComponent(room)}/send/m.room.message/${encodeURIComponent(txn)}`;
    const sayStubbornly = async (bot, body) => {
        for (const end = Date.now() + RECOVERY_MS_MAX; ; await sleep(100)) {
            try {
                return await bot.ask("PUT", pathOf(body), null, { msgtype: "m.text", body });
            } catch (error) {
                if (error.errcode || Date.now() > end) throw error;
            }
        }
    };
    const talk = async (bot, name) => {
        for (let n = 0; n < 30; n += 1) {
            said.set(`${name} ${n}`, (await sayStubbornly(bot, `${name} ${n}`)).event_id);
            if (name === "left" && n === 10) restart = killServer();
        }
    };
    await Promise.all([talk(max, "left"), talk(ned, "right")]);
    await restart;
    for (const bot of [max, ned]) {
        const mine = () => bot.bodies(room).filter((body) => said.has(body));
        await waitFor("all messages", () => new Set(mine()).size === said.size, RECOVERY_MS_MAX);
        assertEqual(mine().length, said.size, `messages seen by ${bot.userId}`);
    }
    for (const [body, id] of said) assertEqual((await ned.client.getEvent(room, id)).content.body, body, `event ${id}`);
});
await check("what was set outlives the kill, talk goes on", async () => {
    assertEqual(await max.client.getAccountData("org.example.colour"), { colour: "blue" }, "account data");
    assertEqual((await ned.client.getUserProfile(max.userId)).displayname, "Max Headroom", "name");
    await max.waitForEvent(room, await ned.client.sendText(room, "still there?"), "the message");
});
max.stop();
ned.stop();
finish();
