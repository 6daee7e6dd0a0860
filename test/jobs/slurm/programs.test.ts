import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest';
import { slurmPrograms } from '../../../src/jobs/slurm/programs.ts';

const dir = mkdtempSync(join(tmpdir(), 'evolve-programs-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
afterEach(() => void vi.unstubAllEnvs());

let made = 0;
const ask = (script: string, deadlineMs = 20_000) => {
  const program = join(dir, `program-${made++}`);
  writeFileSync(program, `#!/bin/sh\n${script}\n`);
  chmodSync(program, 0o755);
  return slurmPrograms({ programs: { sbatch: program }, deadlineMs })('sbatch', ['--one', 'a b']);
};

test('arguments arrive as they are, one by one', async () => {
  expect(await ask('printf "%s|" "$@"')).toEqual({ kind: 'ok', text: '--one|a b|' });
});

test('no key, and nothing that would change what is asked for, is seen by a program', async () => {
  for (const name of ['OPENAI_API_KEY', 'SBATCH_EXPORT', 'SLURM_JWT', 'SQUEUE_FORMAT']) {
    vi.stubEnv(name, 'canary-3141592');
  }
  vi.stubEnv('SLURM_CONF', '/there/slurm.conf');
  const answer = await ask('env');
  expect(answer).toMatchObject({ text: expect.stringContaining('SLURM_CONF=/there/slurm.conf') });
  expect(JSON.stringify(answer)).not.toContain('canary');
});

describe('a program that fails', () => {
  const failing = async (said: string) => (await ask(`cat >&2 <<'EOF'\n${said}\nEOF\nexit 1`)).kind;

  test.each([
    'sbatch: error: Batch job submission failed: Socket timed out on send/recv operation',
    'sbatch: error: Batch job submission failed: Unable to contact slurm controller (connect failure)',
    'slurm_load_jobs error: Unable to contact slurm controller (connect failure)',
    'slurm_load_jobs error: Zero Bytes were transmitted or received',
    'sbatch: error: Batch job submission failed: Slurm controller is in standby mode',
    'sbatch: error: If munged is up, restart with --num-threads=10',
    'sbatch: error: Batch job submission failed: I/O error writing script/output to file',
    'sbatch: error: resolve_ctls_from_dns_srv: res_nsearch error: Unknown host',
    '',
  ])('may have done it: %s', async (said) => {
    expect(await failing(said)).toBe('away');
  });

  test.each([
    "sbatch: error: AssocMaxSubmitJobLimit\nsbatch: error: Batch job submission failed: Job violates accounting/QOS policy (job submit limit, user's size and/or time limits)",
    'sbatch: error: QOSMaxSubmitJobPerUserLimit',
    'sbatch: error: Slurm temporarily unable to accept job, sleeping and retrying',
    'sbatch: error: Batch job submission failed: Resource temporarily unavailable',
    'sbatch: error: Batch job submission failed: Required node not available (down, drained or reserved)',
  ])('had no room: %s', async (said) => {
    expect(await failing(said)).toBe('full');
  });

  test.each([
    'sbatch: error: Batch job submission failed: Invalid account or account/partition combination specified',
    'sbatch: error: invalid partition specified: nope',
    'sbatch: error: Batch job submission failed: Invalid qos specification',
    'sbatch: error: Batch job submission failed: Requested node configuration is not available',
    'sbatch: error: Batch job submission failed: Requested time limit is invalid (missing or exceeds some limit)',
    'sbatch: error: Batch job submission failed: Access/permission denied',
    "sbatch: unrecognized option '--nonsense'",
    'sbatch: error: something that nobody has ever said',
  ])('refuses: %s', async (said) => {
    expect(await failing(said)).toBe('refused');
  });

  test('says why in one line, without what every message says', async () => {
    const said =
      'sbatch: error: invalid partition specified: nope\nsbatch: error: Batch job submission failed: no';
    expect(await ask(`echo '${said}' >&2; exit 1`)).toEqual({
      kind: 'refused',
      said: 'sbatch: invalid partition specified: nope; Batch job submission failed: no',
    });
  });

  test('one that gives no answer in time is ended, and may have done it', async () => {
    expect(await ask('exec sleep 60', 50)).toEqual({ kind: 'away', said: 'sbatch: no answer in time' });
  });

  test('one that is not there is a refusal', async () => {
    const slurm = slurmPrograms({ programs: { squeue: join(dir, 'nothing') } });
    expect(await slurm('squeue', [])).toEqual({
      kind: 'refused',
      said: 'squeue cannot be run here (ENOENT)',
    });
  });
});
