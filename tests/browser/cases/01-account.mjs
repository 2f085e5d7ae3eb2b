// Signing up, in and out; the password; errors stand by their fields.

import { check, PHONE } from "../harness.mjs";
import { picture } from "../files.mjs";

export const cases = [
  [
    "somebody signs up with display name and profile picture",
    async (world) => {
      const person = await world.visitor();
      await world.shot(person, "sign-up");
      await person.signUp("Clara Winter", { picture: picture("portrait.png", 160, 160) });
      await person.page.locator(".me img").waitFor();
      await person.openSettings();
      check((await person.page.getByLabel("Display name").inputValue()) === "Clara Winter", "the display name is set");
      await person.page.locator(".settings-section .avatar img").waitFor();
      await world.shot(person, "settings");
    },
  ],
  [
    "a taken or impossible name and a short password say so by the field",
    async (world) => {
      const first = await world.person("Dora");
      const second = await world.visitor();
      second.forgive(/status of 400/);
      const { page } = second;
      await page.getByLabel("Name", { exact: true }).fill(first.name);
      await page.getByLabel("Password").fill("short");
      await page.getByText("This name is taken").waitFor();
      await page.getByRole("button", { name: "Create account" }).click();
      await page.locator(".field-wrong", { hasText: "At least 8 characters" }).waitFor();
      await page.getByLabel("Name", { exact: true }).fill("no spaces!");
      await page.getByLabel("Password").fill("long enough");
      await page.getByRole("button", { name: "Create account" }).click();
      await page.locator(".field-wrong", { hasText: "lower-case letters" }).waitFor();
    },
  ],
  [
    "somebody signs out and in again; a wrong password says so by the field",
    async (world) => {
      const person = await world.person("Emil");
      person.forgive(/status of 403/);
      const { page } = person;
      await person.openSettings();
      await page.getByRole("button", { name: "Sign out", exact: true }).click();
      await page.getByRole("heading", { name: "Welcome back" }).waitFor();
      await world.shot(person, "sign-in");
      await page.getByLabel("Name").fill(person.name);
      await page.getByLabel("Password").fill("something else");
      await page.getByRole("button", { name: "Sign in" }).click();
      await page.locator(".field-wrong", { hasText: "name or the password is wrong" }).waitFor();
      await page.getByLabel("Password").fill(person.password);
      await page.getByRole("button", { name: "Sign in" }).click();
      await page.getByRole("heading", { name: "Chats" }).waitFor();
      await page.reload();
      await page.getByRole("heading", { name: "Chats" }).waitFor();
    },
  ],
  [
    "the password can be changed",
    async (world) => {
      const person = await world.person("Frida");
      person.forgive(/status of 40[13]/);
      const { page } = person;
      await person.openSettings();
      await page.getByRole("button", { name: "Change password" }).click();
      await page.getByLabel("Password now").fill("not this");
      await page.getByLabel("New password").fill("a new long one");
      await page.getByRole("button", { name: "Set password" }).click();
      await page.locator(".field-wrong", { hasText: "not your password" }).waitFor();
      await page.getByLabel("Password now").fill(person.password);
      await page.getByRole("button", { name: "Set password" }).click();
      await page.getByText("Your password is changed").waitFor();
      await page.getByRole("button", { name: "Sign out", exact: true }).click();
      await page.getByRole("heading", { name: "Welcome back" }).waitFor();
      await page.getByLabel("Name").fill(person.name);
      await page.getByLabel("Password").fill("a new long one");
      await page.getByRole("button", { name: "Sign in" }).click();
      await page.getByRole("heading", { name: "Chats" }).waitFor();
    },
  ],
  [
    "a session that was ended elsewhere leads back to signing in, and says why",
    async (world) => {
      const person = await world.person("Gerda", { viewport: PHONE });
      person.forgive(/status of 401/);
      const { page } = person;
      await page.evaluate(async () => {
        const { accessToken } = JSON.parse(localStorage.getItem("hearth.session"));
        await fetch("/_matrix/client/v3/logout", { method: "POST", headers: { authorization: `Bearer ${accessToken}` }, body: "{}" });
      });
      // A long poll under way may go on for a while; the next request is refused at once.
      await page.getByRole("button", { name: "Browse public rooms" }).click({ timeout: 2_000 }).catch(() => undefined);
      await page.getByText("You were signed out").waitFor();
    },
  ],
];
