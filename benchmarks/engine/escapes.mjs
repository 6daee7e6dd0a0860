// What an agent's code may try, and whether it succeeds: as a bare process, as a job without bubblewrap, within it.
// Needs the built dist/. Exit code 1 where one succeeds within the sandbox.
import { runnerImport } from 'vite';

const { module } = await runnerImport('./test/jobs/sandbox/escapes.ts');
const { escapes, openRange, whyNotHere } = module;

const range = await openRange();
const width = Math.max(...escapes.map(({ name }) => name.length));
const say = (name, ...marks) =>
  console.log(`${name.padEnd(width)}  ${marks.map((mark) => mark.padEnd(10)).join('')}`.trim());
const totals = { tried: 0, bare: 0, none: 0, auto: 0 };

say('an agent that', 'bare', 'job', 'sandboxed job');
try {
  for (const tried of escapes) {
    const absent = await whyNotHere(tried);
    if (absent !== null) {
      say(tried.name, `not tried: ${absent}`);
      continue;
    }
    totals.tried++;
    const marks = [];
    for (const way of ['bare', 'none', 'auto']) {
      const got = await range.attempt(tried, way);
      if (got) totals[way]++;
      marks.push(got ? 'succeeds' : 'fails');
    }
    say(tried.name, ...marks);
  }
} finally {
  await range.close();
}
say(`${totals.tried} tried; succeed`, ...['bare', 'none', 'auto'].map((way) => String(totals[way])));
process.exitCode = totals.auto > 0 ? 1 : 0;
