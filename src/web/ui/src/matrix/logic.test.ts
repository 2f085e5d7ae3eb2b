import { ConnectionError, EventStatus, HTTPError, MatrixError, MatrixEvent } from "matrix-js-sdk/lib/matrix";
import { describe, expect, it } from "vitest";

import { explain } from "../views/auth";
import { mark, toQuery } from "../views/search";
import { Heights, moveRange } from "../views/virtual";
import { formatRoute, parseRoute, type Route } from "../state/route";
import { ApiError } from "./api";
import { makeScheduler, retryAfterMs } from "./connection";
import { searchBody, withinDates } from "./find";
import { forgetList, keepList, keptList } from "./kept-list";
import { fileContent, mediaUrl, shownSize } from "./media";
import { countUnread } from "./notify";
import { byNews, type Conversation } from "./rooms";
import { arrange, type MessageRow, type Row } from "./rows";
import { pickStage } from "./session";

const MINUTE = 60_000;
const START = new Date(2026, 3, 1, 12).getTime();

function message(key: string, sender: string, ms: number): MessageRow {
  return {
    kind: "message", key, eventId: key, ms, sender, senderName: sender, senderAvatar: undefined, own: sender === "me", first: true, last: true,
    body: { type: "text", style: "plain", text: key, html: undefined, bigEmoji: false }, edited: false, delivery: "sent", read: false,
    error: undefined, reactions: [], quoted: undefined, readers: [], canEdit: false, canDelete: false,
  }; // prettier-ignore
}

const notice = (key: string, ms: number): Row => ({ kind: "notice", key, ms, eventIds: [key], texts: [key], readers: [] });
const kinds = (rows: Row[]): string => rows.map((row) => (row.kind === "message" ? row.key : row.kind)).join(" ");

describe("rows", () => {
  it("puts a line between days", () => {
    const rows = arrange([message("a", "x", START), message("b", "x", START + 24 * 60 * MINUTE)], undefined, "me");
    expect(kinds(rows)).toBe("day a day b");
  });

  it("groups messages of one person within five minutes", () => {
    const rows = arrange([message("a", "x", START), message("b", "x", START + MINUTE), message("c", "x", START + 7 * MINUTE), message("d", "y", START + 7 * MINUTE)], undefined, "me");
    const groups = rows.flatMap((row) => (row.kind === "message" ? [[row.first, row.last]] : []));
    expect(groups).toEqual([[true, false], [false, true], [true, true], [true, true]]); // prettier-ignore
  });

  it("joins notices that follow each other", () => {
    const rows = arrange([notice("a", START), notice("b", START), message("m", "x", START), notice("c", START)], undefined, "me");
    expect(kinds(rows)).toBe("day notice m notice");
    expect(rows[1]).toMatchObject({ texts: ["a", "b"], key: "a" });
  });

  it("draws the line of the unread before the first message of another", () => {
    const rows = arrange([message("a", "x", START), message("mine", "me", START), message("b", "x", START)], "a", "me");
    expect(kinds(rows)).toBe("day a mine unread b");
    expect(kinds(arrange([message("a", "x", START)], "a", "me"))).toBe("day a");
  });
});

describe("the virtual list", () => {
  it("knows where rows stand, and which are in view", () => {
    const heights = new Heights(50);
    heights.setKeys(["a", "b", "c", "d"]);
    expect(heights.total).toBe(200);
    expect(heights.measure("b", 150)).toBe(true);
    expect(heights.measure("b", 150)).toBe(false);
    expect([0, 1, 2, 3, 4].map((index) => heights.top(index))).toEqual([0, 50, 200, 250, 300]);
    expect([0, 49, 50, 199, 200, 5000].map((px) => heights.at(px))).toEqual([0, 0, 1, 1, 2, 3]);
    expect(heights.range(60, 210, 0)).toEqual([1, 3]);
    heights.setKeys(["new", "a", "b"]);
    expect(heights.top(2)).toBe(100);
    heights.setKeys([]);
    expect(heights.range(0, 100, 10)).toEqual([0, 0]);
  });

  it("adds up what a plain sum gives, whatever comes, goes and is measured", () => {
    const heights = new Heights(50);
    const measured = new Map<string, number>();
    let keys: string[] = [];
    let seed = 7;
    const random = (below: number): number => (seed = (seed * 48_271) % 2_147_483_647) % below;
    for (let step = 0; step < 300; step += 1) {
      const more = Array.from({ length: random(9) }, (_, n) => `${step} ${n}`);
      const at = random(keys.length + 1);
      keys = [keys.concat(more), more.concat(keys), keys.toSpliced(at, random(4), ...more)][random(3)]!;
      heights.setKeys(keys);
      for (let n = random(5); n > 0 && keys.length > 0; n -= 1) {
        const key = keys[random(keys.length)]!;
        measured.set(key, random(200));
        heights.measure(key, measured.get(key)!);
        if (random(2) === 0) heights.top(random(keys.length));
      }
      let sum = 0;
      const sums = keys.map((key) => (sum += measured.get(key) ?? 50));
      expect(keys.map((_, index) => heights.top(index + 1))).toEqual(sums);
    }
  });
});

