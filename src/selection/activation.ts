/**
 * The genes, of those in which two genomes differ, that did something in their trials, in the order of `changes`. Without
 * one the two did the same, and a difference in their scores is luck.
 *
 * `changes` are paths of genes; the two sets hold what was active (`Outcome.active`) over all trials of either side. A
 * rule or skill counts if it was active on either side: one that only one side has can be active on that side alone.
 * Genes of `loop` and `memory` count if guard or notes were active on either side, those of `sampling`, `tools` and
 * `limits` always, as every call and turn is made by them; anything else does nothing in a trial.
 */
export function activeChanges(
  changes: readonly string[],
  ownActive: ReadonlySet<string>,
  otherActive: ReadonlySet<string>,
): string[] {
  const was = (path: string) => ownActive.has(path) || otherActive.has(path);
  return changes.filter((path) => {
    const section = path.split('.', 1)[0]!;
    if (ALWAYS.includes(section)) return true;
    return was(WHOLE.includes(section) ? section : path);
  });
}

const ALWAYS = ['sampling', 'tools', 'limits'];
/** Sections that are active as a whole. */
const WHOLE = ['loop', 'memory'];
