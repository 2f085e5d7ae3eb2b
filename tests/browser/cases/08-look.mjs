// How it looks and is reached: phone width, dark theme, keyboard, screen readers, the policy.

import { createRequire } from "node:module";

import { check, pair, PHONE, until } from "../harness.mjs";
import { picture } from "../files.mjs";
import { conversation } from "./03-messages.mjs";

const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

/** Complains of every serious fault that axe finds. */
export async function examine(person, where) {
  // The policy forbids inline scripts; the debugger's own channel may add one.
  const source = await import("node:fs").then(({ readFileSync }) => readFileSync(AXE, "utf8"));
  await person.page.evaluate(source);
  const found = await person.page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  const serious = found.violations.filter(({ impact }) => impact === "serious" || impact === "critical");
  const lines = serious.map(({ id, nodes }) => `${id}: ${nodes.map((node) => `${node.html.slice(0, 160)} ${node.any.map((one) => one.message).join("; ")}`).join(" | ")}`);
  check(lines.length === 0, `axe, ${where}: ${lines.join("\n")}`);
}

export async function noSideways(person, where) {
  const over = await person.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  check(over <= 0, `${where}: ${over} px too wide`);
}

export const cases = [
  [
    "at 360 px everything fits, from signing up to a chat with pictures",
    async (world) => {
      const anna = await world.visitor({ viewport: PHONE });
      await noSideways(anna, "signing up");
      await world.shot(anna, "phone-sign-up");
      await anna.signUp("Anna Berg");
      await noSideways(anna, "the empty list");
      await world.shot(anna, "phone-empty");
      const ben = await world.person("Ben Sommer");
      await ben.startChat(anna);
      await world.shot(anna, "phone-invitation");
      await anna.accept("Ben Sommer");
      await conversationByTouch(anna, ben);
      await noSideways(anna, "the chat");
      await world.shot(anna, "phone-chat");
      await anna.page.getByRole("button", { name: "Members", exact: true }).click();
      await noSideways(anna, "the details");
      await world.shot(anna, "phone-details");
      await anna.page.getByRole("button", { name: "Close" }).click();
      await anna.page.getByRole("link", { name: "Back to the conversations" }).click();
      await anna.entry("Ben Sommer").waitFor();
      await world.shot(anna, "phone-list");
    },
    "desktop",
  ],
  [
    "the dark theme follows the system, and the switch overrules it",
    async (world) => {
      const [anna, ben] = await pair(world, "Anna Berg", "Ben Sommer", { dark: true });
      const theme = () => anna.page.evaluate(() => document.documentElement.dataset.theme);
      check((await theme()) === "dark", "it follows the system");
      await conversation(anna, ben);
      await world.shot(anna, "dark");
      await examine(anna, "dark chat");
      await anna.openSettings();
      await world.shot(anna, "dark-settings");
      await examine(anna, "dark settings");
      await anna.page.getByRole("radio", { name: "Light" }).check();
      check((await theme()) === "light", "the switch overrules it");
      await anna.page.reload();
      await anna.page.getByRole("heading", { name: "Chats" }).waitFor();
      check((await theme()) === "light", "and is remembered");
    },
    "desktop",
  ],
  [
    "axe finds no serious fault, in any view",
    async (world) => {
      const visitor = await world.visitor();
      await examine(visitor, "signing up");
      await visitor.page.goto(`${world.server.url}/#/sign-in`);
      await examine(visitor, "signing in");
      const [anna, ben] = await pair(world, "Anna Berg", "Ben Sommer");
      await conversation(anna, ben);
      await anna.act("Morning", "Delete");
      await examine(anna, "asking before deleting");
      await anna.page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
      await anna.sees("Message deleted");
      await examine(anna, "the chat");
      await anna.home();
      for (const name of ["New chat", "New group", "Browse public rooms", "Settings and profile"]) {
        await anna.page.getByRole("button", { name, exact: true }).click();
        await anna.page.getByRole("dialog").waitFor();
        await anna.page.waitForTimeout(500);
        await examine(anna, name);
        await anna.page.keyboard.press("Escape");
      }
      await anna.open("Ben Sommer");
      await anna.page.getByRole("button", { name: "Insert an emoji" }).click();
      await anna.page.locator(".emoji-grid .emoji").first().waitFor();
      await examine(anna, "emoji");
      await anna.page.keyboard.press("Escape");
      await anna.page.getByRole("button", { name: "Members", exact: true }).click();
      await anna.page.locator(".details .person").first().waitFor();
      await examine(anna, "details");
      await anna.page.getByRole("complementary").getByRole("button", { name: "Close" }).click();
      await anna.page.getByRole("button", { name: "Search in this conversation" }).click();
      await examine(anna, "search");
    },
  ],
  [
    "everything can be done by the keyboard alone",
    async (world) => {
      const [anna, ben] = await pair(world);
      await anna.say("by hand");
      await ben.sees("by hand");
      const { keyboard } = ben.page;
      await ben.leaveRoom();
      // A dialog closes by one press, whatever has been typed, and opens again.
      for (let time = 0; time < 2; time += 1) {
        await ben.page.getByRole("button", { name: "New chat" }).press("Enter");
        await ben.page.getByRole("dialog").waitFor();
        await keyboard.type("ann");
        await keyboard.press("Escape");
        await ben.page.getByRole("dialog").waitFor({ state: "detached" });
      }
      await keyboard.press("Control+k");
      await keyboard.type("anna");
      await tabTo(ben, "a.entry");
      await keyboard.press("Enter");
      await ben.page.getByRole("form", { name: "Write a message" }).waitFor();
      await until("writing has the focus", () => ben.page.evaluate(() => document.activeElement?.tagName === "TEXTAREA"));
      await keyboard.type("only keys");
      await keyboard.press("Enter");
      await anna.sees("only keys");
      await tabTo(ben, ".scroller", "Shift+Tab");
      await keyboard.press("ArrowUp");
      await keyboard.press("ArrowUp");
      await until("a message has the focus", () => ben.page.evaluate(() => document.activeElement?.textContent?.includes("by hand")));
      await keyboard.press("Tab");
      await keyboard.press("Enter");
      await anna.message("by hand").locator(".reaction", { hasText: "👍" }).waitFor();
    },
    "desktop",
  ],
  [
    "nothing is loaded from elsewhere, and the policy is strict",
    async (world) => {
      const anna = await world.person("Tilda", { picture: picture("me.png", 96, 96) });
      const answer = await anna.page.request.get(world.server.url);
      const policy = answer.headers()["content-security-policy"];
      for (const part of ["default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' blob:", "connect-src 'self'", "worker-src 'self'"]) {
        check(policy.includes(part), `${part} in ${policy}`);
      }
      check(!/unsafe|data:|https?:|\*/.test(policy), policy);
      await anna.page.getByRole("button", { name: "New group" }).click();
      await anna.page.keyboard.press("Escape");
      const elsewhere = anna.requests.filter((url) => !url.startsWith(world.server.url) && !url.startsWith("blob:"));
      check(elsewhere.length === 0, elsewhere.join());
    },
  ],
  [
    "an encrypted room says so in words",
    async (world) => {
      const anna = await world.person("Ulla");
      await anna.page.evaluate(async () => {
        const { accessToken } = JSON.parse(localStorage.getItem("hearth.session"));
        const state = [{ type: "m.room.encryption", state_key: "", content: { algorithm: "m.megolm.v1.aes-sha2" } }];
        const body = JSON.stringify({ name: "Secrets", initial_state: state });
        await fetch("/_matrix/client/v3/createRoom", { method: "POST", headers: { authorization: `Bearer ${accessToken}` }, body });
      });
      await anna.entry("Secrets").click();
      await anna.page.locator(".encrypted-note", { hasText: "end-to-end encrypted" }).waitFor();
      check((await anna.composer().count()) === 0, "nothing can be sent in the clear");
    },
  ],
  [
    "a busy list, for the documentation",
    async (world) => {
      const [host, guest] = [await world.person("Vera Lind"), await world.person("Walter Kern")];
      for (const [name, text] of [["Garden club", "The tomatoes are in!"], ["Chess on Tuesdays", "Knight takes e5, good night"], ["Street festival", "Who brings the tables?"]]) {
        await host.createGroup(name, { invite: [guest] });
        await guest.accept(name);
        await host.say(text);
        await guest.sees(text);
      }
      await guest.leaveRoom();
      await host.open("Garden club");
      await host.say("And the first strawberries 🍓");
      await host.say("Come by on Sunday");
      await guest.page.locator("a.entry .badge", { hasText: "2" }).waitFor();
      await world.shot(guest, "list-unread");
    },
    "desktop",
  ],
];

/** Presses Tab until what has the focus fits. */
async function tabTo(person, selector, key = "Tab") {
  for (let press = 0; press < 40; press += 1) {
    await person.page.keyboard.press(key);
    if (await person.page.evaluate((wanted) => document.activeElement?.matches(wanted) ?? false, selector)) return;
  }
  throw new Error(`the focus never came to ${selector}`);
}

async function conversationByTouch(anna, ben) {
  await ben.say("Are you coming tonight?");
  await anna.sees("Are you coming tonight?");
  await anna.say("Of course! I'll bring the **big** pot");
  await ben.sees("bring the big pot");
  await ben.page.locator('.composer input[type="file"]').setInputFiles([picture("sunset.png", 800, 520, 1)]);
  await ben.page.getByRole("dialog").getByRole("button", { name: "Send", exact: true }).click();
  await anna.page.waitForFunction(() => document.querySelector('article.message img[alt="sunset.png"]')?.naturalWidth > 0);
  await anna.message("Are you coming").tap();
  await anna.message("Are you coming").getByRole("button", { name: "React with ❤️" }).tap();
  await ben.message("Are you coming").locator(".reaction").waitFor();
}
