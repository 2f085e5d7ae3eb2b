// The WebSocket: what goes over it and what does not; a network that lets none through.

import { check, pair, until } from "../harness.mjs";
import { picture } from "../files.mjs";
import { Proxy } from "../pipe.mjs";

const CLIENT_API = "/_matrix/client/";
/** What goes over HTTP by docs/websocket.md, whatever there is. */
const ALWAYS_HTTP = [
  /^\/_matrix\/client\/versions$/,
  /^\/_matrix\/client\/[^/]+\/(?:login|register|refresh|logout|account|auth)(?:\/|$)/,
  /^\/_matrix\/(?:media|client\/v1\/media)\//,
  /^\/_matrix\/client\/[^/]+\/rooms\/[^/]+\/(?:messages|members|state)$/,
];
const POLL = /\/sync\?(?:.*&)?since=/;

/** Notes frames and requests of a page, each in the order in which it came. */
export function listen(person) {
  const log = { frames: [], requests: [], sockets: 0, open: 0 };
  person.page.on("websocket", (socket) => {
    log.sockets += 1;
    log.open += 1;
    socket.on("close", () => (log.open -= 1));
    const note = (from) => ({ payload }) => log.frames.push({ from, ...JSON.parse(payload) });
    socket.on("framesent", note("client"));
    socket.on("framereceived", note("server"));
  });
  person.page.on("request", (request) => {
    const url = new URL(request.url());
    log.requests.push({ method: request.method(), path: url.pathname + url.search, pathname: url.pathname });
  });
  return log;
}

const isPushing = (log) => log.frames.some(({ from, op }) => from === "server" && op === "sync");

/** Calls that the page made over HTTP though the socket carries them. */
function strays(log) {
  return log.requests.filter(({ path, pathname }) => pathname.startsWith(CLIENT_API) && (POLL.test(path) || !ALWAYS_HTTP.some((pattern) => pattern.test(pathname)) && !/\/sync$/.test(pathname)));
}

export const cases = [
  [
    "while the socket is up, no sync with a position and no call of its kind goes over HTTP",
    async (world) => {
      const [anna, ben] = await pair(world, "Anna Berg", "Ben Sommer");
      const logs = new Map();
      for (const person of [anna, ben]) {
        logs.set(person, listen(person));
        await person.page.reload();
        await until("the socket pushes", () => isPushing(logs.get(person)));
        logs.get(person).requests.length = 0;
      }
      await converse(anna, ben);
      for (const [person, log] of logs) {
        check(log.sockets === 1 && log.open === 1, `${person.name}: one socket, which is still open (${log.sockets}, ${log.open})`);
        const over = strays(log).map(({ method, path }) => `${method} ${path}`);
        check(over.length === 0, `${person.name}: over HTTP went ${over.join("\n")}`);
        const calls = log.frames.filter(({ op }) => op === "call").map(({ method, path }) => `${method} ${path}`);
        for (const kind of ["/send/m.room.message/", "/send/m.reaction/", "/typing/", "/receipt/"]) {
          check(calls.some((call) => call.includes(kind)), `${person.name}: ${kind} went over the socket, with ${calls.join("\n")}`);
        }
        const tokens = log.frames.filter(({ op }) => op === "auth").length;
        check(tokens === 1, `${person.name}: the token is told once, in the first frame`);
        const seqs = log.frames.filter(({ from, op }) => from === "server" && op === "sync").map(({ id, seq }) => `${id} ${seq}`);
        check(new Set(seqs).size === seqs.length, `${person.name}: no body twice`);
      }
    },
  ],
  [
    "a network that lets no socket through: long polling takes over; when it does, the socket comes back",
    async (world) => {
      const proxy = await new Proxy().start(Number(new URL(world.server.url).port));
      try {
        const anna = await world.person("Anna", { url: proxy.url });
        const ben = await world.person("Ben");
        anna.forgive(/WebSocket connection|ERR_/);
        const log = listen(anna);
        await anna.startChat(ben);
        await ben.accept("Anna");
        await until("the socket is there", () => proxy.sockets === 1);
        await both(anna, ben, "by socket");
        proxy.block();
        await both(anna, ben, "by polling");
        log.requests.length = 0;
        await both(anna, ben, "still by polling");
        check(proxy.sockets === 0, "there is no socket");
        await until("it polls", () => log.requests.some(({ path }) => POLL.test(path)));
        check((await anna.page.locator(".banner").count()) === 0, "nobody is told of it");
        log.frames.length = 0;
        proxy.unblock();
        await until("the socket comes back", () => isPushing(log), 70_000);
        await both(anna, ben, "by socket again");
        log.requests.length = 0;
        await both(anna, ben, "and so on");
        check(strays(log).length === 0, `nothing goes over HTTP again: ${JSON.stringify(strays(log))}`);
        for (const person of [anna, ben]) {
          const texts = (await person.page.locator("article.message .text").allInnerTexts()).filter((text) => / of /.test(text));
          check(new Set(texts).size === 10 && texts.length === 10, `each message once: ${texts.join(", ")}`);
        }
      } finally {
        proxy.end();
      }
    },
  ],
  [
    "where there was never a socket, all goes by long polling",
    async (world) => {
      const proxy = await new Proxy().start(Number(new URL(world.server.url).port));
      try {
        proxy.block();
        const [anna, ben] = await pair(world, "Anna", "Ben", { url: proxy.url, forgive: /WebSocket connection|403/ });
        await both(anna, ben, "without a socket");
        await anna.openSettings();
        await anna.page.getByText("Connected by long polling").waitFor();
      } finally {
        proxy.end();
      }
    },
  ],
];

