// The rows of a timeline as plain data, and how they follow from its events. Pure but for the events.

import type { NoticeRow, Row } from "./row-types";

export type * from "./row-types";

/** Messages of one person within this time stand together. */
const GROUP_MS_MAX = 5 * 60_000;

/** What a row needs of its neighbours: days, groups, the line of the unread. */
export function arrange(items: Row[], unreadAfter: string | undefined, me: string): Row[] {
  const rows: Row[] = [];
  let dayFrom = 0;
  let dayTo = 0;
  let unreadShown = unreadAfter === undefined;
  let pastRead = false;
  for (const item of items) {
    if (item.kind === "day" || item.kind === "unread") continue;
    // Asked of the calendar only where the day may be another one.
    if (item.ms < dayFrom || item.ms >= dayTo) {
      const day = new Date(item.ms);
      rows.push({ kind: "day", key: `day:${day.toDateString()}`, ms: item.ms });
      dayFrom = new Date(day.getFullYear(), day.getMonth(), day.getDate()).getTime();
      dayTo = new Date(day.getFullYear(), day.getMonth(), day.getDate() + 1).getTime();
    }
    if (pastRead && !unreadShown && !(item.kind === "message" && item.sender === me)) {
      rows.push({ kind: "unread", key: "unread" });
      unreadShown = true;
    }
    const ids = item.kind === "message" ? [item.eventId] : item.eventIds;
    if (unreadAfter !== undefined && ids.includes(unreadAfter)) pastRead = true;
    if (item.kind === "notice") pushNotice(rows, item);
    else rows.push(item);
  }
  markGroups(rows);
  return rows;
}

/** Notices that follow each other become one row that can be opened. */
function pushNotice(rows: Row[], notice: NoticeRow): void {
  const before = rows.at(-1);
  if (before?.kind !== "notice") {
    rows.push(notice);
    return;
  }
  rows[rows.length - 1] = {
    ...before,
    ms: notice.ms,
    eventIds: [...before.eventIds, ...notice.eventIds],
    texts: [...before.texts, ...notice.texts],
    readers: [...before.readers, ...notice.readers],
  };
}

function markGroups(rows: Row[]): void {
  for (let index = 0; index < rows.length; index += 1) {
    const row = rows[index]!;
    if (row.kind !== "message") continue;
    row.first = !belongsTogether(rows[index - 1], row);
    row.last = !belongsTogether(row, rows[index + 1]);
  }
}

function belongsTogether(a: Row | undefined, b: Row | undefined): boolean {
  return a?.kind === "message" && b?.kind === "message" && a.sender === b.sender && b.ms - a.ms < GROUP_MS_MAX;
}
