import { join } from 'node:path';
import { PACKAGE_DIR } from '../config.ts';
import { UserError } from '../errors.ts';
import { choosePython } from '../jobs/sandbox/python.ts';
import type { Suite } from '../suite/suite.ts';

/** Where `npm run setup:autoresearch` puts PyTorch if it has to install it by pip. */
export const SET_UP_PYTHON = join(PACKAGE_DIR, 'benchmarks/autoresearch/.venv/bin/python');

/**
 * Chooses the Python of the suite's tasks, and gives the suite with what it found there (`packages`), so that jobs on other
 * versions are other jobs. Where this machine lacks something a `UserError`, before anything is written; not on a
 * cluster, whose nodes answer for themselves.
 */
export async function withRuntime(suite: Suite, jobs: 'local' | 'slurm'): Promise<Suite> {
  const { name, dir, tasks, setup } = suite;
  const onPython = tasks.filter(({ runtime }) => runtime === 'python');
  if (onPython.length === 0) return suite;
  const modules = [...new Set(onPython.flatMap((task) => task.modules))];
  const { versions, faults } = await choosePython(modules, [join(dir, '.venv/bin/python'), SET_UP_PYTHON]);
  if (faults.length > 0 && jobs === 'local') {
    const other = 'name a Python that has it in EVOLVE_PYTHON';
    const hint = setup === null ? other : `run \`${setup}\`, or ${other}`;
    throw new UserError(`the suite ${name} needs ${['Python', ...modules].join(', ')}: ${faults[0]}`, hint);
  }
  if (faults.length > 0) return suite;
  const packages = (needed: readonly string[]) =>
    ['Python', ...needed].map((one) => `${one} ${versions[one]}`).join(', ');
  return {
    ...suite,
    tasks: tasks.map((task) =>
      task.runtime === 'python' ? { ...task, packages: packages(task.modules) } : task,
    ),
  };
}
