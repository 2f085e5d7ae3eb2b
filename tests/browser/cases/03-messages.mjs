// Writing: Markdown, emoji, replies, edits, reactions, deletions, delivery, receipts, typing.

import { check, pair, until } from "../harness.mjs";

export const cases = [
  [
    "Markdown is shown as it was meant, and hostile HTML as nothing",
    async (world) => {
      const [anna, ben] = await pair(world);
      await anna.say("This is **bold** and `code`, see https://example.org/page");
      await ben.message("This is").locator("strong", { hasText: "bold" }).waitFor();
      await ben.message("This is").locator("code", { hasText: "code" }).waitFor();
      const link = ben.message("This is").locator('a[href="https://example.org/page"]');
      check((await link.getAttribute("rel")).includes("noreferrer"), "links tell nothing");
      await anna.say("<img src=x onerror=alert(1)> stays text");
      await ben.sees("<img src=x onerror=alert(1)> stays text");
      await sendRaw(anna, {
        msgtype: "m.text",
        body: "hostile",
        format: "org.matrix.custom.html",
        formatted_body:
          '<b>hostile</b><script>window.hit=1</script><img src="https://evil.example/x.png" onerror="window.hit=1">' +
          '<a href="javascript:window.hit=1">click</a><span style="color:red">red</span><form><input></form>',
      });
      await ben.sees("hostile");
      const inner = await ben.message("hostile").locator(".rich").innerHTML();
      check(!/script|img|javascript|style=|form|input/i.test(inner), `what is left: ${inner}`);
      check((await ben.page.evaluate(() => window.hit)) === undefined, "nothing ran");
    },
  ],
  [
    "an emoji is picked, found by its name, and sent large",
    async (world) => {
      const [anna, ben] = await pair(world);
      await anna.page.getByRole("button", { name: "Insert an emoji" }).click();
      await anna.page.getByLabel("Search emoji").fill("fire");
      await anna.page.locator(".emoji-grid").getByRole("button", { name: "fire", exact: true }).waitFor();
      await world.shot(anna, "emoji");
      await anna.page.locator(".emoji-grid").getByRole("button", { name: "fire", exact: true }).click();
      await anna.composer().press("Enter");
      await ben.page.locator(".text-big", { hasText: "🔥" }).waitFor();
    },
  ],
  [
    "a reply quotes, and its quotation leads to the message",
    async (world) => {
      const [anna, ben] = await pair(world);
      await anna.say("Where shall we meet?");
      await ben.sees("Where shall we meet?");
      await ben.act("Where shall we meet?", "Reply");
      await ben.say("At the station");
      await anna.message("At the station").locator(".quote", { hasText: "Where shall we meet?" }).click();
      await anna.page.locator(".message-found", { hasText: "Where shall we meet?" }).waitFor();
    },
  ],
  [
    "an own message is edited and marked so, by key too",
    async (world) => {
      const [anna, ben] = await pair(world);
      await anna.say("See you at 8");
      await anna.sent("See you at 8");
      await anna.act("See you at 8", "Edit");
      await anna.composer().fill("See you at 9");
      await anna.composer().press("Enter");
      await ben.sees("See you at 9");
      await ben.message("See you at 9").locator(".edited").waitFor();
      check((await ben.message("See you at 8").count()) === 0, "the old text is gone");
      await anna.composer().press("ArrowUp");
      await until("the text can be edited", async () => (await anna.composer().inputValue()) === "See you at 9");
      await anna.composer().press("Escape");
      check((await anna.composer().inputValue()) === "", "Escape leaves it");
    },
  ],
  [
    "reactions are counted, and taken back by another click",
    async (world) => {
      const [anna, ben] = await pair(world);
      await anna.say("Cake on Friday");
      await ben.sees("Cake on Friday");
      await ben.act("Cake on Friday", "React with ❤️");
      await anna.message("Cake on Friday").locator(".reaction", { hasText: "❤️" }).click();
      await ben.message("Cake on Friday").locator(".reaction-count", { hasText: "2" }).waitFor();
      await ben.message("Cake on Friday").locator(".reaction", { hasText: "❤️" }).click();
      await anna.message("Cake on Friday").locator(".reaction-count", { hasText: "1" }).waitFor();
    },
  ],
  [
    "a deleted message leaves a placeholder in its place",
    async (world) => {
      const [anna, ben] = await pair(world, "Anna Berg", "Ben Sommer");
      for (const text of ["One train leaves at nine", "Two (a mistake)", "Three of us are coming"]) await anna.say(text);
      await ben.sees("Three of us");
      await anna.sent("Two (a mistake)");
      await anna.act("Two (a mistake)", "Delete");
      await anna.page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
      await ben.sees("Message deleted");
      const texts = await ben.page.locator("article.message").allInnerTexts();
      const at = (word) => texts.findIndex((text) => text.includes(word));
      check(at("One") < at("Message deleted") && at("Message deleted") < at("Three"), `in its place: ${texts}`);
      check(at("mistake") < 0, "the text is gone");
      await anna.act("Three of us", "Edit");
      await anna.composer().fill("Four of us are coming");
      await anna.composer().press("Enter");
      await ben.message("Four of us").locator(".edited").waitFor();
      await ben.say("I'll be there");
      await anna.sees("I'll be there");
      await world.shot(ben, "edit-and-delete");
    },
  ],
  [
    "typing and reading are seen by the other",
    async (world) => {
      const [anna, ben] = await pair(world);
      await anna.say("Are you there?");
      await ben.sees("Are you there?");
      await anna.page.locator(".readers[aria-label*='Ben']").waitFor();
      await ben.composer().pressSequentially("Yes");
      await anna.page.locator(".typing-line", { hasText: "Ben is typing" }).waitFor();
      await ben.composer().press("Enter");
      await anna.sees("Yes");
      await until("typing ends", async () => !(await anna.page.locator(".typing-line").innerText()).includes("typing"));
    },
  ],
  [
    "a conversation between two people",
    async (world) => {
      const [anna, ben] = await pair(world, "Anna Berg", "Ben Sommer");
      await conversation(anna, ben);
      await anna.composer().fill("Great, I'll bring");
      await ben.page.locator(".typing-line", { hasText: "typing" }).waitFor();
      await world.shot(ben, "chat-two-people");
      await anna.act("Then Saturday at ten", "Reply");
      await world.shot(anna, "chat-reply");
    },
  ],
];

