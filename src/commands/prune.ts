import { randomUUID } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { UserError } from '../errors.ts';
import type { Genome } from '../genome/genome.ts';
import { genomeId } from '../genome/hash.ts';
import { loadGenome } from '../genome/load.ts';
import { putBack } from '../genome/put-back.ts';
import { saveGenome } from '../genome/save.ts';
import { validateGenome } from '../genome/schema.ts';
import { type Attribution, effectOf, type GeneEffect } from '../report/attribution.ts';
import { counted, gain } from '../report/format.ts';
import { type Pruned, prunedText } from '../report/pruned.ts';
import { backOff, takeOut } from '../selection/take-out.ts';
import type { Given } from '../settings.ts';
import { replaceFile } from '../store/replace-file.ts';
import { storageError } from '../store/storage-error.ts';
import { attributed, repeatsOf, variantsOf } from './attribute.ts';
import { type Context, EXIT } from './context.ts';
import { type FinishedRun, finishedRun } from './finished-run.ts';
import { costText, FRESH, type FreshTrials, openFreshTrials, type Repeats } from './fresh-trials.ts';
import { displayed } from './read-report.ts';

const PRUNED_FILE = 'pruned.json';

/** Repeats of the checks at the end: behind those of the steps, each attempt on its own. */
const CHECKS = { first: FRESH + 10_000, apart: 10_000 };

/**
 * `evolve prune RUN`: the smallest champion that is not worse. Genes that carried nothing measurable go back to the
 * baseline's values, the least effect first, as long as the mean loss against the champion stays within the margin on
 * the repeats of `evolve attribute`; what is left is then checked on fresh ones, and backs off where it is worse.
 */
export async function prune(folder: string, flags: Given, context: Context): Promise<number> {
  const { repeats: given, margin: asked, out, dryRun, json, quiet, ...settings } = flags;
  const run = await finishedRun(folder, settings);
  const margin = readMargin(asked);
  const variants = variantsOf(run);
  const repeats = repeatsOf(given, variants, run);
  const target = resolve(typeof out === 'string' ? out : join(run.dir, 'pruned'));
  await refuseTaken(target, run);
  const say = quiet === true ? () => {} : (line: string) => context.note(`evolve: ${line}`);
  // Champion, baseline and each gene by itself, as `evolve attribute` has them; the steps but for the first; the check.
  const most = run.tasks.length * repeats.count * (variants.length + 2 + variants.length - 1 + 4);
  const cost = `${counted(variants.length, 'gene')}: at most ${costText(most, run.state)}, those that are known included; more where the check at the end fails`;
  if (dryRun === true) {
    const plan = { run: run.name, genes: variants.map(({ paths }) => paths), margin, trials: { most } };
    context.print(
      json === true ? JSON.stringify({ ...plan, repeats: repeats.count, out: target }, null, 2) : cost,
    );
    return EXIT.finished;
  }
  const trials = await openFreshTrials(run, context, say);
  try {
    say(cost);
    const { found, stopped } = await attributed(run, variants, repeats, trials, say);
    if (found === null) return stopped;
    const result = await pruned(run, found, { margin, repeats, trials, say });
    if ('stopped' in result) return result.stopped;
    await write(result.genome, target);
    await replaceFile(join(run.dir, PRUNED_FILE), `${JSON.stringify(result.pruned, null, 2)}\n`);
    const where = displayed(target);
    context.print(
      json === true
        ? JSON.stringify({ ...result.pruned, where }, null, 2)
        : prunedText(result.pruned, `${where}/`),
    );
    return EXIT.finished;
  } finally {
    await trials.close();
  }
}

type Asked = { margin: number; repeats: Repeats; trials: FreshTrials; say(line: string): void };

