// What the cases stand on: a server of their own, people in browser contexts of their own, checks.

import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { chromium } from "playwright-core";

import { startOverlay } from "./overlay.mjs";

const START_MS_MAX = 60_000;
/** For what has to show; the machine may be busy. */
export const SHOWN_MS_MAX = 20_000;
const FLAGS = [
  "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync",
]; // prettier-ignore

export const DESKTOP = { width: 1180, height: 760 };
export const PHONE = { width: 360, height: 720 };
/** What people have in front of them, where a case does not say. */
export const FORMS = {
  desktop: { viewport: DESKTOP, dark: false },
  phone: { viewport: PHONE, dark: true },
};

async function freePort() {
  const fixed = Number(process.env.HEARTH_TEST_PORT ?? 0);
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(fixed, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

/** The server under test, with data of its own. */
export class Server {
  #process;
  #folder = mkdtempSync(join(tmpdir(), "hearth-browser-"));

  async start(extra = []) {
    this.port ??= await freePort();
    this.url = `http://localhost:${this.port}`;
    const log = openSync(join(this.#folder, "server.log"), "a");
    const binary = process.env.HEARTH_BIN;
    const open = extra.includes("--registration") ? [] : ["--registration", "open"];
    const args = [
      "serve", "--server-name", "localhost", "--listen", `127.0.0.1:${this.port}`, "--data", join(this.#folder, "data"),
      "--rate-limits", "off", "--set", "user_directory.search_all_users=true", ...open, ...extra,
    ]; // prettier-ignore
    this.#process = spawn(binary, args, { stdio: ["ignore", log, log] });
    const end = Date.now() + START_MS_MAX;
    for (;;) {
      const answer = await fetch(`${this.url}/_matrix/client/versions`).catch(() => undefined);
      if (answer?.ok) break;
      if (this.#process.exitCode !== null || Date.now() > end) throw new Error(`the server did not start:\n${this.tail()}`);
      await sleep(50);
    }
    if (process.env.HEARTH_UI_OVERLAY) this.overlay ??= await startOverlay(this.port);
    if (this.overlay) this.url = this.overlay;
  }

  /** One of the operator's commands, about this server. */
  run(...command) {
    const args = ["--data", join(this.#folder, "data"), "--server-name", "localhost", ...command];
    return execFileSync(process.env.HEARTH_BIN, args, { encoding: "utf8" });
  }

  tail() {
    return readFileSync(join(this.#folder, "server.log"), "utf8").split("\n").slice(-20).join("\n");
  }

  async kill(signal = "SIGKILL") {
    if (!this.#process || this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const ended = new Promise((resolve) => this.#process.once("exit", resolve));
    this.#process.kill(signal);
    await ended;
  }

  async end() {
    await this.kill("SIGTERM");
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export function check(condition, what) {
  if (!condition) throw new Error(what);
}

/** Asks until the answer is true. */
export async function until(what, ask, ms = SHOWN_MS_MAX) {
  const end = Date.now() + ms;
  for (;;) {
    if (await ask()) return;
    if (Date.now() > end) throw new Error(`it did not happen within ${ms} ms: ${what}`);
    await sleep(50);
  }
}

/** The pictures that lie in docs/screenshots. */
const DOCUMENTED = new Set([
  "sign-up", "sign-in", "chat-two-people", "media", "presence", "edit-and-delete", "search", "list-unread", "settings",
  "offline", "dark", "phone-chat", "phone-list",
]); // prettier-ignore

let names = 0;
const titles = new Map();

/** What a case works with. It ends what it has begun, and complains of what pages have complained of. */
export class World {
  #people = [];

  constructor(browser, server, shots, form = FORMS.desktop) {
    this.browser = browser;
    this.server = server;
    this.shots = shots;
    this.form = form;
  }

  /** Opens the page in a context of its own, not signed in. */
  async visitor(wanted = {}) {
    const options = { ...this.form, url: this.server.url, ...wanted };
    const isPhone = options.viewport === PHONE;
    const context = await this.browser.newContext({
      viewport: options.viewport,
      colorScheme: options.dark ? "dark" : "light",
      hasTouch: isPhone,
      isMobile: isPhone,
      locale: "en-GB",
      timezoneId: "Europe/Berlin",
      permissions: options.permissions ?? [],
      reducedMotion: "reduce",
    });
    const page = await context.newPage();
    const person = new Person(context, page, options.url, isPhone);
    if (options.forgive) person.forgive(options.forgive);
    person.watch(page);
    this.#people.push(person);
    await page.goto(options.url);
    return person;
  }

  /** Somebody with an account that was made through the page. */
  async person(shownName, options = {}) {
    const person = await this.visitor(options);
    await person.signUp(shownName, options);
    return person;
  }

  /** A name that no public room has yet. */
  unique(title) {
    const count = (titles.get(title) ?? 0) + 1;
    titles.set(title, count);
    return count === 1 ? title : `${title} ${count}`;
  }

  complaints() {
    return this.#people.flatMap((person) => person.complaints);
  }

  /** What the pages looked like when a case failed. */
  async keepFailure(name) {
    const folder = process.env.HEARTH_BROWSER_FAILURES;
    if (!folder) return;
    for (const [index, person] of this.#people.entries()) {
      const path = join(folder, `${name.replace(/[^a-z0-9]+/gi, "-").slice(0, 60)}-${index}.png`);
      await person.page.screenshot({ path, timeout: 5_000 }).catch(() => undefined);
    }
  }

  async end() {
    for (const person of this.#people) await person.context.close().catch(() => undefined);
  }

  /** A picture of the page, if pictures are wanted: those of the documentation, or all. */
  async shot(person, name) {
    if (!this.shots || !(DOCUMENTED.has(name) || process.env.HEARTH_BROWSER_ALL_SHOTS)) return;
    await person.page.mouse.move(0, 0);
    await person.page.evaluate(() => document.fonts.ready);
    await sleep(350);
    await person.page.screenshot({ path: join(this.shots, `${name}.png`) });
  }
}

export class Person {
  complaints = [];
  requests = [];
  /** The machine's own network may change under the browser, which is nobody's fault here. */
  #forgiven = [/ERR_NETWORK_CHANGED/];

  constructor(context, page, url, isPhone) {
    this.context = context;
    this.page = page;
    this.url = url;
    this.isPhone = isPhone;
  }

  /** Notes what a page loads, and what it complains of. */
  watch(page) {
    page.setDefaultTimeout(SHOWN_MS_MAX);
    page.on("console", (message) => {
      if (message.type() !== "error") return;
      const text = `${message.text()} ${message.location().url ?? ""}`;
      if (!this.#forgiven.some((pattern) => pattern.test(text))) this.complaints.push(`console: ${text}`);
    });
    page.on("pageerror", (error) => this.complaints.push(`error in the page: ${error.stack ?? error.message}`));
    page.on("request", (request) => {
      const url = new URL(request.url());
      this.requests.push(request.url());
      const ours = url.origin === this.url || ["blob:", "data:", "about:"].includes(url.protocol);
      if (!ours) this.complaints.push(`it loads from elsewhere: ${request.url()}`);
    });
  }

  /** Errors of the network that a case brings about itself. */
  forgive(pattern) {
    this.#forgiven.push(pattern);
  }

  async signUp(shownName, options = {}) {
    const { page } = this;
    names += 1;
    this.name = options.name ?? `${shownName.toLowerCase().replace(/[^a-z]/g, "")}${names}`;
    this.shownName = shownName;
    this.password = "correct horse";
    await page.getByRole("heading", { name: "Create your account" }).waitFor();
    await page.getByLabel("Name", { exact: true }).fill(this.name);
    await page.getByLabel("Display name (optional)").fill(shownName);
    await page.getByLabel("Password").fill(this.password);
    if (options.picture) await page.locator('.picture-picker input[type="file"]').setInputFiles(options.picture);
    await page.getByRole("button", { name: "Create account" }).click();
    await page.getByRole("heading", { name: "Chats" }).waitFor();
    this.id = `@${this.name}:localhost`;
  }

  /** Brings the list of conversations into view, which a phone shows alone. */
  async home() {
    const back = this.page.getByRole("link", { name: /^Back/ });
    if (await back.first().isVisible()) await back.first().click();
    await this.page.getByRole("heading", { name: "Chats" }).waitFor();
  }

  /** Leaves what is open, so that nothing of it counts as being read. */
  async leaveRoom() {
    await this.page.goto(`${this.url}/#/`);
    await this.page.getByRole("heading", { name: "Chats" }).waitFor();
  }

  async openSettings() {
    await this.home();
    await this.page.getByRole("button", { name: "Settings and profile" }).click();
    await this.page.getByRole("dialog").waitFor();
  }

  /** Starts a direct chat by the user directory. */
  async startChat(other) {
    const { page } = this;
    await this.home();
    await page.getByRole("button", { name: "New chat" }).click();
    await page.getByLabel("Find people").fill(other.name);
    await page.locator(".person", { hasText: other.id }).click();
    await page.getByRole("form", { name: "Write a message" }).waitFor();
  }

  async accept(name) {
    await this.home();
    const invitation = this.page.getByRole("group", { name: `Invitation to ${name}` });
    await invitation.getByRole("button", { name: "Accept" }).click();
    await this.page.getByRole("form", { name: "Write a message" }).waitFor();
  }

  /** For what a case does behind the page's back. */
  token() {
    return this.page.evaluate(() => JSON.parse(localStorage.getItem("hearth.session")).accessToken);
  }

  composer() {
    return this.page.locator(".composer textarea");
  }

  async say(text) {
    await this.composer().fill(text);
    await this.composer().press("Enter");
  }

  /** The message in the timeline that has this text. */
  message(text) {
    return this.page.locator("article.message", { hasText: text });
  }

  async sees(text) {
    await this.message(text).first().waitFor();
  }

  /** Whether an own message has reached the server. */
  async sent(text) {
    await this.message(text).locator(".mark-sent, .mark-read").first().waitFor();
  }

  /** Opens the actions of a message, and clicks one. */
  async act(text, action) {
    const message = this.message(text).first();
    const button = message.getByRole("button", { name: action, exact: true });
    // What arrives meanwhile moves the message away from under the pointer; then it is pointed at again.
    await until(`${action} is clicked`, async () => {
      if (!(await button.isVisible())) {
        await this.page.mouse.move(0, 0);
        await (this.isPhone ? message.tap() : message.hover());
      }
      return button.click({ timeout: 1_000 }).then(
        () => true,
        () => false,
      );
    });
  }

  entry(name) {
    return this.page.locator("a.entry", { has: this.page.locator(".entry-name", { hasText: name }) });
  }

  async open(name) {
    await this.home();
    await this.entry(name).click();
    await this.page.getByRole("form", { name: "Write a message" }).waitFor();
  }

  async createGroup(name, { open = "Private", invite = [] } = {}) {
    const { page } = this;
    await this.home();
    await page.getByRole("button", { name: "New group" }).click();
    await page.getByLabel("Name of the group").fill(name);
    await page.locator(".choice", { hasText: open }).click();
    for (const other of invite) {
      await page.getByLabel("Invite people").fill(other.name);
      await page.locator(".person", { hasText: other.id }).click();
    }
    await page.getByRole("button", { name: "Create group" }).click();
    await page.getByRole("form", { name: "Write a message" }).waitFor();
  }
}

/** Two people in a direct chat. */
export async function pair(world, first = "Anna", second = "Ben", options = {}) {
  const a = await world.person(first, options);
  const b = await world.person(second, options);
  await a.startChat(b);
  await b.accept(first);
  return [a, b];
}

export async function launch() {
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: FLAGS });
}
