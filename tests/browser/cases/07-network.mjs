// Losing the network and the server; several tabs.

import { check, pair, sleep, until } from "../harness.mjs";
import { Proxy } from "../pipe.mjs";

const BROKEN = /ERR_|Failed to load resource|WebSocket connection/;

async function countOf(person, text) {
  return person.message(text).count();
}

/** Calls that go over a socket cannot be held up one by one; over HTTP they can. */
async function pairWithoutSocket(world) {
  const proxy = await new Proxy().start(Number(new URL(world.server.url).port));
  proxy.block();
  const [anna, ben] = await pair(world, "Anna", "Ben", { url: proxy.url, forgive: BROKEN });
  return [anna, ben, proxy];
}

export const cases = [
  [
    "without a network a banner shows, and what was written goes out afterwards in order, none doubled",
    async (world) => {
      const proxy = await new Proxy().start(Number(new URL(world.server.url).port));
      try {
        const anna = await world.person("Anna", { url: proxy.url });
        const ben = await world.person("Ben");
        await anna.startChat(ben);
        await ben.accept("Anna");
        anna.forgive(BROKEN);
        await until("the socket is there", () => proxy.sockets === 1);
        proxy.freeze();
        await anna.context.setOffline(true);
        for (const text of ["first offline", "second offline", "third offline"]) await anna.say(text);
        await anna.page.locator(".banner").waitFor();
        await anna.message("third offline").locator(".mark-sending").waitFor();
        await world.shot(anna, "offline");
        await anna.context.setOffline(false);
        await ben.sees("third offline");
        await anna.page.locator(".banner").waitFor({ state: "detached", timeout: 60_000 });
        await anna.sent("third offline");
        const texts = (await ben.page.locator("article.message .text").allInnerTexts()).filter((text) => text.includes("offline"));
        check(texts.join() === "first offline,second offline,third offline", `in order, once: ${texts.join()}`);
        await until("the socket comes back", () => proxy.sockets === 1, 70_000);
        await ben.say("welcome back");
        await anna.sees("welcome back");
      } finally {
        proxy.end();
      }
    },
  ],
  [
    "what was not sent survives a reload",
    async (world) => {
      const [anna, ben, proxy] = await pairWithoutSocket(world);
      await anna.page.route("**/send/**", (route) => route.abort());
      await anna.say("through the reload");
      await anna.message("through the reload").locator(".mark-sending").waitFor();
      await sleep(1_500);
      await anna.page.unroute("**/send/**");
      await anna.page.reload();
      await ben.sees("through the reload");
      await anna.sent("through the reload");
      check((await countOf(ben, "through the reload")) === 1, "once");
      proxy.end();
    },
  ],
  [
    "the server is killed and started again during a conversation; both go on by themselves",
    async (world) => {
      const [anna, ben] = await pair(world);
      for (const person of [anna, ben]) person.forgive(BROKEN);
      await anna.say("before the crash");
      await ben.sees("before the crash");
      const texts = ["before the crash"];
      // Both write on while it is killed and started again.
      for (let line = 1; line <= 10; line += 1) {
        if (line === 4) await world.server.kill();
        if (line === 8) await world.server.start();
        for (const [who, name] of [[anna, "Anna"], [ben, "Ben"]]) {
          await who.say(`${name} writes ${line}`);
          texts.push(`${name} writes ${line}`);
        }
      }
      for (const [who, other] of [[anna, ben], [ben, anna]]) {
        await who.page.locator("article.message", { hasText: "writes 10" }).nth(1).waitFor({ timeout: 60_000 });
        await other.say(`${other.name} after the crash`);
        await who.page.locator("article.message", { hasText: `${other.name} after the crash` }).waitFor({ timeout: 60_000 });
      }
      for (const person of [anna, ben]) {
        const shown = await person.page.locator("article.message .text").allInnerTexts();
        for (const text of texts) check(shown.filter((one) => one === text).length === 1, `${person.name} sees "${text}" once, among ${shown.join(", ")}`);
        for (const name of ["Anna", "Ben"]) {
          const lines = shown.filter((one) => one.startsWith(`${name} writes`));
          check(lines.every((line, index) => line === `${name} writes ${index + 1}`), `in order: ${lines.join(", ")}`);
        }
      }
    },
  ],
  [
    "a refused message says so, and is sent by a click or discarded",
    async (world) => {
      const [anna, ben, proxy] = await pairWithoutSocket(world);
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
      proxy.end();
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
