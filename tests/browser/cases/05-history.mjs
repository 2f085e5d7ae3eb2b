// Scrolling back through everything, and finding messages.

import { check, pair, until } from "../harness.mjs";

/** Sends many messages without the page. */
async function fill(person, count, text = (n) => `Message number ${n}`) {
  await person.page.evaluate(
    async ({ count, texts }) => {
      const { accessToken } = JSON.parse(localStorage.getItem("hearth.session"));
      const room = encodeURIComponent(decodeURIComponent(location.hash.split("/")[2]));
      const send = (n) => {
        const path = `/_matrix/client/v3/rooms/${room}/send/m.room.message/fill${n}`;
        const body = JSON.stringify({ msgtype: "m.text", body: texts[n] });
        // A body that nobody reads holds its connection.
        return fetch(path, { method: "PUT", headers: { authorization: `Bearer ${accessToken}` }, body }).then((answer) => answer.text()).catch(() => send(n));
      };
      // The first and the last stand at their ends; the others come side by side.
      await send(0);
      for (let n = 1; n < count - 1; n += 30) await Promise.all(Array.from({ length: Math.min(30, count - 1 - n) }, (_, index) => send(n + index)));
      await send(count - 1);
    },
    { count, texts: Array.from({ length: count }, (_, n) => text(n)) },
  );
}

export const cases = [
  [
    "the whole history is scrolled through, and the view does not jump",
    async (world) => {
      const [anna, ben] = await pair(world);
      await fill(anna, 300);
      await ben.sees("Message number 299");
      await ben.page.reload();
      await ben.sees("Message number 299");
      const scroller = ben.page.locator(".scroller");
      for (let step = 0; step < 400; step += 1) {
        const jump = await scroller.evaluate(async (element) => {
          const visible = () => {
            const top = element.getBoundingClientRect().top;
            // The bubble: the room above it goes where an older message of the same person comes before it.
            const topOf = (row) => row.querySelector(".bubble").getBoundingClientRect().top - top;
            return [...element.querySelectorAll("article.message")].map((row) => [row.dataset.event, topOf(row)]);
          };
          element.scrollTop -= 400;
          await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
          const before = new Map(visible());
          await new Promise((done) => setTimeout(done, 30));
          const moved = visible().filter(([id]) => before.has(id)).map(([id, top]) => Math.abs(top - before.get(id)));
          return Math.max(0, ...moved);
        });
        check(jump < 3, `the view moved by ${jump} px on its own`);
        if ((await ben.page.locator(".beginning").count()) > 0 && (await ben.message("Message number 0").count()) > 0) break;
      }
      await ben.page.locator("article.message .text", { hasText: /^Message number 0$/ }).waitFor();
      check((await ben.page.locator("article.message").count()) < 120, "only what is in view is drawn");
      await ben.page.getByRole("button", { name: "Go to the newest message" }).click();
      await ben.sees("Message number 299");
    },
  ],
  [
    "messages are searched in a room and everywhere, filtered, and gone to",
    async (world) => {
      const [anna, ben] = await pair(world, "Anna Berg", "Ben Sommer");
      await anna.say("The lighthouse keeper has a red door");
      await ben.sees("red door");
      await fill(anna, 150);
      await ben.say("I would love to see the lighthouse");
      await anna.sees("love to see");
      await anna.page.getByRole("button", { name: "Search in this conversation" }).click();
      await anna.page.getByLabel("Words to look for").fill("lighthouse");
      await until("both messages are found", async () => {
        await anna.page.getByRole("button", { name: "Search", exact: true }).click();
        await anna.page.waitForTimeout(300);
        return (await anna.page.locator(".hit").count()) === 2;
      });
      await anna.page.locator(".hit mark").first().waitFor();
      await world.shot(anna, "search");
      await anna.page.getByLabel("Sender").selectOption({ label: "Anna Berg" });
      await anna.page.getByRole("button", { name: "Search", exact: true }).click();
      await until("only one is hers", async () => (await anna.page.locator(".hit").count()) === 1);
      const tomorrow = new Date(Date.now() + 86_400_000).toISOString().slice(0, 10);
      await anna.page.getByLabel("From").fill(tomorrow);
      await anna.page.getByRole("button", { name: "Search", exact: true }).click();
      await anna.page.getByText("No messages found").waitFor();
      await anna.page.getByLabel("From").fill("");
      await anna.page.getByRole("link", { name: "All chats" }).click();
      await anna.page.getByLabel("Words to look for").fill("red door");
      await anna.page.getByRole("button", { name: "Search", exact: true }).click();
      await anna.page.locator(".hit", { hasText: "red door" }).click();
      await anna.page.locator(".message-found", { hasText: "red door" }).waitFor();
      await anna.page.getByRole("button", { name: "Go to the newest message" }).click();
      await anna.sees("love to see");
    },
  ],
  [
    "what is typed above the list finds a chat, or else messages",
    async (world) => {
      const [anna, ben] = await pair(world, "Anna Berg", "Ben Sommer");
      await ben.say("The windmill turns again");
      await anna.sees("windmill");
      await anna.leaveRoom();
      const filter = anna.page.getByLabel("Filter conversations");
      await filter.fill("somm");
      await filter.press("Enter");
      await anna.sees("windmill");
      await anna.leaveRoom();
      await filter.fill("windmill");
      await anna.page.getByText("No chat of this name").waitFor();
      await until("it is found in the messages", async () => {
        await filter.press("Enter");
        await anna.page.locator(".hits .hit, .hits .empty-title").first().waitFor();
        if ((await anna.page.locator(".hit").count()) === 1) return true;
        await anna.leaveRoom();
        return false;
      });
      await anna.page.locator(".hit", { hasText: "windmill" }).click();
      await anna.page.locator(".message-found", { hasText: "windmill" }).waitFor();
    },
  ],
];
