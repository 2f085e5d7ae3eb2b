// Measures the web UI: first paint, scrolling, a long list of rooms. Prints rows for docs/performance.md.
//
//   tests/browser/run --figures        on a machine that does nothing else

import { check, launch, Server, sleep, until, World } from "./harness.mjs";

const MESSAGES = 10_000;
const ROOMS = 1_000;
const LOADS = 15;
const AT_ONCE = 16;

const server = new Server();
await server.start();
const browser = await launch();
const world = new World(browser, server);

function percentile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}

function row(what, values, digits = 1) {
  const [p50, p95, most] = [0.5, 0.95, 1].map((share) => percentile(values, share).toFixed(digits));
  console.log(`| ${what} | ${p50} | ${p95} | ${most} | ${values.length} |`);
}

async function call(token, method, path, body) {
  const answer = await fetch(`http://127.0.0.1:${server.port}/_matrix/client/v3${path}`, {
    method, headers: { authorization: `Bearer ${token}` }, body: body && JSON.stringify(body),
  }); // prettier-ignore
  check(answer.ok, `${method} ${path} gave ${answer.status}`);
  return answer.json();
}

/** Does something many times, some of it side by side. */
async function many(count, act) {
  let next = 0;
  const work = async () => {
    while (next < count) await act(next++);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

/** From the start of the navigation to the first paint of anything, in a browser context without a cache. */
async function firstPaints() {
  const times = [];
  for (let load = 0; load < LOADS; load += 1) {
    const person = await world.visitor();
    const painted = () => person.page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime);
    await until("a paint", async () => (await painted()) !== undefined);
    times.push(await painted());
    await person.context.close();
  }
  row("first paint of the page for signing up, nothing cached", times, 0);
}

/** How long the page's main thread computed between one frame and the next, in milliseconds, while `act` ran. */
async function framesWhile(page, act) {
  await browser.startTracing(page, { categories: ["toplevel", "devtools.timeline", "disabled-by-default-devtools.timeline.frame"] });
  await act();
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString());
  const begins = traceEvents.filter(({ name }) => name === "BeginMainThreadFrame");
  const counts = Map.groupBy(begins, ({ pid, tid }) => `${pid} ${tid}`);
  const [thread] = [...counts].sort((a, b) => b[1].length - a[1].length)[0];
  const starts = counts.get(thread).map(({ ts }) => ts).sort((a, b) => a - b);
  const frames = starts.map(() => 0);
  // Of the thread's own time where it is told: another process that has the core is nobody's work here.
  for (const { name, pid, tid, ts, dur, tdur, ph } of traceEvents) {
    if (ph !== "X" || !/RunTask$/.test(name) || `${pid} ${tid}` !== thread) continue;
    const index = starts.findLastIndex((start) => start <= ts + dur);
    if (index >= 0) frames[index] += (tdur ?? dur) / 1000;
  }
  return frames;
}

/** Turns the wheel over the list of messages, a notch a frame. */
async function scroll(page, notches, px) {
  const box = await page.locator(".scroller").boundingBox();
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  for (let notch = 0; notch < notches; notch += 1) {
    await page.mouse.wheel(0, px);
    await sleep(16);
  }
}