describe("the rows that are drawn", () => {
  const rows = (keys: string): { key: string }[] => keys.split(" ").map((key) => ({ key }));
  const steady = (row: { key: string }): boolean => row.key !== "D";

  it("stay the same ones when others come in above or below", () => {
    expect(moveRange([1, 3], rows("a b c d"), rows("x y a b c d"), steady)).toEqual([3, 5]);
    expect(moveRange([1, 3], rows("a b c d"), rows("a b c d x y"), steady)).toEqual([1, 3]);
    expect(moveRange([0, 3], rows("a b c"), rows("b c"), steady)).toEqual([0, 2]);
  });

  it("are told by rows that keep their places", () => {
    expect(moveRange([0, 3], rows("D b c"), rows("D x y b c"), steady)).toEqual([2, 5]);
  });

  it("are others where none is left", () => {
    expect(moveRange([0, 2], rows("a b c"), rows("x y c"), steady)).toBeUndefined();
    expect(moveRange([0, 1], rows("D"), rows("D"), steady)).toBeUndefined();
  });
});

describe("addresses", () => {
  it("come back as they went", () => {
    const routes: Route[] = [
      { at: "home" },
      { at: "room", roomId: "!a/b:h", eventId: undefined },
      { at: "room", roomId: "!a:h", eventId: "$x/y" },
      { at: "search", roomId: "!a:h", term: undefined },
      { at: "search", roomId: undefined, term: "red door/window" },
      { at: "search", roomId: undefined, term: undefined },
      { at: "sign-up" },
    ];
    for (const route of routes) expect(parseRoute(formatRoute(route))).toEqual(route);
    expect(parseRoute("#/room/%E0%A4%A")).toEqual({ at: "home" });
  });

  it("of media are authenticated ones, of honest mxc only", () => {
    expect(mediaUrl("mxc://h.example:1/abc_-")).toContain("/_matrix/client/v1/media/download/h.example%3A1/abc_-");
    expect(mediaUrl("mxc://h/a", { width: 96, height: 96, method: "crop" })).toContain("thumbnail/h/a?width=96&height=96&method=crop");
    for (const bad of ["https://h/a", "mxc://h", "mxc://h/../../x", "mxc://h/a?b"]) expect(mediaUrl(bad)).toBeUndefined();
  });
});

describe("sending again", () => {
  const matrix = (errcode: string, status: number): MatrixError => new MatrixError({ errcode, retry_after_ms: 1234 }, status);

  it("goes on for want of a network, waiting longer each time", () => {
    const lost = new ConnectionError("fetch failed");
    expect([1, 2, 3, 20].map((attempt) => retryAfterMs(attempt, lost))).toEqual([500, 1000, 2000, 15_000]);
    expect(retryAfterMs(1, matrix("M_UNKNOWN", 502))).toBe(500);
    expect(retryAfterMs(1, new HTTPError("a proxy's page", 502))).toBe(500);
    expect(retryAfterMs(1, new TypeError("the body broke off"))).toBe(500);
  });

  it("waits as long as the server says, and gives up what is refused", () => {
    expect(retryAfterMs(1, matrix("M_LIMIT_EXCEEDED", 429))).toBe(1234);
    expect(retryAfterMs(1, matrix("M_FORBIDDEN", 403))).toBe(-1);
    expect(retryAfterMs(1, new HTTPError("a proxy's page", 413))).toBe(-1);
  });

  it("goes on behind what came in with a sync, though its answer was lost", async () => {
    const pending = (id: string): MatrixEvent => {
      const event = new MatrixEvent({ event_id: id, room_id: "!r", type: "m.room.message", content: {} });
      event.setStatus(EventStatus.SENDING);
      return event;
    };
    const scheduler = makeScheduler();
    const sent: string[] = [];
    scheduler.setProcessFunction((event) => {
      sent.push(event.getId()!);
      if (event.getId() !== "$lost") return Promise.resolve({ event_id: event.getId()! });
      event.setStatus(null);
      return Promise.reject(new ConnectionError("fetch failed"));
    });
    void scheduler.queueEvent(pending("$lost"));
    await expect(scheduler.queueEvent(pending("$next"))).resolves.toEqual({ event_id: "$next" });
    expect(sent).toEqual(["$lost", "$next"]);
  });
});

