"""A picture goes up and comes down, by matrix-nio 0.26."""

import asyncio
import io
import sys
import tempfile
from pathlib import Path

import nio
from check import answered, check, equal, exit_code, make_pair, require, wait_for
from nio.api import ResizingMethod
from picture import make_png, size_of_picture

PICTURE = make_png(640, 480)
cat = dan = room_id = uri = None


async def do_pair():
    global cat, dan, room_id
    cat, dan, room_id = await make_pair("cat", "dan")


async def do_limit():
    limit = answered(await cat.client.content_repository_config()).upload_size
    if limit < 1_000_000:
        raise AssertionError(f"the limit is {limit} bytes")


async def do_upload():
    global uri
    response, _ = await cat.client.upload(
        io.BytesIO(PICTURE), content_type="image/png", filename="a picture.png", filesize=len(PICTURE))
    uri = answered(response).content_uri
    equal(uri.startswith("mxc://localhost/"), True, uri)


async def do_send():
    info = {"mimetype": "image/png", "w": 640, "h": 480, "size": len(PICTURE)}
    content = {"msgtype": "m.image", "body": "a picture.png", "url": uri, "info": info}
    event_id = answered(await cat.client.room_send(room_id, "m.room.message", content)).event_id
    seen = await wait_for("the picture", lambda: dan.event(room_id, event_id))
    equal(isinstance(seen, nio.RoomMessageImage), True, "an image")
    came = answered(await dan.client.download(seen.url))
    equal((came.content_type, came.filename), ("image/png", "a picture.png"), "type and name")
    equal(came.body == PICTURE, True, "the same bytes")


async def do_download_to_disk():
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "picture.png"
        answered(await dan.client.download(uri, save_to=target))
        equal(target.read_bytes() == PICTURE, True, "the same bytes")


async def do_thumbnails():
    media_id = uri.rpartition("/")[2]
    for method, width, height in ((ResizingMethod.scale, 320, 240), (ResizingMethod.crop, 96, 96)):
        small = answered(await dan.client.thumbnail("localhost", media_id, width, height, method))
        equal(tuple(size_of_picture(small.body)), (width, height), method.value)


async def do_missing():
    response = await dan.client.download("mxc://localhost/nothing")
    equal((type(response).__name__, response.status_code), ("DownloadError", "M_NOT_FOUND"), "refusal")


async def do_avatar():
    answered(await cat.client.set_avatar(uri))
    equal(answered(await dan.client.get_avatar(cat.user_id)).avatar_url, uri, "avatar")
    await wait_for("the avatar in the room", lambda: dan.client.rooms[room_id].users[cat.user_id].avatar_url == uri)
    answered(await cat.client.room_put_state(room_id, "m.room.avatar", {"url": uri}))
    await wait_for("the room's avatar", lambda: dan.client.rooms[room_id].room_avatar_url == uri)


async def main():
    await require("a room for two", do_pair)
    await check("the limit of an upload", do_limit)
    await require("upload a picture", do_upload)
    await check("send it, and see it at the other end", do_send)
    await check("download to a file", do_download_to_disk)
    await check("thumbnails: scaled and cropped", do_thumbnails)
    await check("what was never uploaded is not found", do_missing)
    await check("an avatar, of a user and of a room", do_avatar)
    await cat.stop()
    await dan.stop()


asyncio.run(main())
sys.exit(exit_code())
