// One card is written at a time in this browser: another tab would take the file that is being written
// for one that was left behind.

const LOCK = "sp404-card-write";
export const OTHER_WRITE = "Another write to a card is going on in this browser. Wait until it is done.";

// Calls `act` alone; returns false if something else is being written.
export async function withCardLock(act) {
  if (!navigator.locks) {
    await act();
    return true;
  }
  return navigator.locks.request(LOCK, { ifAvailable: true }, async (lock) => {
    if (lock) await act();
    return Boolean(lock);
  });
}
