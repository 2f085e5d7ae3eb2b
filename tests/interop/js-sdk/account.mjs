// What belongs to one user, by matrix-js-sdk 43.

import { assert, assertEqual, assertRefused, check, finish, require, waitFor } from "../check.mjs";
import * as sdk from "matrix-js-sdk";
import { bodiesOf, eventOf, login, makeClient, makePair, say } from "./people.mjs";

const [PASSWORD, NEW_PASSWORD] = ["a long enough pass-phrase", "another long pass-phrase"];
let kate, liam, roomId;

/// The answer to a call that asks for the password first.
async function withPassword(password, call) {
    const refusal = await call(undefined).then(() => null, (error) => error);
    assertEqual(refusal?.httpStatus, 401, "status without authentication");
    const user = { type: "m.id.user", user: kate.getUserId() };
    return call({ type: "m.login.password", session: refusal.data.session, identifier: user, password });
}

await require("a room for two", async () => {
    [kate, liam, roomId] = await makePair(["kate", "liam"], PASSWORD);
});
await check("devices: list, rename, remove with the password", async () => {
    const others = [makeClient(await login("kate", PASSWORD)), makeClient(await login("kate", PASSWORD))];
    await kate.setDeviceDetails(others[0].getDeviceId(), { display_name: "old telephone" });
    const device = await kate.getDevice(others[0].getDeviceId());
    assertEqual(device.display_name, "old telephone", "name");
    assert(device.last_seen_ts > 0 || device.last_seen_ts === undefined, "seen when?");
    await assertRefused(withPassword("wrong", (auth) => kate.deleteDevice(others[0].getDeviceId(), auth)), 401, null);
    await withPassword(PASSWORD, (auth) => kate.deleteDevice(others[0].getDeviceId(), auth));
    await assertRefused(others[0].whoami(), 401, "M_UNKNOWN_TOKEN");
    await withPassword(PASSWORD, (auth) => kate.deleteMultipleDevices([others[1].getDeviceId()], auth));
    await assertRefused(others[1].whoami(), 401, "M_UNKNOWN_TOKEN");
    assertEqual((await kate.getDevices()).devices.map((one) => one.device_id), [kate.getDeviceId()], "devices");
});
await check("refresh tokens", async () => {
    const answer = await makeClient().loginRequest({
        type: "m.login.password", identifier: { type: "m.id.user", user: "kate" }, password: PASSWORD,
        refresh_token: true,
    });
    assert(answer.refresh_token && answer.expires_in_ms > 0, "no refresh token");
    const next = await makeClient().refreshToken(answer.refresh_token);
    const again = makeClient({ accessToken: next.access_token, userId: kate.getUserId() });
    assertEqual((await again.whoami()).device_id, answer.device_id, "device");
    await again.logout();
});
await check("account data and direct rooms", async () => {
    await kate.setAccountData("m.direct", { [liam.getUserId()]: [roomId] });
    await waitFor("it in sync", () => kate.getAccountData("m.direct")?.getContent()[liam.getUserId()]?.[0] === roomId);
    assertEqual(await kate.getAccountDataFromServer("org.example.never"), null, "what was never set");
    await kate.setRoomAccountData(roomId, "org.example.note", { text: "mine" });
    const note = () => kate.getRoom(roomId).getAccountData("org.example.note")?.getContent();
    await waitFor("the note", () => note()?.text === "mine");
});
await check("ignored users are not heard", async () => {
    await kate.setIgnoredUsers([liam.getUserId()]);
    await waitFor("the list", () => kate.isUserIgnored(liam.getUserId()));
    await say(liam, roomId, "can you hear me?");
    await eventOf(kate, roomId, await say(kate, roomId, "silence at last"), "kate's own words");
    assert(!bodiesOf(kate.getRoom(roomId)).includes("can you hear me?"), "liam was heard");
    await kate.setIgnoredUsers([]);
    await waitFor("the list", () => !kate.isUserIgnored(liam.getUserId()));
    await eventOf(kate, roomId, await say(liam, roomId, "and now?"), "liam's words");
});
await check("push rules: a word, and a room that is silent", async () => {
    await kate.addPushRule("global", sdk.PushRuleKind.ContentSpecific, "pear", {
        pattern: "pear", actions: ["notify", { set_tweak: "highlight" }],
    });
    await waitFor("the rule", () => kate.pushRules.global.content.some((rule) => rule.rule_id === "pear"));
    const highlights = () => kate.getRoom(roomId).getRoomUnreadNotificationCount(sdk.NotificationCountType.Highlight);
    const before = highlights();
    await say(liam, roomId, "there is a pear tree");
    await waitFor("a highlight", () => highlights() === before + 1);
    await kate.deletePushRule("global", sdk.PushRuleKind.ContentSpecific, "pear");
    await kate.setRoomMutePushRule("global", roomId, true);
    await waitFor("the silence", () => kate.getRoomPushRule("global", roomId)
        ?? kate.pushRules.global.override.find((rule) => rule.rule_id === roomId));
});
await check("extended profile", async () => {
    await kate.setExtendedProfileProperty("m.tz", "Europe/Berlin");
    const profile = await liam.getExtendedProfile(kate.getUserId());
    assertEqual(profile["m.tz"], "Europe/Berlin", "time zone");
    await kate.deleteExtendedProfileProperty("m.tz");
    assertEqual(await liam.getExtendedProfileProperty(kate.getUserId(), "m.tz"), undefined, "time zone taken away");
});
await check("presence, off and on", async () => {
    await liam.setPresence({ presence: "offline" });
    await waitFor("liam to go", () => kate.getUser(liam.getUserId())?.presence === "offline");
    await liam.setPresence({ presence: "online", status_msg: "back" });
    await waitFor("liam to come", () => kate.getUser(liam.getUserId())?.presence === "online");
});
await check("an OpenID token", async () => {
    const token = await kate.getOpenIdToken();
    assertEqual([token.token_type, token.matrix_server_name], ["Bearer", "localhost"], "token");
});
await check("TURN servers, third-party networks", async () => {
    assertEqual(typeof (await kate.turnServer()), "object", "TURN");
    assertEqual(await kate.getThirdpartyProtocols(), {}, "networks");
});
await check("a new password ends the other sessions", async () => {
    const other = makeClient(await login("kate", PASSWORD));
    await withPassword(PASSWORD, (auth) => kate.setPassword(auth, NEW_PASSWORD, true));
    await assertRefused(other.whoami(), 401, "M_UNKNOWN_TOKEN");
    await assertRefused(login("kate", PASSWORD), 403, "M_FORBIDDEN");
    assertEqual((await kate.whoami()).user_id, "@kate:localhost", "this session");
    await makeClient(await login("kate", NEW_PASSWORD)).logout();
});
await check("deactivate, for good", async () => {
    kate.stopClient();
    await withPassword(NEW_PASSWORD, (auth) => kate.deactivateAccount(auth, true));
    await assertRefused(login("kate", NEW_PASSWORD), 403, null);
    const hers = () => liam.getRoom(roomId).getMember("@kate:localhost")?.membership;
    await waitFor("kate to leave the room", () => hers() === "leave");
});
liam.stopClient();
finish();
