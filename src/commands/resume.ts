import { type RunConfig, readConfig } from '../config.ts';
import { UserError } from '../errors.ts';
import type { Given } from '../settings.ts';
import { shellWord } from '../shell-word.ts';
import { readConfigOf } from '../store/catalog.ts';
import { foldsAround, readFolds } from '../store/folds.ts';
import { readRun } from '../store/run-dir.ts';
import type { Context } from './context.ts';

/** `evolve resume RUN`: the same run again with the same `--out`; flags may extend it or change its workers. */
export async function resume(folder: string, flags: Given, context: Context): Promise<number> {
  const { json, quiet, ...settings } = flags;
  const output = { json: json === true, quiet: quiet === true, dryRun: false };
  const around = await foldsAround(folder);
  if (around !== null) {
    throw new UserError(
      `${folder} is one of the folds of ${around}, which share their budgets`,
      `give \`evolve resume ${shellWord(around)}\``,
    );
  }
  const folds = await readFolds(folder);
  if (folds) {
    const stored = { ...(await readConfig({})), ...folds.config, out: folder };
    const { run } = await import('./run.ts');
    return await run(await readConfig(settings, stored), output, context);
  }
  const { state } = await readRun(folder);
  const { seed, population, model, search } = state.identity!;
  const defaults = await readConfig({});
  const stored: RunConfig = { ...defaults, ...(await readConfigOf(folder)), seed, population, model, search };
  const config = await readConfig(settings, { ...stored, generations: state.generations, out: folder });
  const { run } = await import('./run.ts');
  return await run(config, output, context);
}
