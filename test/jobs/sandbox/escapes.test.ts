import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { detectSandbox } from '../../../src/jobs/sandbox/sandbox.ts';
import { escapes, openRange, type Range, whyNotHere } from './escapes.ts';

const { level, why } = await detectSandbox();
const cases = await Promise.all(
  escapes.map(async (tried) => {
    const absent = level === 'none' ? why : await whyNotHere(tried);
    return { tried, absent, name: absent === null ? tried.name : `${tried.name} (not tried: ${absent})` };
  }),
);

describe('what an agent may try works without the sandbox, and fails within it', () => {
  let range: Range;
  beforeAll(async () => {
    range = await openRange();
  });
  afterAll(() => range.close());

  for (const { tried, absent, name } of cases) {
    test.skipIf(absent !== null)(name, async ({ skip }) => {
      const bare = await range.attempt(tried, 'bare');
      const guarded = tried.guarded || tried.needs?.includes('root');
      if (!bare && guarded) skip('this machine holds it by itself');
      expect(bare, 'without the sandbox').toBe(true);
      expect(await range.attempt(tried, 'auto'), 'within it').toBe(false);
    });
  }
});
