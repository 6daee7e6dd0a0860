import { UserError } from '../errors.ts';
import type { RunIdentity } from '../event.ts';

/** How the parts of an identity are called on the command line. */
const NAMES: Record<string, string> = {
  suite: 'the suite',
  suiteHash: 'the contents of the suite',
  leftOut: 'what the audit leaves out of the suite',
  foundersHash: 'the founders (--genomes)',
  mutator: '--mutator-model',
  critic: '--critic-model',
  frozen: 'what the endpoint cannot express',
};

/**
 * Throws a `UserError` that names every part in which `now` differs from the identity of the run in `dir`.
 * A suite that was only moved (other path, same contents) is the same suite.
 */
export function refuseOtherIdentity(dir: string, was: RunIdentity, now: RunIdentity): void {
  const before = leaves(was);
  const after = leaves(now);
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(
    (key) => before[key] !== after[key],
  );
  const sameSuite = was.suiteHash === now.suiteHash;
  const differing = keys.filter((key) => !(key === 'suite' && sameSuite));
  if (differing.length === 0) return;
  const parts = differing.map((key) => {
    const name =
      NAMES[key] ?? `--${key.replace(/^search\./, '').replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)}`;
    return `${name} was ${before[key] ?? 'not given'}, is ${after[key] ?? 'not given'}`;
  });
  throw new UserError(
    `${dir} holds a run with another identity: ${parts.join('; ')}`,
    'Give the same options to go on with that run, or another --out for a new one.',
  );
}

function leaves(identity: RunIdentity): Record<string, string> {
  const { search, ...rest } = identity;
  const entries = [
    ...Object.entries(rest),
    ...Object.entries(search).map(([key, value]) => [`search.${key}`, value]),
  ];
  return Object.fromEntries(entries.map(([key, value]) => [key, String(value)]));
}