async function pruned(
  run: FinishedRun,
  found: Attribution,
  { margin, repeats, trials, say }: Asked,
): Promise<{ genome: Genome; pruned: Pruned } | { stopped: number }> {
  const champion = run.champion.genome;
  let stopped: number = EXIT.finished;
  const without = (paths: string[]) => putBack(champion, run.baseline.genome, paths);
  const against = (paths: string[], on: Repeats) =>
    effectOf(trials.pairs(without(paths), champion, on, paths));
  const lossOn = async (paths: string[], on: Repeats): Promise<number | null> => {
    if (validateGenome(without(paths)).length > 0) return Number.POSITIVE_INFINITY;
    const code = await trials.run([champion, without(paths)], on);
    if (code !== null) stopped = code;
    if (code !== null) return null;
    const { mean } = against(paths, on);
    const checked = on.first === repeats.first ? '' : `, checked on ${on.count} fresh repeats`;
    say(`${gain(mean)} with ${paths.length} of them as in the baseline${checked}`);
    return mean === null ? Number.POSITIVE_INFINITY : -mean;
  };
  const pathsOf = ({ genes }: GeneEffect) => genes.map(({ path }) => path);
  // What measurably carries the gain is not tried; a single task measures nothing, and is no reason.
  const idle = found.genes.filter(({ effect }) => !(effect.tasks > 1 && effect.ci95[0] > 0)).reverse();
  const steps = await takeOut(idle.map(pathsOf), margin, (paths) => lossOn(paths, repeats));
  if (steps === null) return { stopped };
  const checks: Pruned['checks'] = [];
  const left = await backOff(steps, margin, async (paths) => {
    const first = CHECKS.first + checks.length * CHECKS.apart;
    const fresh = { first, count: 2 * repeats.count };
    const loss = await lossOn(paths, fresh);
    checks.push({ ...against(paths, fresh), paths, repeats: fresh.count });
    return loss;
  });
  if (left === null) return { stopped };
  const paths = left.flatMap((step) => step.paths);
  const isOut = (row: GeneEffect) => pathsOf(row).every((path) => paths.includes(path));
  return {
    genome: without(paths),
    pruned: {
      version: 1,
      champion: run.champion.id,
      baseline: run.baseline.id,
      genome: genomeId(without(paths)),
      ...{ margin, repeats: repeats.count, steps },
      out: found.genes.filter(isOut),
      kept: found.genes.filter((row) => !isOut(row)),
      checks,
    },
  };
}

function readMargin(given: unknown): number {
  if (given === undefined) return 0.01;
  const margin = /^\+?(\d+\.?\d*|\.\d+)$/.test(String(given)) ? Number(given) : Number.NaN;
  if (margin >= 0 && margin <= 1) return margin;
  throw new UserError(`--margin must be a number from 0 to 1, not '${given}'`, 'for example: --margin 0.01');
}

/** The folder must be free, or hold what an earlier call on this run put there. */
async function refuseTaken(target: string, { dir }: FinishedRun): Promise<void> {
  if (!existsSync(target)) return;
  if (statSync(target).isDirectory() && readdirSync(target).length === 0) return;
  const there = await idOf(target);
  if (there !== null && there === earlier(dir)) return;
  throw taken(target);
}

async function write(genome: Genome, target: string): Promise<void> {
  if (existsSync(target) && readdirSync(target).length > 0) {
    if ((await idOf(target)) === genomeId(genome)) return;
    throw taken(target);
  }
  const temporary = `${target}.${randomUUID()}.tmp`;
  try {
    await mkdir(dirname(target), { recursive: true });
    await saveGenome(genome, temporary);
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { recursive: true, force: true }).catch(() => {});
    throw storageError(target, error);
  }
}

function taken(target: string): UserError {
  return new UserError(
    `${displayed(target)} is there already, and is not overwritten`,
    'give a new folder by --out; what was measured is kept, and costs nothing again',
  );
}

/** The genome in a folder; null where there is none. */
async function idOf(folder: string): Promise<string | null> {
  return await loadGenome(folder).then(genomeId, () => null);
}

/** What the last call on this run has written; null where that is not known. */
function earlier(dir: string): string | null {
  try {
    return (JSON.parse(readFileSync(join(dir, PRUNED_FILE), 'utf8')) as Pruned).genome;
  } catch {
    return null;
  }
}