async function scrolling() {
  const reader = await world.person("Reader");
  const token = await reader.token();
  const { room_id: roomId } = await call(token, "POST", "/createRoom", { name: "Long history" });
  const path = `/rooms/${encodeURIComponent(roomId)}/send/m.room.message`;
  const words = "the quick brown fox jumps over the lazy dog and runs back home before it rains again".split(" ");
  await many(MESSAGES, (n) => {
    const body = `${n}: ${words.slice(0, 3 + (n * 7) % words.length).join(" ")}`;
    return call(token, "PUT", `${path}/t${n}`, { msgtype: "m.text", body });
  });
  await reader.page.reload();
  await reader.open("Long history");
  row("main thread a frame, scrolling back, pages of history coming in", await framesWhile(reader.page, () => scroll(reader.page, 400, -240)));
  const isAtStart = () => reader.page.locator(".beginning").count();
  await until("all of the history", async () => {
    await reader.page.locator(".scroller").evaluate((element) => (element.scrollTop = 0));
    return (await isAtStart()) > 0;
  }, 200_000);
  await sleep(1_000);
  await reader.page.locator(".scroller").evaluate((element) => (element.scrollTop = 0));
  await sleep(1_000);
  row(`main thread a frame, scrolling with all ${MESSAGES} messages there`, await framesWhile(reader.page, () => scroll(reader.page, 400, 240)));
  await sleep(1_000);
  const at = await reader.page.locator(".scroller").evaluate((element) => element.scrollTop);
  check(Math.abs(at - 400 * 240) < 2_000, `400 notches of 240 px led to ${at} px`);
  const drawn = await reader.page.locator("article.message").count();
  check(drawn < 150, `${drawn} messages are drawn`);
  const writer = async (n) => {
    await call(token, "PUT", `${path}/late${n}`, { msgtype: "m.text", body: `late ${n}` });
    await sleep(100);
  };
  await reader.page.getByRole("button", { name: "Go to the newest message" }).click();
  row(`main thread a frame, messages coming in at its end`, await framesWhile(reader.page, async () => {
    for (let n = 0; n < 50; n += 1) await writer(n);
  }));
  await reader.context.close();
}

async function rooms() {
  const owner = await world.person("Owner");
  const token = await owner.token();
  let last;
  await many(ROOMS, async (n) => {
    const { room_id: roomId } = await call(token, "POST", "/createRoom", { name: `Room ${n}` });
    last = roomId;
    await call(token, "PUT", `/rooms/${encodeURIComponent(roomId)}/send/m.room.message/t${n}`, { msgtype: "m.text", body: `Hello from ${n}` });
  });
  await owner.page.evaluate(() => indexedDB.databases().then((all) => Promise.all(all.map(({ name }) => indexedDB.deleteDatabase(name)))));
  const firsts = [];
  const shown = async () => {
    const from = Date.now();
    await owner.page.reload();
    await until("the first rooms", async () => (await owner.page.locator("a.entry").count()) > 0, 60_000);
    firsts.push(Date.now() - from);
    await until("all rooms", async () => (await owner.page.locator("a.entry").count()) === ROOMS, 60_000);
    return Date.now() - from;
  };
  row(`${ROOMS} rooms: from loading the page to the whole list, first time`, [await shown()], 0);
  await sleep(3_000);
  const again = [];
  for (let load = 0; load < 5; load += 1) again.push(await shown());
  row(`${ROOMS} rooms: the same, with what is stored in the browser`, again, 0);
  row(`${ROOMS} rooms: from loading the page to the first of the list`, firsts, 0);
  await sleep(3_000);
  row(`${ROOMS} rooms: main thread a frame, a message in any room moves it to the top`, await framesWhile(owner.page, async () => {
    for (let n = 0; n < 30; n += 1) {
      await call(token, "PUT", `/rooms/${encodeURIComponent(last)}/send/m.room.message/late${n}`, { msgtype: "m.text", body: `late ${n}` });
      await sleep(100);
    }
  }));
  await owner.page.mouse.move(170, 400);
  row(`${ROOMS} rooms: main thread a frame, scrolling the list`, await framesWhile(owner.page, async () => {
    for (let notch = 0; notch < 200; notch += 1) {
      await owner.page.mouse.wheel(0, 240);
      await sleep(16);
    }
  }));
  await owner.context.close();
}

console.log("| in ms | p50 | p95 | most | of |");
console.log("|---|---|---|---|---|");
await firstPaints();
await scrolling();
await rooms();
const complaints = world.complaints();
await browser.close();
await server.end();
check(complaints.length === 0, complaints.join("\n"));
