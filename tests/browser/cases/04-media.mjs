// Pictures, video, audio, files: by button, paste and drag; progress, preview, viewer, download.

import { readFileSync } from "node:fs";

import { check, pair } from "../harness.mjs";
import { picture, sound, textFile, video } from "../files.mjs";

/** Chooses files by the button, and sends them. */
async function send(person, files, caption = "") {
  await person.page.locator('.composer input[type="file"]').setInputFiles(files);
  const dialog = person.page.getByRole("dialog");
  if (caption) await dialog.getByLabel("Caption").fill(caption);
  await dialog.getByRole("button", { name: "Send", exact: true }).click();
}

/** A picture in the timeline that has been loaded. */
async function seesPicture(person, name) {
  const image = person.page.locator(`article.message img[alt="${name}"]`);
  await image.waitFor();
  await person.page.waitForFunction((alt) => document.querySelector(`article.message img[alt="${alt}"]`)?.naturalWidth > 0, name);
}

export const cases = [
  [
    "a picture is sent by the button with a caption, opened in full, and downloaded",
    async (world) => {
      const [anna, ben] = await pair(world, "Anna Berg", "Ben Sommer");
      await anna.say("Look what I saw on the way up");
      const file = picture("evening.png", 900, 600);
      await anna.page.locator('.composer input[type="file"]').setInputFiles([file]);
      await anna.page.locator(".local-preview").waitFor();
      await world.shot(anna, "media-preview");
      await anna.page.getByLabel("Caption").fill("Over the valley");
      await anna.page.getByRole("dialog").getByRole("button", { name: "Send", exact: true }).click();
      await seesPicture(ben, "evening.png");
      await ben.sees("Over the valley");
      await ben.say("Beautiful!");
      await anna.sees("Beautiful!");
      await world.shot(ben, "media");
      await ben.page.getByRole("button", { name: "Open the picture evening.png" }).click();
      await ben.page.locator(".viewer img").waitFor();
      await ben.page.waitForFunction(() => document.querySelector(".viewer img")?.naturalWidth === 900);
      await world.shot(ben, "media-viewer");
      const coming = ben.page.waitForEvent("download");
      await ben.page.locator(".viewer").getByRole("button", { name: "Download" }).click();
      const got = await coming;
      check(got.suggestedFilename() === "evening.png", "under its name");
      check(readFileSync(await got.path()).equals(file.buffer), "byte for byte");
      await ben.page.keyboard.press("Escape");
      check((await ben.page.locator(".viewer").count()) === 0, "Escape closes it");
    },
  ],
  [
    "sound and any other file are sent, and the file comes out as it went in",
    async (world) => {
      const [anna, ben] = await pair(world);
      const text = textFile("notes.txt", "remember the milk");
      await send(anna, [sound("tone.wav"), text]);
      await ben.page.locator('audio[aria-label="tone.wav"]').waitFor();
      await ben.page.waitForFunction(() => document.querySelector("audio")?.duration > 0.4);
      const coming = ben.page.waitForEvent("download");
      await ben.page.getByRole("button", { name: "Download notes.txt" }).click();
      check(readFileSync(await (await coming).path(), "utf8") === "remember the milk", "the text is the same");
    },
  ],
  [
    "a video is sent, and plays where it comes",
    async (world) => {
      const [anna, ben] = await pair(world, "Anna Berg", "Ben Sommer");
      await send(anna, [await video(anna.page, "waves.webm")], "From the beach");
      await ben.sees("From the beach");
      const player = ben.page.locator('video[aria-label="waves.webm"]');
      await ben.page.waitForFunction(() => document.querySelector("article.message video")?.videoWidth === 320);
      await player.evaluate((element) => Object.assign(element, { muted: true }).play());
      await ben.page.waitForFunction(() => document.querySelector("article.message video")?.currentTime > 0.2);
      const size = await player.boundingBox();
      check(Math.abs(size.width / size.height - 16 / 9) < 0.05, `in its own shape: ${size.width} by ${size.height}`);
      await world.shot(ben, "media-video");
    },
  ],
  [
    "a picture is pasted, another one dropped",
    async (world) => {
      const [anna, ben] = await pair(world);
      const give = (how, name) =>
        anna.page.evaluate(
          async ({ how, name }) => {
            const canvas = Object.assign(document.createElement("canvas"), { width: 120, height: 80 });
            canvas.getContext("2d").fillRect(10, 10, 60, 40);
            const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
            const data = new DataTransfer();
            data.items.add(new File([blob], name, { type: "image/png" }));
            const target = document.querySelector(how === "paste" ? ".composer textarea" : ".room");
            const event =
              how === "paste"
                ? new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true })
                : new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true });
            target.dispatchEvent(event);
          },
          { how, name },
        );
      for (const [how, name] of [["paste", "pasted.png"], ["drop", "dropped.png"]]) {
        await give(how, name);
        await anna.page.getByRole("dialog").getByRole("button", { name: "Send", exact: true }).click();
        await seesPicture(ben, name);
      }
    },
  ],
  [
    "a large file shows how far it is, and can be cancelled",
    async (world) => {
      const [anna] = await pair(world);
      anna.forgive(/ERR_ABORTED|net::/);
      const session = await anna.context.newCDPSession(anna.page);
      await session.send("Network.emulateNetworkConditions", { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: 200_000 });
      await send(anna, [{ name: "big.bin", mimeType: "application/octet-stream", buffer: Buffer.alloc(3_000_000, 7) }]);
      await anna.page.waitForFunction(() => {
        const bar = document.querySelector(".upload progress");
        return bar && bar.value > 0 && bar.value < 1;
      });
      await anna.page.locator(".upload").getByRole("button", { name: "Cancel" }).click();
      check((await anna.page.locator(".upload").count()) === 0, "it is gone");
    },
  ],
];
