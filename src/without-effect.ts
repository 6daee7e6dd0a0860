import type { Part, SearchSettings, Strategy } from './config.ts';
import { UserError } from './errors.ts';
import { PARTS_OF, type Values } from './settings.ts';

/**
 * Throws a `UserError` where a part is to be left out that the strategy does not have, or a setting was given as a flag for
 * a part that the search does not have. A file of settings may serve several strategies: what it says there is ignored.
 *
 * @param flags - settings given as flags
 * @param given - settings given as flags or in a file, not those of a run that is resumed
 * @param search - the settings as they came out
 */
export function refuseWithoutEffect(flags: Values, given: Values, search: SearchSettings): void {
  const strategy = search.strategy ?? 'population';
  if (given.without !== undefined) refuseAbsent(strategy, search.without ?? []);
  for (const [name, part, why] of OF_POPULATIONS) {
    if (flags[name] === undefined) continue;
    const where = (text: string) => `--${name} ${flags[name]} would change nothing: ${text}`;
    if (strategy !== 'population')
      throw new UserError(where(`a search by --strategy ${strategy} ${why}`), `leave --${name} out`);
    if (part !== null && search.without?.includes(part))
      throw new UserError(where(`--without ${part} leaves out what it sets`), 'leave one of the two out');
  }
}

/** Settings of what only a population has: the part that they set, if it is one that can be left out, and what others lack. */
const OF_POPULATIONS = [
  ['tournament', 'tournament', 'has no tournament'],
  ['first-tasks', 'racing', 'has no race'],
  ['elites', null, 'keeps no group of the best'],
] as const;

function refuseAbsent(strategy: Strategy, without: readonly Part[]): void {
  const absent = without.filter((part) => !PARTS_OF[strategy].includes(part));
  if (absent.length === 0) return;
  throw new UserError(
    `--without ${absent.join(',')} would change nothing: a search by --strategy ${strategy} has no such part`,
    `of --strategy ${strategy} these can be left out: ${PARTS_OF[strategy].join(', ')}`,
  );
}
