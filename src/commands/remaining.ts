import { join } from 'node:path';
import type { RunConfig } from '../config.ts';
import { readLedger } from '../llm/ledger.ts';
import { triedTrials } from '../state.ts';
import { hasBegun } from '../store/folds.ts';
import { readRun } from '../store/run-dir.ts';

/** What is left, for the run with that index among `dirs`, of limits that hold for all of them together. */
export function remaining(
  { budgetTrials, budgetUsd, budgetTokens, maxTimeMs }: RunConfig,
  dirs: readonly string[],
) {
  const startedAt = performance.now();
  return {
    /** Milliseconds, 0 where none is left; null for no limit. */
    ms: () => maxTimeMs && Math.max(0, Math.ceil(maxTimeMs - (performance.now() - startedAt))),
    async budgets(own: number): Promise<Pick<RunConfig, 'budgetTrials' | 'budgetUsd' | 'budgetTokens'>> {
      if (budgetTrials === null && budgetUsd === null && budgetTokens === null) {
        return { budgetTrials, budgetUsd, budgetTokens };
      }
      const others = { trials: 0, usd: 0, tokens: 0 };
      for (const dir of dirs.filter((_, i) => i !== own)) {
        const used = await usedBy(dir);
        others.trials += used.trials;
        others.usd += used.usd;
        others.tokens += used.tokens;
      }
      const without = (budget: number | null, used: number) => budget && Math.max(0, budget - used);
      return {
        budgetTrials: without(budgetTrials, others.trials),
        budgetUsd: without(budgetUsd, others.usd),
        budgetTokens: without(budgetTokens, others.tokens),
      };
    },
  };
}

/** What a run has used so far of the budgets that several share. Tokens are in and out together. */
async function usedBy(dir: string): Promise<{ trials: number; usd: number; tokens: number }> {
  if (!(await hasBegun(dir))) return { trials: 0, usd: 0, tokens: 0 };
  const { state } = await readRun(dir);
  const paid = readLedger(join(dir, 'ledger.jsonl'));
  return {
    trials: triedTrials(state),
    usd: paid?.usd ?? 0,
    tokens: paid ? paid.tokensIn + paid.tokensOut : 0,
  };
}
