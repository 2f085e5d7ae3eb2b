// Being told of what is new.

import { check, pair, sleep, until } from "../harness.mjs";

export const cases = [
  [
    "a new message elsewhere counts in list, title and icon, makes a sound and a desktop notification",
    async (world) => {
      const [anna, ben] = await pair(world, "Anna", "Ben", { permissions: ["notifications"] });
      await ben.page.evaluate(() => {
        window.sounds = 0;
        addEventListener("hearth:sound", () => (window.sounds += 1));
        window.shown = [];
        window.Notification = class {
          static permission = "granted";
          static requestPermission = () => Promise.resolve("granted");
          constructor(title, options) {
            window.shown.push(`${title}: ${options.body}`);
          }
        };
      });
      await ben.openSettings();
      await ben.page.getByLabel("Show desktop notifications").check();
      await ben.page.getByRole("button", { name: "Close" }).click();
      await ben.open("Anna");
      await anna.say("Nothing for the room in view");
      await ben.sees("Nothing for the room in view");
      await sleep(300);
      check((await ben.page.evaluate(() => window.sounds)) === 0, "no sound for the room in view");
      await ben.leaveRoom();
      await anna.say("Dinner is ready");
      await ben.page.locator("a.entry .badge", { hasText: "1" }).waitFor();
      await until("the title counts", async () => (await ben.page.title()) === "(1) Hearth");
      await until("the icon counts", async () => (await ben.page.locator('link[rel="icon"]').getAttribute("href")).startsWith("blob:"));
      check((await ben.page.evaluate(() => window.sounds)) === 1, "one sound");
      check((await ben.page.evaluate(() => window.shown.join())) === "Anna: Dinner is ready", "one notification");
      await ben.open("Anna");
      await until("read", async () => (await ben.page.title()) === "Hearth");
      check((await ben.page.locator("a.entry .badge").count()) === 0, "no badge");
      await ben.openSettings();
      await ben.page.getByLabel("Play a sound").uncheck();
      await ben.page.getByRole("button", { name: "Close" }).click();
      await ben.leaveRoom();
      await anna.say("And now silently");
      await ben.page.locator("a.entry .badge", { hasText: "1" }).waitFor();
      check((await ben.page.evaluate(() => window.sounds)) === 1, "no further sound");
    },
  ],
  [
    "the newest conversation stands first",
    async (world) => {
      const [host, guest] = [await world.person("Olga"), await world.person("Paul")];
      await host.createGroup("First group", { invite: [guest] });
      await host.createGroup("Second group", { invite: [guest] });
      await guest.accept("First group");
      await guest.accept("Second group");
      await host.open("First group");
      await host.say("Old news first");
      await until("first above second", async () => (await guest.page.locator(".entry-name").allInnerTexts()).join() === "First group,Second group");
    },
  ],
];
