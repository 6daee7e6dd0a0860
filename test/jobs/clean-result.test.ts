import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { cleanResult } from '../../src/jobs/clean-result.ts';
import type { ResultFile } from '../../src/jobs/result.ts';
import { protect } from '../../src/secrets.ts';

const VALUE = 'canary/4fQ9+aA7xT2';
let dir: string;
beforeAll(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'evolve-test-'));
  process.env.CLEAN_RESULT_TOKEN = VALUE;
  protect([]);
});
afterAll(() => {
  delete process.env.CLEAN_RESULT_TOKEN;
  rmSync(dir, { recursive: true, force: true });
});

/** A file of 3 MiB with this text at a place in it. */
function large(name: string, text: string, at: number): ResultFile {
  const bytes = Buffer.alloc(3 << 20, 0xff);
  bytes.write(text, at);
  writeFileSync(path.join(dir, name), bytes);
  return { path: name, file: path.join(dir, name), bytes: bytes.length };
}

function cleaned(files: ResultFile[]) {
  const outputs = files.map((file) => file.path);
  return cleanResult({ outcome: { kind: 'done', log: `it is ${VALUE}`, ms: 1, outputs }, files });
}

test('log and texts are redacted', () => {
  expect(cleaned([{ path: 'submission.csv', text: `id,y\na,${VALUE}\n` }])).toEqual({
    outcome: { kind: 'done', log: 'it is [CLEAN_RESULT_TOKEN]', ms: 1, outputs: ['submission.csv'] },
    files: [{ path: 'submission.csv', text: 'id,y\na,[CLEAN_RESULT_TOKEN]\n' }],
  });
});

test('a binary or large file that holds a secret is no output, wherever it stands; the others are left alone', () => {
  const base64 = (text: string) =>
    Buffer.concat([Buffer.from([0xff, 0]), Buffer.from(text)]).toString('base64');
  const fine: ResultFile[] = [{ path: 'fine.bin', base64: base64('nothing') }, large('fine', 'nothing', 0)];
  const found = cleaned([
    ...fine,
    { path: 'bad.bin', base64: base64(VALUE) },
    large('first', VALUE, 0),
    large('across', VALUE, (1 << 20) - 5),
    large('last', VALUE, (3 << 20) - VALUE.length),
    large('coded', Buffer.from(VALUE).toString('base64'), 2 << 20),
  ]);
  expect(found.files).toEqual(fine);
  expect(found.outcome).toMatchObject({ outputs: ['fine.bin', 'fine'] });
});
