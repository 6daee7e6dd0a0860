import { describe, test } from 'vitest';
import { endings } from './endings.ts';
import { play } from './scenario.ts';
import { away } from './slurm-away.ts';
import { states } from './states-shown.ts';
import { submissions } from './submissions-gone-wrong.ts';

describe.concurrent.each([
  ['a state of a job', states],
  ['an end of a job', endings],
  ['a submission', submissions],
  ['an absence', away],
])('%s', (_, scenarios) => {
  for (const scenario of scenarios) test(scenario.name, () => play(scenario));
});