async function both(anna, ben, how) {
  await anna.say(`${how}, of Anna`);
  await ben.sees(`${how}, of Anna`);
  await ben.say(`${how}, of Ben`);
  await anna.sees(`${how}, of Ben`);
}

/** Everything that two people do all day. */
async function converse(anna, ben) {
  await anna.home();
  if ((await anna.page.locator(".room").count()) === 0) await anna.open("Ben Sommer");
  if ((await ben.page.locator(".room").count()) === 0) await ben.open("Anna Berg");
  await anna.composer().pressSequentially("The lighthouse is open", { delay: 20 });
  await ben.page.locator(".typing-line", { hasText: "typing" }).waitFor();
  await anna.composer().press("Enter");
  await ben.sees("The lighthouse is open");
  await ben.composer().pressSequentially("Since when?", { delay: 20 });
  await ben.composer().press("Enter");
  await anna.sees("Since when?");
  await anna.act("Since when?", "React with ❤️");
  await ben.act("The lighthouse", "React with 👍");
  await anna.message("The lighthouse").locator(".reaction").waitFor();
  await ben.act("The lighthouse", "Reply");
  await ben.say("Shall we go?");
  await anna.sees("Shall we go?");
  await anna.page.locator('.composer input[type="file"]').setInputFiles([picture("view.png", 300, 200)]);
  await anna.page.getByRole("dialog").getByRole("button", { name: "Send", exact: true }).click();
  await ben.page.waitForFunction(() => document.querySelector('article.message img[alt="view.png"]')?.naturalWidth > 0);
  await anna.say("A mistake");
  await anna.sent("A mistake");
  await anna.act("A mistake", "Edit");
  await anna.composer().fill("A misteak");
  await anna.composer().press("Enter");
  await ben.sees("A misteak");
  await anna.act("A misteak", "Delete");
  await anna.page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await ben.sees("Message deleted");
  await anna.page.getByRole("button", { name: "Search in this conversation" }).click();
  await anna.page.getByLabel("Words to look for").fill("lighthouse");
  await until("it is found", async () => {
    await anna.page.getByRole("button", { name: "Search", exact: true }).click();
    await anna.page.waitForTimeout(300);
    return (await anna.page.locator(".hit").count()) === 1;
  });
  await anna.page.locator(".hit").click();
  await anna.page.locator(".message-found").waitFor();
}
