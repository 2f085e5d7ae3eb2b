// A long list that stands at its end, of which only the rows in view are drawn. When rows come in
// above, or heights turn out different, what is in view stays where it is.

import type { JSX } from "preact";
import { useCallback, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";

import { Heights } from "./virtual";

interface Props<T extends { key: string }> {
  rows: T[];
  draw: (row: T) => JSX.Element;
  label: string;
  /** Shown above the first row. */
  head: JSX.Element | null;
  onNearStart: () => void;
  onNearEnd: () => void;
  /** Whether the last row is the newest, so that the list keeps to its end. */
  endIsNewest: boolean;
  /** A row to stand in the middle, once. */
  target: string | undefined;
  onAtEnd: (atEnd: boolean) => void;
  /** Changes when the list shall go to its end. */
  toEnd: number;
}

const GUESS_PX = 64;
const BEYOND_PX = 600;
const NEAR_PX = 900;
const END_PX = 80;

interface Anchor {
  key: string;
  offset: number;
}

export function VirtualList<T extends { key: string }>(props: Props<T>): JSX.Element {
  const { rows } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const body = useRef<HTMLDivElement>(null);
  const heights = useMemo(() => new Heights(GUESS_PX), []);
  const state = useRef({ atEnd: true, anchor: undefined as Anchor | undefined, targetDone: "", top: 0 });
  const [range, setRange] = useState<[number, number]>([Math.max(0, rows.length - 30), rows.length]);
  const latest = useRef(props);
  latest.current = props;
  const keys = useMemo(() => rows.map((row) => row.key), [rows]);
  useMemo(() => heights.setKeys(keys), [keys, heights]);

  const offsetTop = (): number => body.current?.offsetTop ?? 0;

  const look = useCallback(() => {
    const element = scroller.current;
    if (!element) return;
    const top = element.scrollTop - offsetTop();
    const bottom = top + element.clientHeight;
    setRange((before) => nextRange(heights, before, top, bottom));
    const fromEnd = element.scrollHeight - element.scrollTop - element.clientHeight;
    // Only who scrolls up leaves the end; that rows came in below does not take anybody from it.
    const up = element.scrollTop < state.current.top - 1;
    const atEnd = fromEnd < END_PX || (state.current.atEnd && !up);
    state.current.top = element.scrollTop;
    if (atEnd !== state.current.atEnd) latest.current.onAtEnd(atEnd);
    state.current.atEnd = atEnd;
    state.current.anchor = findAnchor(element);
    if (element.scrollTop < NEAR_PX) latest.current.onNearStart();
    if (fromEnd < NEAR_PX) latest.current.onNearEnd();
  }, [heights]);

  /** Puts the view back where it was: at the end, or with the anchor at its old place. */
  const settle = useCallback(() => {
    const element = scroller.current;
    if (!element) return;
    if (state.current.atEnd && latest.current.endIsNewest) element.scrollTop = element.scrollHeight;
    else restore(element, state.current.anchor, heights, latest.current.rows, offsetTop());
    look();
  }, [heights, look]);

  // Rows that were drawn are measured; whatever that moves is put right before it is seen.
  const observer = useMemo(
    () =>
      new ResizeObserver((entries) => {
        let changed = false;
        for (const entry of entries) {
          const key = (entry.target as HTMLElement).dataset.key;
          const px = entry.borderBoxSize[0]?.blockSize ?? 0;
          if (key && px > 0 && entry.target.isConnected) changed = heights.measure(key, px) || changed;
        }
        if (changed) settle();
      }),
    [heights, settle],
  );

  useLayoutEffect(() => {
    const observed = scroller.current!;
    const sizes = new ResizeObserver(() => settle());
    sizes.observe(observed);
    return () => {
      sizes.disconnect();
      observer.disconnect();
    };
  }, [observer, settle]);

  useLayoutEffect(() => {
    let changed = false;
    for (const element of body.current!.querySelectorAll<HTMLElement>(":scope > [data-key]")) {
      observer.observe(element);
      changed = heights.measure(element.dataset.key!, element.getBoundingClientRect().height) || changed;
    }
    const { target } = latest.current;
    if (target && state.current.targetDone !== target && keys.includes(target)) {
      state.current.targetDone = target;
      state.current.atEnd = false;
      const element = scroller.current!;
      const top = heights.top(keys.indexOf(target)) + offsetTop();
      element.scrollTop = top - element.clientHeight / 2.5;
      state.current.anchor = { key: target, offset: top - element.scrollTop };
      look();
    } else {
      settle();
    }
    if (!target) state.current.targetDone = "";
  }, [keys, range, props.head === null, props.target]);

  useLayoutEffect(() => {
    if (props.toEnd === 0) return;
    state.current.atEnd = true;
    settle();
  }, [props.toEnd, settle]);

  const first = Math.min(range[0], rows.length);
  const last = Math.min(range[1], rows.length);
  return (
    <div class="scroller" ref={scroller} onScroll={look} role="region" aria-label={props.label} tabIndex={0}>
      {props.head}
      <div class="scroller-body" ref={body} role="log" aria-live="off" style={{ paddingTop: `${heights.top(first)}px`, paddingBottom: `${heights.total - heights.top(last)}px` }}>
        {rows.slice(first, last).map((row) => (
          <div key={row.key} data-key={row.key} class="scroller-row">
            {props.draw(row)}
          </div>
        ))}
      </div>
    </div>
  );
}

/**
 * The rows to draw. What is drawn stays while it covers the view with some room to spare: otherwise a row
 * whose height turns out different could come and go for ever.
 */
function nextRange(heights: Heights, before: [number, number], top: number, bottom: number): [number, number] {
  const [from, to] = heights.range(top, bottom, BEYOND_PX / 3);
  return before[0] <= from && before[1] >= to ? before : heights.range(top, bottom, BEYOND_PX);
}

/** The first row in view, and how far below the view's top it stands. */
function findAnchor(element: HTMLElement): Anchor | undefined {
  const top = element.getBoundingClientRect().top;
  for (const row of element.querySelectorAll<HTMLElement>(".scroller-row")) {
    const box = row.getBoundingClientRect();
    if (box.bottom > top) return { key: row.dataset.key!, offset: box.top - top };
  }
  return undefined;
}

function restore(element: HTMLElement, anchor: Anchor | undefined, heights: Heights, rows: { key: string }[], bodyTop: number): void {
  if (!anchor) return;
  const drawn = element.querySelector<HTMLElement>(`[data-key="${CSS.escape(anchor.key)}"]`);
  if (drawn) {
    const now = drawn.getBoundingClientRect().top - element.getBoundingClientRect().top;
    if (Math.abs(now - anchor.offset) > 0.5) element.scrollTop += now - anchor.offset;
    return;
  }
  const index = rows.findIndex((row) => row.key === anchor.key);
  if (index >= 0) element.scrollTop = heights.top(index) + bodyTop - anchor.offset;
}
