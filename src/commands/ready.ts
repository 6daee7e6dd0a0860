import type { RunConfig } from '../config.ts';
import { sandboxLevel } from '../jobs/sandbox/sandbox.ts';
import { refuseImpossible } from '../jobs/slots/request.ts';
import type { Suite } from '../suite/suite.ts';
import type { Parties } from './parties.ts';
import { reachParties } from './reach-parties.ts';
import { withRuntime } from './runtime.ts';
import { checkCassette, checkSandbox } from './safety.ts';

/**
 * Asks of this machine and of the endpoints what a search needs of them, before anything is written: gives the parties as
 * they were found, and the suite with what its tasks run on. Throws a `UserError` where something is missing.
 */
export async function makeReady(
  config: RunConfig,
  planned: Parties,
  suite: Suite,
  say: (line: string) => void,
): Promise<{ parties: Parties; equipped: Suite }> {
  checkCassette(config);
  if (config.jobs === 'local') await refuseImpossible(suite.tasks);
  const parties = await reachParties(planned, config, say);
  if (config.jobs === 'local') checkSandbox(parties, config, await sandboxLevel(), say);
  return { parties, equipped: await withRuntime(suite, config.jobs) };
}
