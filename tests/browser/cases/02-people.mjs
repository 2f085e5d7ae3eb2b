// Finding each other, groups, public rooms, invitations, who is there.

import { check, pair, until } from "../harness.mjs";

async function setPresence(url, userId, token, presence) {
  const headers = { authorization: `Bearer ${token}` };
  const answer = await fetch(`${url}/_matrix/client/v3/presence/${userId}/status`, { method: "PUT", headers, body: JSON.stringify({ presence }) });
  check(answer.ok, `presence was set: ${answer.status}`);
}

export const cases = [
  [
    "an invitation is accepted where the conversation would stand, too",
    async (world) => {
      const [anna, ben] = [await world.person("Anna Berg"), await world.person("Ben Sommer")];
      await ben.startChat(anna);
      await ben.page.getByText("Has not accepted the invitation yet").waitFor();
      const { hash } = new URL(ben.page.url());
      await anna.page.goto(`${world.server.url}/${hash}`);
      const stage = anna.page.getByRole("main");
      await stage.getByText("You are invited to Ben Sommer").waitFor();
      await stage.getByRole("button", { name: "Accept" }).click();
      await anna.page.getByRole("form", { name: "Write a message" }).waitFor();
      await ben.page.locator(".room-under", { hasText: "Online" }).waitFor();
    },
  ],
  [
    "two people find each other and chat, each sees the other's presence",
    async (world) => {
      const [anna, ben] = await pair(world, "Anna Berg", "Ben Sommer");
      await anna.say("Hello Ben!");
      await ben.sees("Hello Ben!");
      await ben.say("Hi Anna");
      await anna.sees("Hi Anna");
      await anna.sent("Hello Ben!");
      await anna.home();
      await anna.page.locator(".entry .presence-online").first().waitFor();
      check((await anna.page.locator(".entry-last").innerText()) === "Hi Anna", "the last message stands in the list");
      check(/^\d\d:\d\d$/.test(await anna.page.locator(".entry-time").innerText()), "with its time");
    },
  ],
  [
    "presence: who is away, and when somebody who is gone was last seen",
    async (world) => {
      const [anna, ben] = await pair(world, "Anna Berg", "Ben Sommer");
      const under = anna.page.locator(".room-under");
      await under.getByText("Online").waitFor();
      const token = await ben.token();
      await ben.page.goto("about:blank");
      await setPresence(world.server.url, ben.id, token, "unavailable");
      await under.getByText("Away").waitFor();
      await anna.page.locator(".room-title .presence-away").waitFor();
      await setPresence(world.server.url, ben.id, token, "offline");
      await under.getByText(/^Last seen (?:just now|1 min ago)/).waitFor();
      await world.shot(anna, "presence");
      await anna.home();
      await anna.page.locator(".entry .presence-offline").waitFor();
    },
  ],
  [
    "starting a chat with the same person again opens the same one",
    async (world) => {
      const [anna, ben] = await pair(world);
      const before = anna.page.url();
      await anna.leaveRoom();
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
      const name = world.unique("Town square");
      await host.createGroup(name, { open: "Public" });
      await host.say("Welcome, everyone");
      await guest.page.getByRole("button", { name: "Browse public rooms" }).click();
      await guest.page.getByLabel("Find rooms").fill(name.toLowerCase());
      await guest.page.getByRole("button", { name: `Join ${name}`, exact: true }).waitFor();
      await world.shot(guest, "public-rooms");
      await guest.page.getByRole("button", { name: `Join ${name}`, exact: true }).click();
      await guest.sees("Welcome, everyone");
      await host.page.locator(".notice", { hasText: "Noah joined" }).waitFor();
    },
  ],
];
