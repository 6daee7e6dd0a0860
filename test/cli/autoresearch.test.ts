import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Measurement } from '../../src/commands/measurement.ts';
import { emptyFolder, evolve } from './evolve.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const BASELINE = path.join(ROOT, 'genomes/baseline');
const TASK = 'tales-1';

let folder: ReturnType<typeof emptyFolder>;
beforeEach(() => {
  folder = emptyFolder();
  cpSync(path.join(ROOT, 'benchmarks/autoresearch/tasks', TASK), path.join(folder.dir, 'suite/tasks', TASK), {
    recursive: true,
  });
  const suite = JSON.parse(readFileSync(path.join(ROOT, 'benchmarks/autoresearch/suite.json'), 'utf8'));
  const tasks = [{ id: TASK, role: 'search' }];
  writeFileSync(path.join(folder.dir, 'suite/suite.json'), JSON.stringify({ ...suite, tasks }));
});
afterEach(() => folder.remove());

const change = (file: string, old: RegExp, now: string) => {
  const place = path.join(folder.dir, 'suite/tasks', TASK, file);
  writeFileSync(place, readFileSync(place, 'utf8').replace(old, now));
};
const run = (args: string[], python?: string) =>
  evolve([...args, '--suite', 'suite'], {
    cwd: folder.dir,
    env: { OPENAI_BASE_URL: undefined, OPENAI_API_KEY: undefined, EVOLVE_PYTHON: python },
  });
const trial = ['trial', '--genome', BASELINE, '--repeats', '1'];

describe('a suite whose Python is not there is refused before anything is written', () => {
  test.each([trial, ['run', '--genomes', path.join(ROOT, 'genomes')]])('%s', async (...args) => {
    const missing = await run(args, 'no-such-python');
    expect(missing.code).toBe(2);
    expect(missing.stderr).toMatch(
      /the suite autoresearch needs Python, torch: no no-such-python was found.*npm run setup:autoresearch/s,
    );
    expect(readdirSync(folder.dir)).toEqual(['suite']);
  });

  test('nor is one whose module it lacks', async () => {
    change('task.json', /"torch"/, '"no_such_module"');
    const { code, stderr } = await run(trial, anyPython() ?? 'python3');
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /needs Python, .*no_such_module.*: (.* cannot import no_such_module|no python3).*setup:/s,
    );
    expect(readdirSync(folder.dir)).toEqual(['suite']);
  });
});

const python = pythonWithTorch();

describe.skipIf(python === null)(
  'with PyTorch (skipped where no Python has it: npm run setup:autoresearch)',
  () => {
    test('a trial trains, keeps and discards, and is scored', async () => {
      // Few steps and jobs are enough to see a run through. Each look at the clock is a fiftieth of the time, so that the
      // machine's speed decides nothing.
      change(
        'prepared/start/prepare.py',
        /^( +)now = .*$/m,
        '$1now = 0 if self.started is None else self.now + TRAIN_SECONDS / 50\n$1self.now = now',
      );
      change('task.json', /"jobs": \d+/, '"jobs": 4');
      const { code, stdout, stderr } = await run(
        [...trial, '--seed', '2', '--json', '--quiet', '--keep', 'kept'],
        python!,
      );
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      const found = JSON.parse(stdout) as Measurement;
      expect(found.tasks[0]).toMatchObject({ id: TASK, valid: 1 });
      expect(found.tasks[0]!.mean).toBeGreaterThan(0);
      const [id] = readdirSync(path.join(folder.dir, 'kept'));
      const kept = path.join(folder.dir, 'kept', id!);
      const logs = readdirSync(path.join(kept, 'logs')).map((name) =>
        readFileSync(path.join(kept, 'logs', name), 'utf8'),
      );
      expect(logs[0]).toMatch(
        /^\$ python train\.py\nmetric \{"name": "val_bpb", "step": 10, "value": [\d.]+\}\n/,
      );
      const bits = logs.map((log) => Number(/^validation bits-per-byte: ([\d.]+)$/m.exec(log)?.[1]));
      expect(bits[0]).toBeLessThan(5);
      expect(existsSync(path.join(kept, 'submission.csv'))).toBe(true);
      console.log(`validation bits per byte: ${bits.join(', ')}; score ${found.tasks[0]!.mean}`);
    });
  },
);

function pythonWithTorch(): string | null {
  return pythons().find((name) => imports(name, 'torch')) ?? null;
}

function anyPython(): string | null {
  return pythons().find((name) => imports(name, 'json')) ?? null;
}

function pythons(): string[] {
  const { EVOLVE_PYTHON } = process.env;
  return [...(EVOLVE_PYTHON ? [EVOLVE_PYTHON] : []), 'python3', '/usr/bin/python3'];
}

function imports(name: string, module: string): boolean {
  try {
    execFileSync(name, ['-c', `import ${module}`], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
