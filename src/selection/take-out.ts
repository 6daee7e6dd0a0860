/** Genes tried together, by path. `loss`: mean score lost by all that are out with them; null where not measured. */
export type Step = { paths: string[]; loss: number | null; out: boolean };

/**
 * Greedy backward elimination: takes groups of genes out in the order given (the least effect first), each on top of
 * those that are out, and leaves out what keeps the loss at `margin` or below. Losses are against the whole genome and
 * not against the step before, so that small ones cannot add up unseen. `lossOf` gives the mean loss without these
 * paths: Infinity where that is no genome or nothing was measured, null to stop, and then null is what comes of it.
 */
export async function takeOut(
  order: readonly (readonly string[])[],
  margin: number,
  lossOf: (paths: string[]) => Promise<number | null>,
): Promise<Step[] | null> {
  const steps: Step[] = [];
  for (const paths of order) {
    const out = [...steps.filter((step) => step.out).flatMap((step) => step.paths), ...paths];
    const loss = await lossOf(out);
    if (loss === null) return null;
    const isKnown = Number.isFinite(loss);
    steps.push({ paths: [...paths], loss: isKnown ? loss : null, out: isKnown && loss <= margin });
  }
  return steps;
}

/**
 * Checks what `takeOut` found on data that it has not seen: while the loss is above `margin`, what was taken out last
 * (of what is out, it has the greatest effect) goes back in. `lossOf` measures on other data each time it is called; null
 * stops. Gives what stays out.
 */
export async function backOff(
  steps: readonly Step[],
  margin: number,
  lossOf: (paths: string[]) => Promise<number | null>,
): Promise<Step[] | null> {
  const out = steps.filter((step) => step.out);
  while (out.length > 0) {
    const loss = await lossOf(out.flatMap((step) => step.paths));
    if (loss === null) return null;
    if (loss <= margin) break;
    out.pop();
  }
  return out;
}
