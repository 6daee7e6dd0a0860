import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { UserError } from '../../src/errors.ts';
import type { Event } from '../../src/event.ts';
import { apply, emptyState } from '../../src/state.ts';
import { openJournal, readJournal } from '../../src/store/journal.ts';
import { syntheticEvents } from './events.ts';

const EVENTS = syntheticEvents(120);
let dir: string;
let path: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'evolve-journal-'));
  path = join(dir, 'journal.jsonl');
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

async function read(): Promise<Event[]> {
  const events: Event[] = [];
  await readJournal(path, (event) => events.push(event));
  return events;
}

async function append(events: readonly Event[]): Promise<void> {
  const journal = await openJournal(path, await readJournal(path, () => {}));
  for (const event of events) journal.append(event);
  await journal.close();
}

describe('journal', () => {
  test('replay gives the state of the live fold', async () => {
    await append(EVENTS);
    const replayed = emptyState();
    await readJournal(path, (event) => apply(replayed, event));
    expect(replayed).toEqual(EVENTS.reduce(apply, emptyState()));
  });

  test('numbers its lines from 1 and stamps each with its time', async () => {
    await append(EVENTS.slice(0, 3));
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line).seq)).toEqual([1, 2, 3]);
    expect(lines[0]).toMatch(/^\{"seq":1,"crc":"[0-9a-f]{8}","type":"started".*"at":"\d{4}-[^"]*Z"\}$/);
  });

  test('its crc is that of zlib over the line without the crc', async () => {
    await append(EVENTS.slice(0, 1));
    const line = readFileSync(path, 'utf8').trimEnd();
    const script = 'import sys, zlib; print("%08x" % zlib.crc32(sys.stdin.buffer.read()))';
    const input = line.replace(/"crc":"[0-9a-f]{8}",/, '');
    let expected: string;
    try {
      expected = execFileSync('python3', ['-c', script], { input, encoding: 'utf8' }).trim();
    } catch {
      return; // No Python here.
    }
    expect(JSON.parse(line).crc).toBe(expected);
  });

  test('a missing file is an empty journal', async () => {
    expect(await readJournal(path, () => {})).toEqual({ seq: 0, bytes: 0, size: 0 });
  });

  test('goes on where it ended', async () => {
    await append(EVENTS.slice(0, 50));
    await append(EVENTS.slice(50));
    expect(await read()).toEqual(EVENTS);
  });

  test('cut off at any byte, it gives the whole lines before, and goes on', async () => {
    await append(EVENTS);
    const whole = readFileSync(path);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: whole.length }), async (length) => {
        writeFileSync(path, whole.subarray(0, length));
        const kept = whole.subarray(0, length).filter((byte) => byte === 0x0a).length;
        expect(await read()).toEqual(EVENTS.slice(0, kept));
        expect(readFileSync(path).length).toBe(length);
        await append(EVENTS.slice(kept));
        expect(await read()).toEqual(EVENTS);
      }),
      { seed: 1, numRuns: 40 },
    );
  });

  test('a last line with a wrong crc is dropped', async () => {
    await append(EVENTS.slice(0, 5));
    writeFileSync(path, readFileSync(path, 'utf8').replace(/\}\n$/, ' }\n'));
    const end = await readJournal(path, () => {});
    expect(end.seq).toBe(4);
    expect(end.size).toBeGreaterThan(end.bytes);
  });

  test.each([
    ['one changed digit', (lines: string[]) => lines.splice(6, 1, lines[6]!.replace('"slot":', '"slot":1'))],
    ['a lost line', (lines: string[]) => lines.splice(6, 1)],
    ['a line twice', (lines: string[]) => lines.splice(6, 0, lines[5]!)],
    ['an empty line', (lines: string[]) => lines.splice(6, 0, '')],
    ['a line cut short', (lines: string[]) => lines.splice(6, 1, lines[6]!.slice(0, 10))],
    ['a line that is not JSON', (lines: string[]) => lines.splice(6, 1, 'hello, world')],
  ])('%s in the middle is refused with its number, and the file stays', async (_, damage) => {
    const events = syntheticEvents(40).filter(({ type }) => type === 'started' || type === 'bred');
    await append([...events, ...events]);
    const lines = readFileSync(path, 'utf8').split('\n');
    damage(lines);
    writeFileSync(path, lines.join('\n'));
    const error = await read().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(UserError);
    expect(error).toMatchObject({
      exitCode: 2,
      message: expect.stringContaining(`${path} line 7 is damaged`),
    });
    expect(readFileSync(path, 'utf8')).toBe(lines.join('\n'));
  });

  test('any changed byte before the last line is refused', async () => {
    await append(EVENTS.slice(0, 20));
    const whole = readFileSync(path);
    // Without its newline, the last line but one is part of the last.
    const last = whole.lastIndexOf(0x0a, whole.length - 2) - 1;
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: last }),
        fc.integer({ min: 1, max: 255 }),
        async (at, flip) => {
          const broken = Buffer.from(whole);
          broken[at]! ^= flip;
          writeFileSync(path, broken);
          await expect(read()).rejects.toThrow(UserError);
        },
      ),
      { seed: 1, numRuns: 200 },
    );
  });

  test('a file of something else is refused, not cut off', async () => {
    writeFileSync(path, 'dear diary');
    await expect(read()).rejects.toThrow(/line 1/);
    writeFileSync(path, Buffer.alloc(100));
    expect(await read()).toEqual([]);
  });

  test('an event that contradicts what came before is refused with its line', async () => {
    await append([EVENTS[0]!, EVENTS[0]!]);
    const state = emptyState();
    await expect(readJournal(path, (event) => apply(state, event))).rejects.toThrow(
      /line 2: the run is started twice/,
    );
  });

  test('a number that JSON cannot carry is refused before it is written', async () => {
    const journal = await openJournal(path, { seq: 0, bytes: 0, size: 0 });
    const event: Event = { type: 'dropped', generation: 0, candidate: 'c', behind: Number.NaN, error: 0 };
    expect(() => journal.append(event)).toThrow(/behind is NaN/);
    journal.append(EVENTS[0]!);
    await journal.close();
    expect(await read()).toEqual([EVENTS[0]]);
  });

  test('a journal that grew since it was read is not opened', async () => {
    await append(EVENTS.slice(0, 5));
    const end = await readJournal(path, () => {});
    appendFileSync(path, '{');
    await expect(openJournal(path, end)).rejects.toThrow(/has changed/);
    truncateSync(path, end.bytes);
    await (await openJournal(path, end)).close();
  });

  test('a run that another process has taken over is written no more, by neither append nor commit', async () => {
    let isOurs = true;
    const journal = await openJournal(path, { seq: 0, bytes: 0, size: 0 }, () => isOurs);
    journal.append(EVENTS[0]!);
    isOurs = false;
    await expect(journal.commit()).rejects.toThrow(/is not ours to write any more/);
    expect(() => journal.append(EVENTS[1]!)).toThrow(/is not ours to write any more/);
    await journal.close().catch(() => {});
    expect(await read()).toEqual([EVENTS[0]]);
  });

  test('lines longer than a read, and many of them', async () => {
    const long: Event = {
      type: 'planned',
      generation: 0,
      stage: 'first',
      trials: ['ü'.repeat(3 << 20), '線'],
    };
    await append([EVENTS[0]!, long, EVENTS[1]!]);
    expect(await read()).toEqual([EVENTS[0], long, EVENTS[1]]);
  });
});
