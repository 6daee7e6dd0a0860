import type { JobSpec } from '../job.ts';

/**
 * May a job have this variable, if its task asks for it? Not those that we set, nor those by which a loader, a shell
 * or a runtime is made to run or read something else.
 */
export function mayBePassed(name: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && !ours.has(name) && !steering.test(name);
}

/**
 * All that a job sees of variables: the fixed ones, and those that its task asks for. `programs` are folders that come
 * first on its PATH. Throws where it asks for one that none may have.
 */
export function variables(
  { env = {}, cpus = 1, runtime }: Pick<JobSpec, 'env' | 'cpus' | 'runtime'>,
  { home, programs, gpus }: { home: string; programs: readonly string[]; gpus: readonly string[] },
): Record<string, string> {
  const odd = Object.keys(env).find((name) => !mayBePassed(name));
  if (odd !== undefined) throw new Error(`no job may be given the variable ${odd}`);
  return {
    ...env,
    PATH: [...programs, '/usr/local/bin', '/usr/bin', '/bin'].join(':'),
    HOME: home,
    LANG: 'C.UTF-8',
    TZ: 'UTC',
    CUDA_VISIBLE_DEVICES: gpus.join(','),
    CUDA_DEVICE_ORDER: 'PCI_BUS_ID',
    // Else each of many jobs would start as many threads as the machine has cores.
    ...Object.fromEntries(threads.map((name) => [name, String(cpus)])),
    ...(runtime === 'python' ? python : {}),
  };
}

const threads = [
  'OMP_NUM_THREADS',
  'OPENBLAS_NUM_THREADS',
  'MKL_NUM_THREADS',
  'NUMEXPR_NUM_THREADS',
  'VECLIB_MAXIMUM_THREADS',
];

/** The same run each time, its output as it comes, and no packages but the interpreter's own. */
const python = {
  PYTHONDONTWRITEBYTECODE: '1',
  PYTHONHASHSEED: '0',
  PYTHONUNBUFFERED: '1',
  PYTHONNOUSERSITE: '1',
  // The sandbox knows no list of users, and PyTorch asks for a name.
  USER: 'agent',
};

const ours = new Set([
  'PATH',
  'HOME',
  'LANG',
  'TZ',
  'CUDA_VISIBLE_DEVICES',
  'CUDA_DEVICE_ORDER',
  ...threads,
  ...Object.keys(python),
]);

const steering =
  /^(LD_|DYLD_|NODE_|PYTHON|PERL|RUBY|JAVA_|_JAVA_|BASH|GCONV_|GLIBC_|MALLOC_|OPENSSL_|NVIDIA_|EVOLVE_|ENV$|IFS$|CDPATH$|SHELLOPTS$|PS4$|NLSPATH$|LOCPATH$)/i;
