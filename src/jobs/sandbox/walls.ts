import { lstatSync, readlinkSync, realpathSync } from 'node:fs';
import { sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { deviceNodes } from '../slots/devices.ts';
import type { Contained } from './launch.ts';
import type { Sandbox } from './sandbox.ts';

/** Where Node stands inside, so that no path of this machine shows and every machine shows the same. */
export const nodeInside = '/opt/node/bin/node';

/** The options of `bwrap`: what of the machine a job finds inside. */
export function walls(sandbox: Sandbox, job: Contained): string[] {
  system ??= systemFolders();
  const { memoryMb } = job.spec.limits;
  const memory = sandbox.knows.size ? ['--size', String(memoryMb * 2 ** 20)] : [];
  const runtime = job.python?.folders ?? [];
  return [
    // No `--new-session`: it has a session of its own already, and all of it must stay in one group, to be ended as one.
    ...['--unshare-user', '--unshare-all', '--cap-drop', 'ALL', '--die-with-parent'],
    ...(job.spec.network ? ['--share-net', ...lookups] : []),
    ...['--json-status-fd', '3', ...system],
    ...(sandbox.knows.filter ? ['--seccomp', '4'] : []),
    ...(sandbox.knows.disableUserns ? ['--disable-userns'] : []),
    ...hide(job.hidden, readable),
    // Who is root outside could write to /proc/sys even without privileges.
    ...['--proc', '/proc', '--remount-ro', '/proc', '--dev', '/dev'],
    ...deviceNodes(job.gpus).flatMap((path) => ['--dev-bind-try', path, path]),
    ...[...memory, '--tmpfs', '/dev/shm', '--remount-ro', '/dev', ...memory, '--tmpfs', '/tmp'],
    ...['--ro-bind', process.execPath, nodeInside],
    ...['--bind', job.work, '/work', '--ro-bind', job.data, '/work/data'],
    // Last, since they may lie anywhere, also under a folder that was just hidden or replaced.
    ...runtime.flatMap((dir) => ['--ro-bind', dir, dir]),
    ...(job.python?.links ?? []).flatMap(({ at, to }) => ['--symlink', to, at]),
    ...hide(job.hidden, runtime),
    ...['--remount-ro', '/', '--chdir', '/work'],
  ];
}

/** System folders that jobs read. `/etc` is not among them, but for what the loader and Debian's links need. */
const readable: readonly string[] = ['/usr', '/nix/store'];
const etc = ['/etc/ld.so.cache', '/etc/alternatives'];
const short = ['/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32'];
/** All of the system that jobs read; most of `short` are links. */
export const systemPaths: readonly string[] = [...readable, ...etc, ...short];
/** What names of hosts and certificates are looked up in. No private keys: those lie beside them in `/etc/ssl`. */
const lookups = [
  ...['/etc/resolv.conf', '/etc/hosts', '/etc/nsswitch.conf', '/etc/gai.conf', '/etc/services'],
  ...['/etc/ssl/certs', '/etc/ssl/cert.pem', '/etc/ssl/openssl.cnf', '/etc/ca-certificates'],
  ...['/etc/pki/tls/certs', '/etc/pki/ca-trust/extracted'],
].flatMap((path) => ['--ro-bind-try', path, path]);
const packageRoot = realpathSync(fileURLToPath(new URL('../../..', import.meta.url)));

let system: string[] | undefined;

/** Empty folders over what must not be seen of `roots`: this program, and what the caller names. */
function hide(hidden: readonly string[], roots: readonly string[]): string[] {
  return [packageRoot, ...hidden]
    .filter((dir) => roots.some((root) => dir.startsWith(root + sep)))
    .flatMap((dir) => ['--tmpfs', dir]);
}

function systemFolders(): string[] {
  const args = readable.flatMap((dir) => ['--ro-bind-try', dir, dir]);
  for (const dir of short) {
    const found = lstatSync(dir, { throwIfNoEntry: false });
    if (found?.isSymbolicLink()) args.push('--symlink', readlinkSync(dir), dir);
    else if (found) args.push('--ro-bind', dir, dir);
  }
  return [...args, ...etc.flatMap((path) => ['--ro-bind-try', path, path])];
}
