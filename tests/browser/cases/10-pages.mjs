// Pages beside the UI: signing up where the server asks for more, stages of authentication, a whole login.

import { check, Server, until } from "../harness.mjs";
import { examine, noSideways } from "./08-look.mjs";

const ASKS_FOR_MORE = [
  "--registration", "token", "--set", "users.terms_required=true",
  "--set", 'users.policies=["house_rules 1.0 en https://example.org/rules House rules"]',
]; // prettier-ignore

export const cases = [
  [
    "a server that asks for a token and for its terms: signing up leads through both",
    async (world) => {
      const server = new Server();
      try {
        await server.start(ASKS_FOR_MORE);
        const token = server.run("token", "create").trim();
        const person = await world.visitor({ url: server.url, forgive: /status of 401/ });
        const { page } = person;
        await page.getByLabel("Name", { exact: true }).fill("wanda");
        await page.getByLabel("Password").fill("correct horse");
        await page.getByRole("button", { name: "Create account" }).click();
        await page.getByRole("heading", { name: "You need an invitation" }).waitFor();
        await examine(person, "the stage of the token");
        await page.getByLabel("Registration token").fill("misread");
        await page.getByRole("button", { name: "Go on" }).click();
        await page.locator(".field-wrong", { hasText: "does not know this token" }).waitFor();
        // Back to the form and forth again: the name is still to be had.
        await page.getByRole("button", { name: "Cancel" }).click();
        await page.getByLabel("Name", { exact: true }).fill("wanda");
        await page.getByLabel("Password").fill("correct horse");
        await page.getByRole("button", { name: "Create account" }).click();
        await page.getByRole("heading", { name: "You need an invitation" }).waitFor();
        check((await page.locator(".field-wrong").count()) === 0, "nothing is wrong yet");
        await page.getByLabel("Registration token").fill(token);
        await page.getByRole("button", { name: "Go on" }).click();
        await page.getByRole("heading", { name: "Please read and accept" }).waitFor();
        const rules = page.getByRole("link", { name: "House rules" });
        check((await rules.getAttribute("href")) === "https://example.org/rules", "the rules can be read");
        await noSideways(person, "the terms");
        await world.shot(person, "sign-up-terms");
        await page.getByRole("button", { name: "I accept" }).click();
        await page.getByRole("heading", { name: "Chats" }).waitFor();
        await person.context.close();
      } finally {
        await server.end();
      }
    },
  ],
  [
    "each stage can be passed on a page of its own, for clients that do not know it",
    async (world) => {
      const server = new Server();
      try {
        await server.start(ASKS_FOR_MORE);
        const token = server.run("token", "create").trim();
        const account = { username: "xaver", password: "correct horse" };
        const { session, flows } = await register(server, account, 401);
        check(flows[0].stages.includes("m.login.terms") && flows[0].stages.includes("m.login.registration_token"), JSON.stringify(flows));
        const person = await world.visitor({ url: server.url, forgive: /status of 401/ });
        const { page } = person;
        await page.addInitScript(() => (window.onAuthDone = () => (window.done = true)));
        const open = (stage) => page.goto(`${server.url}/_matrix/client/v3/auth/${stage}/fallback/web?session=${session}`);
        await open("m.login.registration_token");
        await examine(person, "the page of the token");
        await noSideways(person, "the page of the token");
        await page.getByRole("textbox").fill("wrong");
        await page.getByRole("button", { name: "Go on" }).click();
        await page.getByRole("alert").waitFor();
        await world.shot(person, "page-token");
        await page.getByRole("textbox").fill(token);
        await page.getByRole("button", { name: "Go on" }).click();
        await page.getByText("You may close this window").waitFor();
        await until("the client is told", () => page.evaluate(() => window.done === true));
        await open("m.login.terms");
        await page.getByRole("link", { name: "House rules" }).waitFor();
        await examine(person, "the page of the terms");
        await page.getByRole("button", { name: "I accept" }).click();
        await page.getByText("You may close this window").waitFor();
        const { user_id: userId } = await register(server, { ...account, auth: { session } }, 200);
        check(userId === "@xaver:localhost", "with both passed, the account is made");
      } finally {
        await server.end();
      }
    },
  ],
  [
    "the login page signs in, and hands the answer to the client",
    async (world) => {
      const owner = await world.person("Yola");
      const visitor = await world.visitor({ forgive: /status of 403/ });
      const { page } = visitor;
      await page.addInitScript(() => (window.matrixLogin = { onLogin: (answer) => (window.answer = answer) }));
      await page.goto(`${world.server.url}/_matrix/static/client/login/?device_id=PHONE&initial_device_display_name=A%20phone`);
      await examine(visitor, "the login page");
      await noSideways(visitor, "the login page");
      await page.getByRole("button", { name: "Sign in" }).click();
      await page.getByText("Enter your name.").waitFor();
      await page.getByLabel("Name").fill(owner.name);
      await page.getByLabel("Password").fill("something else");
      await page.getByRole("button", { name: "Sign in" }).click();
      await page.getByText("The name or the password is wrong.").waitFor();
      await world.shot(visitor, "page-login");
      await page.getByLabel("Password").fill(owner.password);
      await page.getByRole("button", { name: "Sign in" }).click();
      await page.getByText("You are signed in").waitFor();
      const answer = await page.evaluate(() => window.answer);
      check(answer.user_id === owner.id && answer.device_id === "PHONE" && answer.access_token, `the client got ${JSON.stringify(answer)}`);
    },
  ],
];

async function register(server, body, status) {
  const answer = await fetch(`${server.url}/_matrix/client/v3/register`, { method: "POST", body: JSON.stringify(body) });
  check(answer.status === status, `registering gave ${answer.status}`);
  return answer.json();
}