describe("signing up and in", () => {
  it("takes the flow that asks the least of the person", () => {
    expect(pickStage({ flows: [{ stages: ["m.login.recaptcha"] }, { stages: ["m.login.dummy"] }] })).toBe("m.login.dummy");
    expect(pickStage({ flows: [{ stages: ["m.login.registration_token", "m.login.terms"] }], completed: ["m.login.registration_token"] })).toBe("m.login.terms");
    expect(pickStage({})).toBeUndefined();
  });

  it("says by which field what is wrong", () => {
    const error = (errcode: string): ApiError => new ApiError(400, errcode, "text");
    expect(explain(error("M_USER_IN_USE"), "up").name).toContain("taken");
    expect(explain(error("M_FORBIDDEN"), "in").password).toContain("wrong");
    expect(explain(error("M_WEAK_PASSWORD"), "up").password).toBe("text");
    expect(explain(new ApiError(429, "M_LIMIT_EXCEEDED", "", { retry_after_ms: 4200 }), "in").form).toContain("5 seconds");
    expect(explain(new Error("x"), "in").form).toBeTruthy();
  });
});

describe("searching", () => {
  it("asks newest first, within the room and the sender", () => {
    const query = toQuery({ term: " tea ", sender: "@a:h", from: "2026-02-01", until: "2026-02-01" }, "!r:h");
    expect(query.untilMs! - query.fromMs!).toBe(86_400_000 - 1);
    expect(searchBody(query)).toMatchObject({
      search_categories: { room_events: { search_term: "tea", order_by: "recent", filter: { rooms: ["!r:h"], senders: ["@a:h"] } } },
    });
    expect(withinDates(query.fromMs!, query)).toBe(true);
    expect(withinDates(query.untilMs! + 1, query)).toBe(false);
  });

  it("marks the words that were found, whatever is in them", () => {
    expect(mark("A (b) and B", ["(b)", "and"])).toEqual([
      { text: "A ", marked: false },
      { text: "(b)", marked: true },
      { text: " ", marked: false },
      { text: "and", marked: true },
      { text: " B", marked: false },
    ]);
    expect(mark("x", [])).toEqual([{ text: "x", marked: false }]);
  });
});

describe("lists and files", () => {
  const entry = (id: string, part: Partial<Conversation>): Conversation => ({
    id, name: id, avatar: undefined, membership: "join", direct: undefined, presence: "unknown", lastText: "", lastMs: 0,
    unread: 0, mentioned: false, encrypted: false, inviter: undefined, typing: [], ...part,
  }); // prettier-ignore

  it("has invitations first, then what is newest", () => {
    const list = [entry("old", { lastMs: 1 }), entry("new", { lastMs: 2 }), entry("invite", { membership: "invite" })];
    expect(list.sort(byNews).map(({ id }) => id)).toEqual(["invite", "new", "old"]);
    expect(countUnread([entry("a", { unread: 3 }), entry("b", { membership: "invite" })])).toBe(4);
  });

  it("fits pictures into the timeline", () => {
    expect(shownSize(3600, 1800)).toEqual({ width: 360, height: 180 });
    expect(shownSize(100, 100)).toEqual({ width: 100, height: 100 });
    expect(shownSize(undefined, 5)).toEqual({ width: 280, height: 200 });
  });

  it("sends what cannot be read as a picture as a file", () => {
    const file = new File(["x"], "a.png", { type: "image/png" });
    expect(fileContent(file, "mxc://h/m", {}, "").msgtype).toBe("m.file");
    expect(fileContent(file, "mxc://h/m", { w: 2, h: 1 }, "Hi")).toMatchObject({ msgtype: "m.image", body: "Hi", filename: "a.png", info: { w: 2, size: 1 } });
  });
});

describe("the kept list", () => {
  const chat = (id: string, membership: "join" | "invite" = "join"): Conversation => ({
    id, name: id, avatar: undefined, membership, direct: "@b:h", presence: "online", lastText: "hello", lastMs: 1,
    unread: 2, mentioned: false, encrypted: false, inviter: undefined, typing: ["Ben"],
  }); // prettier-ignore

  it("shows the first joined chats again, but not what may be over", () => {
    keepList("@a:h", [chat("!i", "invite"), ...Array.from({ length: 100 }, (_, n) => chat(`!${n}`))]);
    const kept = keptList("@a:h");
    expect(kept).toHaveLength(40);
    expect(kept[0]).toMatchObject({ id: "!0", unread: 2, presence: "unknown", typing: [] });
  });

  it("is nobody else's, and can be forgotten", () => {
    keepList("@a:h", [chat("!1")]);
    expect(keptList("@b:h")).toEqual([]);
    forgetList();
    expect(keptList("@a:h")).toEqual([]);
    localStorage.setItem("hearth.chats", "{ broken");
    expect(keptList("@a:h")).toEqual([]);
  });
});
