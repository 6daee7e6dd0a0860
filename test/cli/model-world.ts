import path from 'node:path';
import { smallWorld } from '../fixtures/small-world.ts';
import { emptyFolder, evolve, type Ran } from './evolve.ts';
import { MODEL, type ModelEndpoint } from './model-endpoint.ts';

/** A folder with a suite of short trials, and the means to search in it by the command line. */
export type World = {
  at(name: string): string;
  /** `evolve run`, of a real model unless told otherwise; a job that ran once is in the cache for all later ones. */
  search(out: string, told: Search): Promise<Ran>;
  /** `evolve resume`. */
  resume(out: string, told: Pick<Search, 'endpoint' | 'args' | 'env'>): Promise<Ran>;
  remove(): void;
};

export type Search = {
  endpoint?: Pick<ModelEndpoint, 'env'>;
  /** Population and generations. */
  size?: [number, number];
  model?: string;
  args?: string[];
  env?: Record<string, string | undefined>;
  during?: Parameters<typeof evolve>[2];
};

/** Two search tasks, one for validation and a sealed one, unless told otherwise; a trial takes a dozen calls at most. */
export async function modelWorld(only: readonly string[] = ['s1', 's2', 'v1', 'f1']): Promise<World> {
  const folder = emptyFolder();
  await smallWorld(folder.dir, { only, turns: 8, jobs: 3 });
  return {
    at: (name) => path.join(folder.dir, name),
    remove: () => folder.remove(),
    resume: (out, { endpoint, args = [], env }) =>
      evolve(['resume', out, '--unsafe-no-sandbox', ...args], {
        cwd: folder.dir,
        env: { ...endpoint?.env, ...env },
      }),
    search: (
      out,
      { endpoint, size: [population, generations] = [6, 3], model = MODEL, args = [], env, during },
    ) =>
      evolve(
        [
          ...['--suite', 'suite', '--genomes', 'genomes', '--out', out, '--model', model, '--seed', '3'],
          ...['--population', String(population), '--generations', String(generations)],
          ...['--first-tasks', '1', '--finalists', '2', '--final-repeats', '3', '--sealed-repeats', '5'],
          // Where there is no sandbox: nothing but the offline model answers here.
          ...['--unsafe-no-sandbox', '--workers', '2', ...args],
        ],
        { cwd: folder.dir, env: { ...endpoint?.env, ...env } },
        during,
      ),
  };
}
