// Choosing an emoji: groups, search, those used last. By keyboard too.

import type { JSX } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

import { recentEmoji, rememberEmoji } from "../state/preferences";
import type { Emoji, EmojiGroup } from "./emoji-data";
import { Spinner } from "./parts";

interface Props {
  onPick: (emoji: string) => void;
  onClose: () => void;
  /** Beside which it opens. */
  beside: HTMLElement | undefined;
}

type Data = typeof import("./emoji-data");

export function EmojiPicker({ onPick, onClose, beside }: Props): JSX.Element {
  const ref = useRef<HTMLDivElement>(null);
  const [data, setData] = useState<Data>();
  const [term, setTerm] = useState("");
  const [group, setGroup] = useState(0);
  useEffect(() => {
    void import("./emoji-data").then(setData);
  }, []);
  useLayoutEffect(() => place(ref.current!, beside), [beside]);
  useEffect(() => {
    const before = document.activeElement as HTMLElement | null;
    const picker = ref.current!;
    picker.querySelector("input")?.focus();
    const onDown = (event: Event): void => {
      if (!ref.current?.contains(event.target as Node) && !beside?.contains(event.target as Node)) onClose();
    };
    document.addEventListener("pointerdown", onDown);
    return () => {
      document.removeEventListener("pointerdown", onDown);
      // Unless somebody has taken the focus already.
      if (picker.contains(document.activeElement)) before?.focus?.();
    };
  }, []);
  const pick = (emoji: string): void => {
    rememberEmoji(emoji);
    onPick(emoji);
  };
  const shown: Emoji[] = data ? (term.trim() ? data.findEmoji(term) : (data.emojiGroups[group]?.emoji ?? [])) : [];
  return (
    <div
      class="emoji-picker"
      ref={ref}
      role="dialog"
      aria-label="Choose an emoji"
      onKeyDown={(event) => {
        if (event.key === "Escape") {
          event.stopPropagation();
          onClose();
        } else move(event, ref.current!);
      }}
    >
      <input type="search" class="emoji-search" placeholder="Search" aria-label="Search emoji" value={term} onInput={(event) => setTerm(event.currentTarget.value)} />
      {!term && recentEmoji.value.length > 0 && (
        <div class="emoji-recent" role="group" aria-label="Used last">
          {recentEmoji.value.slice(0, 8).map((emoji) => (
            <button key={emoji} type="button" class="emoji" aria-label={emoji} onClick={() => pick(emoji)}>
              {emoji}
            </button>
          ))}
        </div>
      )}
      <div class="emoji-grid" role="group" aria-label={term ? "Found" : (data?.emojiGroups[group]?.name ?? "Emoji")}>
        {!data && <Spinner />}
        {data && shown.length === 0 && <p class="emoji-none">None found</p>}
        {shown.map((emoji) => (
          <button key={emoji.char} type="button" class="emoji" aria-label={emoji.label} title={emoji.label} onClick={() => pick(emoji.char)}>
            {emoji.char}
          </button>
        ))}
      </div>
      <div class="emoji-groups" role="tablist" aria-label="Groups">
        {(data?.emojiGroups ?? []).map((entry: EmojiGroup, index) => (
          <button key={entry.name} type="button" role="tab" class="emoji" aria-selected={!term && index === group} aria-label={entry.name} title={entry.name} onClick={() => choose(index)}>
            {entry.icon}
          </button>
        ))}
      </div>
    </div>
  );

  function choose(index: number): void {
    setTerm("");
    setGroup(index);
    ref.current?.querySelector(".emoji-grid")?.scrollTo({ top: 0 });
  }
}

const MARGIN_PX = 8;

/** Above what it belongs to, within the window. */
function place(element: HTMLElement, beside: HTMLElement | undefined): void {
  const { width, height } = element.getBoundingClientRect();
  const at = beside?.getBoundingClientRect();
  if (!at) return;
  const left = Math.min(Math.max(MARGIN_PX, at.left + at.width / 2 - width / 2), innerWidth - width - MARGIN_PX);
  const above = at.top - height - MARGIN_PX;
  const top = above >= MARGIN_PX ? above : Math.min(at.bottom + MARGIN_PX, innerHeight - height - MARGIN_PX);
  element.style.left = `${left}px`;
  element.style.top = `${Math.max(MARGIN_PX, top)}px`;
}

/** The arrow keys go from emoji to emoji. */
function move(event: KeyboardEvent, root: HTMLElement): void {
  const grid = root.querySelector(".emoji-grid")!;
  const all = [...grid.querySelectorAll<HTMLElement>(".emoji")];
  const at = all.indexOf(document.activeElement as HTMLElement);
  const columns = Math.max(1, Math.round(grid.clientWidth / (all[0]?.offsetWidth || 40)));
  const steps: Record<string, number> = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns };
  const step = steps[event.key];
  if (step === undefined || (at < 0 && event.key !== "ArrowDown")) return;
  event.preventDefault();
  const next = at < 0 ? 0 : at + step;
  if (next < 0) root.querySelector("input")?.focus();
  else all[Math.min(all.length - 1, next)]?.focus();
}
