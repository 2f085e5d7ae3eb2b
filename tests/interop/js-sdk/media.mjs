// A picture goes up and comes down, by matrix-js-sdk 43.

import { assert, assertEqual, check, finish, require, waitFor } from "../check.mjs";
import { makePng, sizeOfPicture } from "../picture.mjs";
import { eventOf, makePair } from "./people.mjs";

const picture = makePng(640, 480);
let erin, frank, roomId, uri;

/// What lies at a URI, as the client would show it: whole, or of a size.
function fetchMedia(client, mxc, width, height, method) {
    const url = client.mxcUrlToHttp(mxc, width, height, method, false, true, true);
    return fetch(url, { headers: { Authorization: `Bearer ${client.getAccessToken()}` } });
}

async function bytesOf(response) {
    assertEqual(response.status, 200, "status");
    return Buffer.from(await response.arrayBuffer());
}

await require("a room for two", async () => {
    [erin, frank, roomId] = await makePair(["erin", "frank"], "a long enough pass-phrase");
});
await check("the limit of an upload", async () => {
    const config = await erin.getMediaConfig(true);
    assert(config["m.upload.size"] >= 1_000_000, `limit: ${JSON.stringify(config)}`);
});
await require("upload a picture", async () => {
    const file = new Blob([picture], { type: "image/png" });
    uri = (await erin.uploadContent(file, { name: "a picture.png", type: "image/png" })).content_uri;
    assert(uri.startsWith("mxc://localhost/"), `URI: ${uri}`);
});
await check("send it, and see it at the other end", async () => {
    const { event_id: id } = await erin.sendMessage(roomId, {
        msgtype: "m.image", body: "a picture.png", url: uri,
        info: { mimetype: "image/png", w: 640, h: 480, size: picture.length },
    });
    const message = await eventOf(frank, roomId, id, "the picture");
    const response = await fetchMedia(frank, message.getContent().url);
    assertEqual(response.headers.get("content-type"), "image/png", "type");
    const disposition = response.headers.get("content-disposition");
    assert(/^inline;.*a(%20| )picture\.png/.test(disposition), `disposition: ${disposition}`);
    assert(picture.equals(await bytesOf(response)), "it came down changed");
});
await check("thumbnails: scaled and cropped", async () => {
    assertEqual(sizeOfPicture(await bytesOf(await fetchMedia(frank, uri, 320, 240, "scale"))), [320, 240], "scaled");
    assertEqual(sizeOfPicture(await bytesOf(await fetchMedia(frank, uri, 96, 96, "crop"))), [96, 96], "cropped");
});
await check("media is for users only", async () => {
    for (const size of [[], [96, 96, "crop"]]) {
        const [width, height, method] = size;
        const response = await fetch(erin.mxcUrlToHttp(uri, width, height, method, false, true, true));
        assertEqual([response.status, (await response.json()).errcode], [401, "M_MISSING_TOKEN"], "refusal");
    }
});
await check("what was never uploaded is not found", async () => {
    const response = await fetchMedia(frank, "mxc://localhost/nothing");
    assertEqual([response.status, (await response.json()).errcode], [404, "M_NOT_FOUND"], "refusal");
});
await check("an avatar, of a user and of a room", async () => {
    await erin.setAvatarUrl(uri);
    await waitFor("the avatar in the room", () =>
        frank.getRoom(roomId).getMember(erin.getUserId())?.getMxcAvatarUrl() === uri);
    await erin.sendStateEvent(roomId, "m.room.avatar", { url: uri }, "");
    await waitFor("the room's avatar", () => frank.getRoom(roomId).getMxcAvatarUrl() === uri);
});
erin.stopClient();
frank.stopClient();
finish();
