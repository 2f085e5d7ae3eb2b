// Which rows of a long list are drawn, and where they stand. Pure; virtual-list.tsx draws.

/** Heights of rows: measured where they have been drawn, guessed where not. */
export class Heights {
  private readonly known = new Map<string, number>();
  private keys: readonly string[] = [];
  private tops = new Float64Array(1);
  private stale = true;
  private guess: number;

  constructor(guessPx: number) {
    this.guess = guessPx;
  }

  setKeys(keys: readonly string[]): void {
    this.keys = keys;
    this.stale = true;
  }

  /** Notes a measured height; true if it is new. */
  measure(key: string, px: number): boolean {
    if (this.known.get(key) === px) return false;
    this.known.set(key, px);
    this.stale = true;
    return true;
  }

  /** Where the row begins; the whole height for the index behind the last. */
  top(index: number): number {
    if (this.stale) this.sum();
    return this.tops[Math.max(0, Math.min(index, this.keys.length))]!;
  }

  get total(): number {
    return this.top(this.keys.length);
  }

  /** The row at a place. */
  at(px: number): number {
    if (this.stale) this.sum();
    let low = 0;
    let high = this.keys.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.tops[middle]! <= px) low = middle;
      else high = middle - 1;
    }
    return Math.max(0, low);
  }

  /** The rows between two places, and some beyond: from, to (exclusive). */
  range(topPx: number, bottomPx: number, beyondPx: number): [number, number] {
    if (this.keys.length === 0) return [0, 0];
    return [this.at(topPx - beyondPx), Math.min(this.keys.length, this.at(bottomPx + beyondPx) + 1)];
  }

  private sum(): void {
    const tops = new Float64Array(this.keys.length + 1);
    for (let index = 0; index < this.keys.length; index += 1) {
      tops[index + 1] = tops[index]! + (this.known.get(this.keys[index]!) ?? this.guess);
    }
    this.tops = tops;
    this.stale = false;
  }
}

/** Indices of rows: from, to (exclusive). */
export type Range = [number, number];

/**
 * Where the rows of a range stand after others came in or went; `undefined` if none of them is left.
 * Only rows that are `steady` are looked for: others may have got another place.
 */
export function moveRange<T extends { key: string }>(range: Range, before: readonly T[], after: readonly T[], steady: (row: T) => boolean): Range | undefined {
  const wanted = new Map<string, number>();
  for (let index = range[0]; index < Math.min(range[1], before.length); index += 1) {
    if (steady(before[index]!)) wanted.set(before[index]!.key, index);
  }
  for (let index = 0; index < after.length; index += 1) {
    const old = wanted.get(after[index]!.key);
    if (old === undefined) continue;
    const by = index - old;
    return [Math.max(0, range[0] + by), Math.min(after.length, Math.max(1, range[1] + by))];
  }
  return undefined;
}
