import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Finds a Python that can import torch, or installs one: from Debian's packages where this is root, else from the package
 * index that pip is set up for, into a folder of its own. Says what it did, and what is left to do.
 */
const VENV = fileURLToPath(new URL('.venv', import.meta.url));
const OWN = join(VENV, 'bin/python');
const DEBIAN = '/usr/bin/python3';

const { EVOLVE_PYTHON } = process.env;
const places = [...(EVOLVE_PYTHON ? [EVOLVE_PYTHON] : []), 'python3', DEBIAN, OWN];
const there = places.find((python) => torchOf(python) !== null);
const found = there ?? installed();
if (found === null) {
  console.error(
    'PyTorch could not be installed: see above. Install it yourself, and name its Python in EVOLVE_PYTHON.',
  );
  process.exitCode = 1;
} else {
  console.log(`PyTorch ${torchOf(found)} of ${found} ${there ? 'was there' : 'was installed'}.`);
  if (found === DEBIAN) fasten();
  // The others are looked at in any case.
  if (EVOLVE_PYTHON && found !== EVOLVE_PYTHON) console.log(`Say: export EVOLVE_PYTHON=${found}`);
}

/** The version of torch that a Python can import, without what a user has in the home, as jobs do; null for none. */
function torchOf(python) {
  const asked = spawnSync(python, ['-I', '-c', 'import torch; print(torch.__version__)'], {
    encoding: 'utf8',
  });
  return asked.status === 0 ? asked.stdout.trim() : null;
}

function installed() {
  if (process.getuid?.() === 0 && works('apt-get', '--version')) {
    console.log('Installing python3-torch from the packages of this system.');
    if (!apt('python3-torch')) apt('python3-torch', true);
    if (torchOf(DEBIAN) !== null) return DEBIAN;
  }
  console.log(`Installing torch with pip into ${relative('.', VENV)}.`);
  if (!existsSync(OWN) && !works('python3', '-m', 'venv', VENV)) return null;
  return works(OWN, '-m', 'pip', 'install', 'torch', 'numpy') && torchOf(OWN) !== null ? OWN : null;
}

/** Debian's PyTorch multiplies with whichever BLAS there is, and is many times faster with this one. */
function fasten() {
  const links = existsSync('/etc/alternatives') ? readdirSync('/etc/alternatives') : [];
  if (links.some((name) => name.startsWith('libopenblas.so'))) return;
  if (process.getuid?.() === 0 && apt('libopenblas0-pthread')) return;
  console.log('It is many times faster with OpenBLAS: apt-get install libopenblas0-pthread');
}

function apt(name, update = false) {
  if (update && !works('apt-get', 'update', '-q')) return false;
  return works('apt-get', 'install', '-y', '-q', '--no-install-recommends', name);
}

function works(program, ...args) {
  return spawnSync(program, args, { stdio: ['ignore', 'inherit', 'inherit'] }).status === 0;
}
