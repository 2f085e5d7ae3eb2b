// A long list that stands at its end, of which only the rows in view are drawn. When rows come in
// above, or heights turn out different, what is in view stays where it is.

import type { JSX } from "preact";
import { useCallback, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";

import { Heights, moveRange, type Range } from "./virtual";

interface Props<T extends { key: string }> {
  rows: T[];
  draw: (row: T) => JSX.Element;
  /** Whether a row keeps its key and its neighbours when others come in above: the view holds on to such rows. */
  steady: (row: T) => boolean;
  label: string;
  /** Shown above the first row. */
  head: JSX.Element | null;
  onNearStart: () => void;
  onNearEnd: () => void;
  /** While this is so, nobody answers `onNearStart` and `onNearEnd`; they are called again afterwards. */
  busy: boolean;
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
/** What is drawn beyond the view at least: where it gets less, some more rows are drawn, a few in each frame. */
const SPARE_PX = 400;
const NEAR_PX = 900;
const END_PX = 80;
const FIRST_ROWS = 30;
/** How often the rows to draw may change before the browser has drawn any: then it is its turn. */
const PASSES_MAX = 8;

/** What the view holds on to: a row, and how far its lower edge stands below the upper edge of the view. */
interface Anchor {
  key: string;
  bottom: number;
}

export function VirtualList<T extends { key: string }>(props: Props<T>): JSX.Element {
  const { rows } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const body = useRef<HTMLDivElement>(null);
  const heights = useMemo(() => new Heights(GUESS_PX), []);
  const state = useRef({ atEnd: true, anchor: undefined as Anchor | undefined, targetDone: "", top: 0, passes: 0 });
  const drawn = useRef({ rows, range: [Math.max(0, rows.length - FIRST_ROWS), rows.length] as Range });
  const [, setCount] = useState(0);
  const latest = useRef(props);
  latest.current = props;
  if (drawn.current.rows !== rows) {
    // The same rows stay drawn, wherever they stand now: so the row that the view holds on to is always there.
    const moved = moveRange(drawn.current.range, drawn.current.rows, rows, props.steady);
    drawn.current = { rows, range: moved ?? [Math.max(0, rows.length - FIRST_ROWS), rows.length] };
    heights.setKeys(rows.map((row) => row.key));
  }
  useMemo(() => heights.setKeys(rows.map((row) => row.key)), [heights]);

  /** Where the rows begin below the upper end of what is scrolled. */
  const offsetTop = (): number => (body.current && scroller.current ? body.current.offsetTop - scroller.current.offsetTop : 0);

  /** Draws what the view needs. */
  const cover = useCallback(
    (element: HTMLElement) => {
      const top = element.scrollTop - offsetTop();
      const next = nextRange(heights, drawn.current.range, top, top + element.clientHeight);
      if (next === drawn.current.range || state.current.passes >= PASSES_MAX) return;
      if (state.current.passes === 0) {
        requestAnimationFrame(() => {
          const late = state.current.passes >= PASSES_MAX;
          state.current.passes = 0;
          if (late && scroller.current) cover(scroller.current);
        });
      }
      state.current.passes += 1;
      drawn.current.range = next;
      setCount((count) => count + 1);
    },
    [heights],
  );

  const askForMore = useCallback((element: HTMLElement) => {
    if (latest.current.busy) return;
    if (element.scrollTop < NEAR_PX) latest.current.onNearStart();
    if (fromEndOf(element) < NEAR_PX) latest.current.onNearEnd();
  }, []);

  const onScroll = useCallback(() => {
    const element = scroller.current;
    if (!element) return;
    // Only who scrolls up leaves the end; that rows came in below does not take anybody from it.
    const up = element.scrollTop < state.current.top - 1;
    const atEnd = fromEndOf(element) < END_PX || (state.current.atEnd && !up);
    state.current.top = element.scrollTop;
    if (atEnd !== state.current.atEnd) latest.current.onAtEnd(atEnd);
    state.current.atEnd = atEnd;
    state.current.anchor = findAnchor(element);
    cover(element);
    askForMore(element);
  }, [cover, askForMore]);

  /** Puts the view back where it was: at the end, or with the anchor at its old place. */
  const settle = useCallback(() => {
    const element = scroller.current;
    if (!element) return;
    if (state.current.atEnd && latest.current.endIsNewest) element.scrollTop = element.scrollHeight;
    else if (state.current.anchor) restore(element, state.current.anchor, heights, drawn.current.rows, offsetTop());
    else state.current.anchor = findAnchor(element);
    state.current.top = element.scrollTop;
    cover(element);
    askForMore(element);
  }, [heights, cover, askForMore]);

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

  const { range } = drawn.current;
  useLayoutEffect(() => {
    for (const element of body.current!.querySelectorAll<HTMLElement>(":scope > [data-key]")) {
      observer.observe(element);
      heights.measure(element.dataset.key!, element.getBoundingClientRect().height);
    }
    const { target } = latest.current;
    const at = target && state.current.targetDone !== target ? rows.findIndex((row) => row.key === target) : -1;
    if (at >= 0) {
      state.current.targetDone = target!;
      state.current.atEnd = false;
      state.current.anchor = { key: target!, bottom: scroller.current!.clientHeight / 2.5 + GUESS_PX };
    }
    settle();
    if (!target) state.current.targetDone = "";
  }, [rows, range, props.head === null, props.target]);

  useLayoutEffect(() => {
    if (!props.busy && scroller.current) askForMore(scroller.current);
  }, [props.busy, askForMore]);

  useLayoutEffect(() => {
    if (props.toEnd === 0) return;
    state.current.atEnd = true;
    settle();
  }, [props.toEnd, settle]);

  const [first, last] = range;
  return (
    <div class="scroller" ref={scroller} onScroll={onScroll} role="region" aria-label={props.label} tabIndex={0}>
      {props.head}
      <div class="scroller-body" ref={body} role="log" aria-live="off" style={{ paddingTop: `${heights.top(first)}px`, paddingBottom: `${heights.total - heights.top(last)}px` }}>
        {rows.slice(first, last).map((row) => (
          <div key={row.key} data-key={row.key} data-steady={props.steady(row) ? "" : undefined} class="scroller-row">
            {props.draw(row)}
          </div>
        ))}
      </div>
    </div>
  );
}

function fromEndOf(element: HTMLElement): number {
  return element.scrollHeight - element.scrollTop - element.clientHeight;
}

/**
 * The rows to draw. What is drawn stays while it covers the view with some room to spare: otherwise a row
 * whose height turns out different could come and go for ever.
 */
function nextRange(heights: Heights, before: Range, top: number, bottom: number): Range {
  const [from, to] = heights.range(top, bottom, SPARE_PX);
  return before[0] <= from && before[1] >= to ? before : heights.range(top, bottom, BEYOND_PX);
}

/** The first row in view that will keep its neighbours; its lower edge, because a row may grow at its upper one. */
function findAnchor(element: HTMLElement): Anchor | undefined {
  const view = element.getBoundingClientRect();
  for (const row of element.querySelectorAll<HTMLElement>(".scroller-row[data-steady]")) {
    const box = row.getBoundingClientRect();
    if (box.top >= view.bottom) return undefined;
    if (box.bottom > view.top) return { key: row.dataset.key!, bottom: box.bottom - view.top };
  }
  return undefined;
}

function restore(element: HTMLElement, anchor: Anchor, heights: Heights, rows: { key: string }[], bodyTop: number): void {
  const row = element.querySelector<HTMLElement>(`[data-key="${CSS.escape(anchor.key)}"]`);
  if (row) {
    const now = row.getBoundingClientRect().bottom - element.getBoundingClientRect().top;
    if (Math.abs(now - anchor.bottom) > 0.5) element.scrollTop += now - anchor.bottom;
    return;
  }
  const index = rows.findIndex(({ key }) => key === anchor.key);
  if (index >= 0) element.scrollTop = heights.top(index + 1) + bodyTop - anchor.bottom;
}
