// Losing the network and the server; several tabs.

import { check, pair, sleep, until } from "../harness.mjs";

const BROKEN = /ERR_|Failed to load resource|WebSocket connection/;

async function countOf(person, text) {
  return person.message(text).count();
}

export const cases = [
  [
    "without a network a banner shows, and what was written goes out afterwards in order, none doubled",
    async (world) => {
      const [anna, ben] = await pair(world);
      anna.forgive(BROKEN);
      await anna.context.setOffline(true);
      for (const text of ["first offline", "second offline", "third offline"]) await anna.say(text);
      await anna.page.locator(".banner").waitFor({ timeout: 60_000 });
      await anna.message("third offline").locator(".mark-sending").waitFor();
      await world.shot(anna, "offline");
      await anna.context.setOffline(false);
      await ben.sees("third offline");
      await anna.page.locator(".banner").waitFor({ state: "detached", timeout: 60_000 });
      const texts = (await ben.page.locator("article.message .text").allInnerTexts()).filter((text) => text.includes("offline"));
      check(texts.join() === "first offline,second offline,third offline", `in order, once: ${texts.join()}`);
    },
  ],
  [
    "what was not sent survives a reload",
    async (world) => {
      const [anna, ben] = await pair(world);
      anna.forgive(BROKEN);
      await anna.page.route("**/send/**", (route) => route.abort());
      await anna.say("through the reload");
      await anna.message("through the reload").locator(".mark-sending").waitFor();
      await sleep(1_500);
      await anna.page.unroute("**/send/**");
      await anna.page.reload();
      await ben.sees("through the reload");
      await anna.sent("through the reload");
      check((await countOf(ben, "through the reload")) === 1, "once");
    },
  ],
  [
    "the server is killed and started again during a conversation; both go on by themselves",
    async (world) => {
      const [anna, ben] = await pair(world);
      for (const person of [anna, ben]) person.forgive(BROKEN);
      await anna.say("before the crash");
      await ben.sees("before the crash");
      await world.server.kill();
      await anna.say("while it is down");
      await sleep(500);
      await world.server.start();
      await ben.page.locator("article.message", { hasText: "while it is down" }).waitFor({ timeout: 60_000 });
      await ben.say("after the crash");
      await anna.page.locator("article.message", { hasText: "after the crash" }).waitFor({ timeout: 60_000 });
      for (const person of [anna, ben]) {
        for (const text of ["before the crash", "while it is down", "after the crash"]) check((await countOf(person, text)) === 1, `${text}, once`);
      }
    },
  ],
  [
    "a refused message says so, and is sent by a click or discarded",
    async (world) => {
      const [anna, ben] = await pair(world);
      anna.forgive(/status of 403/);
      const refuse = (route) => route.fulfill({ status: 403, json: { errcode: "M_FORBIDDEN", error: "Not now" } });
      await anna.page.route("**/send/**", refuse);
      await anna.say("refused at first");
      await anna.page.locator(".failed", { hasText: "Not sent" }).waitFor();
      await anna.page.unroute("**/send/**");
      await anna.page.getByRole("button", { name: "Try again" }).click();
      await ben.sees("refused at first");
      await anna.page.route("**/send/**", refuse);
      await anna.say("never mind");
      await anna.page.getByRole("button", { name: "Discard" }).click();
      await until("it is gone", async () => (await countOf(anna, "never mind")) === 0);
    },
  ],
  [
    "a second tab says that there is one already, and takes over on a click",
    async (world) => {
      const anna = await world.person("Rosa");
      const second = await anna.context.newPage();
      anna.watch(second);
      await second.goto(world.server.url);
      await second.getByRole("heading", { name: "open in another tab" }).waitFor();
      await second.getByRole("button", { name: "Use it here" }).click();
      await second.getByRole("heading", { name: "Chats" }).waitFor();
      await anna.page.getByRole("heading", { name: "open in another tab" }).waitFor();
    },
  ],
];
