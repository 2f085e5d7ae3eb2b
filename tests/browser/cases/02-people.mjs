// Finding each other, groups, public rooms, invitations, who is there.

import { check, pair, until } from "../harness.mjs";

export const cases = [
  [
    "two people find each other and chat, each sees the other's presence",
    async (world) => {
      const [anna, ben] = await pair(world, "Anna Berg", "Ben Sommer");
      await anna.say("Hello Ben!");
      await ben.sees("Hello Ben!");
      await ben.say("Hi Anna");
      await anna.sees("Hi Anna");
      await anna.sent("Hello Ben!");
      await anna.page.locator(".entry .presence-online").first().waitFor();
    },
  ],
  [
    "starting a chat with the same person again opens the same one",
    async (world) => {
      const [anna, ben] = await pair(world);
      const before = anna.page.url();
      await anna.page.goto(`${world.server.url}/#/`);
      await anna.startChat(ben);
      check(anna.page.url() === before, "there is one conversation");
      check((await anna.page.locator("a.entry").count()) === 1, "and one line for it");
    },
  ],
  [
    "a private group: invited people accept or decline, joins and leaves are told",
    async (world) => {
      const [host, guest, other] = [await world.person("Hanna"), await world.person("Igor"), await world.person("Jana")];
      await host.createGroup("Book club", { invite: [guest, other] });
      await other.page.getByRole("group", { name: "Invitation to Book club" }).getByRole("button", { name: "Decline" }).click();
      await guest.accept("Book club");
      await host.page.locator(".notice", { hasText: "Igor joined" }).waitFor();
      await until("the declined invitation is gone", async () => (await other.page.locator(".invitation").count()) === 0);
      await guest.page.getByRole("button", { name: "Members", exact: true }).click();
      await guest.page.locator(".members .person", { hasText: "Hanna" }).waitFor();
      await guest.page.locator(".role", { hasText: "Admin" }).waitFor();
      await guest.page.getByRole("button", { name: "Leave" }).click();
      await guest.page.getByRole("dialog").getByRole("button", { name: "Leave" }).click();
      await host.page.locator(".notice", { hasText: "Igor left" }).waitFor();
      await until("the group is gone for who left", async () => (await guest.page.locator("a.entry").count()) === 0);
    },
  ],
  [
    "somebody is invited later",
    async (world) => {
      const [host, guest] = [await world.person("Karl"), await world.person("Lena")];
      await host.createGroup("Hiking");
      await host.page.getByRole("button", { name: "Members", exact: true }).click();
      await host.page.getByRole("button", { name: "Invite", exact: true }).click();
      await host.page.getByLabel("Find people").fill(guest.name);
      await host.page.locator(".people .person", { hasText: guest.id }).click();
      await host.page.getByText("Invited: 1").waitFor();
      await host.page.getByRole("button", { name: "Done" }).click();
      await guest.accept("Hiking");
      await host.page.locator(".details .person", { hasText: "Lena" }).waitFor();
    },
  ],
  [
    "a public room is found and joined",
    async (world) => {
      const [host, guest] = [await world.person("Maria"), await world.person("Noah")];
      await host.createGroup("Town square", { open: "Public" });
      await host.say("Welcome, everyone");
      await guest.page.getByRole("button", { name: "Browse public rooms" }).click();
      await guest.page.getByLabel("Find rooms").fill("town");
      await guest.page.locator(".public-room", { hasText: "Town square" }).waitFor();
      await world.shot(guest, "public-rooms");
      await guest.page.getByRole("button", { name: "Join Town square" }).click();
      await guest.sees("Welcome, everyone");
      await host.page.locator(".notice", { hasText: "Noah joined" }).waitFor();
    },
  ],
];
