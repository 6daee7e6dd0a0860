/**
 * The results of work under way side by side, in order. Unlike `Promise.all` it waits for all to end before it rejects,
 * with the first fault in that order: what others have paid for meanwhile is kept.
 */
export async function together<T>(work: readonly Promise<T>[]): Promise<T[]> {
  const ends = await Promise.allSettled(work);
  return ends.map((end) => {
    if (end.status === 'rejected') throw end.reason;
    return end.value;
  });
}