/** Something to look at, and to photograph. */
export async function conversation(anna, ben) {
  const lines = [
    [anna, "Morning! The forecast for the weekend is *wonderful*."],
    [anna, "Shall we go up to the hut?"],
    [ben, "Yes! I have been waiting for that since March"],
    [ben, "Then Saturday at ten, at the station?"],
    [anna, "Perfect. I'll make a list:\n\n- bread and cheese\n- the big thermos\n- `headlamps`, just in case"],
    [ben, "Don't forget the map 🗺️"],
  ];
  for (const [who, text] of lines) {
    await who.say(text);
    const word = text.split("\n")[0].replace(/[*`]/g, "").slice(0, 18);
    await (who === anna ? ben : anna).sees(word);
  }
  await ben.act("Shall we go up", "React with 👍");
  await anna.message("Shall we go up").locator(".reaction").waitFor();
  await anna.act("Don't forget", "React with ❤️");
  await ben.message("Don't forget").locator(".reaction").waitFor();
  // Pointing at a message may have scrolled to it.
  for (const person of [anna, ben]) {
    const newest = person.page.getByRole("button", { name: "Go to the newest message" });
    if (await newest.isVisible()) await newest.click();
  }
}

export async function sendRaw(person, content) {
  await person.page.evaluate(async (body) => {
    const { accessToken } = JSON.parse(localStorage.getItem("hearth.session"));
    const room = decodeURIComponent(location.hash.split("/")[2]);
    const path = `/_matrix/client/v3/rooms/${encodeURIComponent(room)}/send/m.room.message/${Math.random()}`;
    const answer = await fetch(path, { method: "PUT", headers: { authorization: `Bearer ${accessToken}` }, body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(await answer.text());
  }, content);
}
