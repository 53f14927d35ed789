// One window sends at a time. Locks of the browser where it has them (https and this machine); else a short lease
// kept in the outbox.

const LEASE_MS = 45_000; // longer than one request may take
export const HELD = Symbol("another window sends");

/** Run `work` while no other window of this person does; the answer of `work`, or HELD. */
export async function exclusively(outbox, { user, tab }, work) {
  if (navigator.locks) {
    return navigator.locks.request(`medgen.send.${user}`, { ifAvailable: true }, (lock) => (lock ? work() : HELD));
  }
  if (!(await outbox.lease(tab, LEASE_MS))) return HELD;
  try {
    return await work(() => outbox.lease(tab, LEASE_MS));
  } finally {
    await outbox.lease(tab, 0);
  }
}
