import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { untilEmpty } from '../../../src/jobs/sandbox/namespace.ts';
import { folder, mark, processesWith, until } from '../fixture.ts';

test.skipIf(process.platform !== 'linux').each([
  ['before it has named its first process', ''],
  ['after it has', 'named'],
])('a sandbox that is ended %s is empty once that is gone', async (_, named) => {
  const status = join(folder(), 'status');
  const name = mark();
  const script = 'sh -c "sleep 600; :" "$0" & exec sleep 0.01';
  const outer = spawn('/bin/sh', ['-c', script, name], { detached: true, stdio: 'ignore' });
  const group = outer.pid as number;
  const gone = new Promise((done) => outer.once('exit', done));
  await gone;
  await until(() => processesWith(name).length === 1, 'the inner process to stand alone');
  if (named) writeFileSync(status, `{ "child-pid": ${processesWith(name)[0]} }\n`);
  let isOver = false;
  const waiting = untilEmpty(status, group).then(() => {
    isOver = true;
  });
  await new Promise((done) => setTimeout(done, 50));
  expect(isOver).toBe(false);
  process.kill(-group, 'SIGKILL');
  await waiting;
  expect(processesWith(name)).toEqual([]);
});
