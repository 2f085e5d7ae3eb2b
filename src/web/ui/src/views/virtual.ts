// Which rows of a long list are drawn, and where they stand. Pure; virtual-list.tsx draws.

/**
 * Heights of rows: measured where they have been drawn, guessed where not. A row that is measured, or rows that come in
 * at the end, cost what stands below them to be added up again, and nothing else.
 */
export class Heights {
  private readonly known = new Map<string, number>();
  private readonly places = new Map<string, number>();
  private keys: readonly string[] = [];
  private sizes = new Float64Array(0);
  private tops = new Float64Array(1);
  /** The last index whose top is right. */
  private summed = 0;

  constructor(private readonly guess: number) {}

  setKeys(keys: readonly string[]): void {
    let same = 0;
    while (same < keys.length && keys[same] === this.keys[same]) same += 1;
    for (let index = same; index < this.keys.length; index += 1) this.places.delete(this.keys[index]!);
    this.keys = keys;
    if (this.sizes.length < keys.length) this.grow(keys.length);
    for (let index = same; index < keys.length; index += 1) {
      this.places.set(keys[index]!, index);
      this.sizes[index] = this.known.get(keys[index]!) ?? this.guess;
    }
    this.summed = Math.min(this.summed, same);
  }

  /** Notes a measured height; true if it is new. */
  measure(key: string, px: number): boolean {
    if (this.known.get(key) === px) return false;
    this.known.set(key, px);
    const index = this.places.get(key);
    if (index !== undefined && this.sizes[index] !== px) {
      this.sizes[index] = px;
      this.summed = Math.min(this.summed, index);
    }
    return true;
  }

  /** Where the row begins; the whole height for the index behind the last. */
  top(index: number): number {
    const wanted = Math.max(0, Math.min(index, this.keys.length));
    for (; this.summed < wanted; this.summed += 1) this.tops[this.summed + 1] = this.tops[this.summed]! + this.sizes[this.summed]!;
    return this.tops[wanted]!;
  }

  get total(): number {
    return this.top(this.keys.length);
  }

  /** The row at a place. */
  at(px: number): number {
    this.top(this.keys.length);
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

  private grow(count: number): void {
    const room = count * 2;
    const [sizes, tops] = [new Float64Array(room), new Float64Array(room + 1)];
    sizes.set(this.sizes);
    tops.set(this.tops);
    [this.sizes, this.tops] = [sizes, tops];
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
