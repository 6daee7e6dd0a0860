import type { RunConfig } from '../config.ts';
import type { RunIdentity } from '../event.ts';
import type { Founders } from '../genome/founders.ts';
import type { Constitution } from '../guard/constitution.ts';
import { hashJson } from '../json.ts';
import type { Suite } from '../suite/suite.ts';
import type { Parties } from './parties.ts';

/** What makes this run this run: another identity needs another folder. */
export function identityOf(
  config: RunConfig,
  { frozen }: Parties,
  suite: Suite,
  founders: Founders,
  constitution: Constitution,
): RunIdentity {
  const { seed, population, model, mutator, critic } = config;
  return {
    seed,
    population,
    suite: suite.name,
    suiteHash: suite.hash,
    ...(suite.leftOut ? { leftOut: suite.leftOut } : {}),
    model,
    ...(mutator.model === model ? {} : { mutator: mutator.model }),
    ...(critic.model === model ? {} : { critic: critic.model }),
    ...(frozen.length === 0 ? {} : { frozen }),
    foundersHash: hashJson([founders.hash, constitution]),
    search: config.search,
  };
}
