// One tab holds the client: two of them would write into one store. Another one may take over.

const NAME = "hearth-client";

export type Lock = { held: true; release: () => void } | { held: false };

/**
 * Takes the lock, by force if asked. `onStolen` is called when another tab has taken it.
 * Where the browser has no locks (no secure context), every tab is its own.
 */
export function takeLock(how: "ask" | "take over", onStolen: () => void): Promise<Lock> {
  const locks = (navigator as { locks?: LockManager }).locks;
  if (!locks) return Promise.resolve({ held: true, release: () => undefined });
  return new Promise((resolve) => {
    let held = false;
    const options: LockOptions = how === "take over" ? { steal: true } : { ifAvailable: true };
    locks
      .request(NAME, options, (lock) => {
        if (!lock) {
          resolve({ held: false });
          return undefined;
        }
        held = true;
        return new Promise<void>((release) => resolve({ held: true, release }));
      })
      .catch(() => {
        if (held) onStolen();
        else resolve({ held: false });
      });
  });
}
