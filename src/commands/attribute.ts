import type { Genome } from '../genome/genome.ts';
import { genomeId } from '../genome/hash.ts';
import { groupsApart, putBack } from '../genome/put-back.ts';
import { type Attribution, activeShare, byEffect, effectOf } from '../report/attribution.ts';
import { ATTRIBUTION_TITLES, attributionNotes, attributionRows } from '../report/attribution-text.ts';
import { count, counted, table } from '../report/format.ts';
import type { Given } from '../settings.ts';
import { shellWord } from '../shell-word.ts';
import { triedTrials } from '../state.ts';
import { writeAttribution } from '../store/attribution-file.ts';
import { isTenth } from '../trial-progress.ts';
import { lines } from '../wrap.ts';
import { type Context, EXIT } from './context.ts';
import { type FinishedRun, finishedRun } from './finished-run.ts';
import { costText, FRESH, type FreshTrials, openFreshTrials, type Repeats } from './fresh-trials.ts';
import { readRepeats } from './repeats.ts';

/** Without --repeats: as many as make about so many trials, within these bounds. */
const TRIALS = 2000;
const [FEWEST, MOST] = [3, 20];

/** The genes of a champion that differ from the baseline, and the genomes with each group of them put back. */
export type Variant = { paths: string[]; genome: Genome };

/**
 * `evolve attribute RUN`: puts each gene of the champion that differs from the baseline back by itself, and measures
 * what that costs, on fresh repeats of search and validation tasks. What it did is kept: a call that was cut off goes
 * on, and one that has ended only prints.
 */
export async function attribute(folder: string, flags: Given, context: Context): Promise<number> {
  const { repeats: given, dryRun, json, quiet, ...settings } = flags;
  const run = await finishedRun(folder, settings);
  const variants = variantsOf(run);
  const repeats = repeatsOf(given, variants, run);
  const say = quiet === true ? () => {} : (line: string) => context.note(`evolve: ${line}`);
  if (dryRun === true) {
    const plan = planOf(run, variants, repeats);
    context.print(json === true ? JSON.stringify(plan, null, 2) : costLine(run, variants, repeats));
    return EXIT.finished;
  }
  const trials = await openFreshTrials(run, context, say);
  try {
    const { found, stopped } = await attributed(run, variants, repeats, trials, say);
    if (found === null) return stopped;
    await writeAttribution(run.dir, found);
    context.print(json === true ? JSON.stringify(found, null, 2) : attributionText(found, run));
    return stopped;
  } finally {
    await trials.close();
  }
}

/** The champion without each group of genes that can be apart. */
export function variantsOf({ champion, baseline }: FinishedRun): Variant[] {
  return groupsApart(baseline.genome, champion.genome).map((group) => {
    const paths = group.map(({ path }) => path);
    return { paths, genome: putBack(champion.genome, baseline.genome, paths) };
  });
}

/** The repeats that are asked for, or a sensible number of them. */
export function repeatsOf(given: unknown, variants: readonly Variant[], { tasks }: FinishedRun): Repeats {
  const each = (variants.length + 2) * tasks.length;
  if (given === undefined)
    return { first: FRESH, count: Math.min(MOST, Math.max(FEWEST, Math.floor(TRIALS / each))) };
  return { first: FRESH, count: readRepeats(given) };
}

/** Says the cost, runs what is not known, and gives the result; null where it was cut off. */
export async function attributed(
  run: FinishedRun,
  variants: readonly Variant[],
  repeats: Repeats,
  trials: FreshTrials,
  say: (line: string) => void,
): Promise<{ found: Attribution | null; stopped: number }> {
  const genomes = [run.champion.genome, run.baseline.genome, ...variants.map(({ genome }) => genome)];
  const missing = trials.missing(genomes, repeats);
  if (missing > 0) say(costLine(run, variants, repeats, missing));
  const stopped = await trials.run(genomes, repeats, tellTenths(missing, say));
  if (stopped !== null) return { found: null, stopped };
  return { found: attributionOf(run, variants, repeats, trials), stopped: EXIT.finished };
}

function attributionOf(
  { state, suite, tasks, champion, baseline }: FinishedRun,
  variants: readonly Variant[],
  repeats: Repeats,
  trials: FreshTrials,
): Attribution {
  const changes = groupsApart(baseline.genome, champion.genome);
  const planned = (variants.length + 2) * tasks.length * repeats.count;
  const ofRole = (role: string) => tasks.filter((task) => task.role === role).length;
  const { seed, model } = state.identity!;
  const genes = variants.map(({ paths, genome }, i) => {
    const pairs = trials.pairs(champion.genome, genome, repeats, paths);
    return {
      genes: changes[i]!,
      without: genomeId(genome),
      effect: effectOf(pairs),
      active: activeShare(pairs),
    };
  });
  return {
    version: 1,
    champion: champion.id,
    baseline: baseline.id,
    ...{ suiteHash: suite.hash, model, seed, repeats: repeats.count },
    tasks: { search: ofRole('search'), validation: ofRole('validation') },
    trials: {
      planned,
      lost: trials.missing(
        [champion.genome, baseline.genome, ...variants.map(({ genome }) => genome)],
        repeats,
      ),
    },
    total: effectOf(trials.pairs(champion.genome, baseline.genome, repeats, [])),
    genes: genes.sort(byEffect),
  };
}

function planOf(run: FinishedRun, variants: readonly Variant[], repeats: Repeats) {
  const genomes = variants.length + 2;
  const trials = genomes * run.tasks.length * repeats.count;
  const { state } = run;
  const usd = (state.spent.usd * trials) / Math.max(1, triedTrials(state));
  const genes = variants.map(({ paths }) => paths);
  return { run: run.name, genes, genomes, tasks: run.tasks.length, repeats: repeats.count, trials, usd };
}

function costLine(
  run: FinishedRun,
  variants: readonly Variant[],
  repeats: Repeats,
  missing?: number,
): string {
  const { genomes, tasks, trials } = planOf(run, variants, repeats);
  const left = missing === undefined || missing === trials ? '' : `; ${count(missing)} of them are left`;
  return (
    `${counted(variants.length, 'gene')} put back alone, champion and baseline: ${genomes} genomes × ${counted(tasks, 'task')} × ` +
    `${counted(repeats.count, 'repeat')}: ${costText(trials, run.state)}${left}`
  );
}

function attributionText(found: Attribution, { name }: FinishedRun): string {
  return [
    `What carried the gain of ${name}: champion ${found.champion} against baseline ${found.baseline}`,
    '',
    table([ATTRIBUTION_TITLES, ...attributionRows(found, 40)], [3]),
    '',
    ...attributionNotes(found).flatMap((note) => lines(note, 110)),
    '',
    `\`evolve report ${shellWord(name)}\` shows it too`,
  ].join('\n');
}

/** Says how far it is, ten times. */
function tellTenths(trials: number, say: (line: string) => void): () => void {
  let done = 0;
  return () => {
    done++;
    if (isTenth(done, trials)) say(`${count(done)} of ${counted(trials, 'trial')}`);
  };
}
