import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import {
  type Held,
  type Holder,
  holderOf,
  type LockFile,
  seemsAlive,
  takeLockFile,
  watchHolders,
} from '../../lock-file.ts';
import { owner } from '../../owner.ts';
import { makeOwnFolder } from '../process/own-folder.ts';
import { endWorkOf } from '../process/scratch.ts';

/** Who has which GPU among the processes of this user and machine: one at a time. Nothing is touched before the first is taken. */
export type Leases = {
  /**
   * Takes a device for this process, if no other has it or has waited for it since before `since` (as `moment` tells it).
   * That of a process that is gone is taken only once nothing is at work for it; that of a process of another container
   * counts as gone after half a minute without a sign of life. Throws where that cannot be written down.
   */
  take(uuid: string, since: number): boolean;
  give(uuid: string): void;
  /** Says that we wait for it since then; a take that fails says so by itself. */
  wish(uuid: string, since: number): void;
  /** We wait for it no longer. */
  unwish(uuid: string): void;
  /** Has another process just asked for a device of ours? */
  wanted(uuid: string): boolean;
};

/** Now, in milliseconds, finer than `Date.now`, and the same for all processes of this machine. */
export function moment(): number {
  return performance.timeOrigin + performance.now();
}

/** For how long a wish counts, unless it is repeated. */
const wishMs = 3000;

/**
 * A file for each device, by UUID, in a folder of the user's (`EVOLVE_GPU_LEASES` names another). `scratch` are the places
 * where the jobs of this process work, so that a successor can end what is left there.
 */
export function openLeases(scratch: readonly string[]): Leases {
  const held = new Map<string, LockFile>();
  const watches = new Map<string, ReturnType<typeof watchHolders>>();
  const self = randomUUID();
  let dir: string | undefined;
  const wishFile = (uuid: string) => {
    dir ??= leasesFolder();
    return join(dir, `${fileOf(uuid)}.wanted`);
  };
  return {
    take(uuid, since) {
      const other = wishOf(wishFile(uuid), self);
      if (other !== null && other < since) return false;
      const note: Note = { owner: owner(), scratch };
      const watch = watches.get(uuid) ?? watchHolders();
      watches.set(uuid, watch);
      const isSilent = (held: Held) => watch(held) === 'silent';
      const taken = takeLockFile(join(place(), fileOf(uuid)), { note, clear: endWork, isSilent });
      if ('pid' in taken) {
        this.wish(uuid, since);
        return false;
      }
      held.set(uuid, taken);
      return true;
    },
    give(uuid) {
      held.get(uuid)?.release();
      held.delete(uuid);
    },
    wish(uuid, since) {
      // Of several who wait, who has for longest.
      const other = wishOf(wishFile(uuid), self);
      if (other === null || since < other) writeFileSync(wishFile(uuid), `${since} ${self}`);
    },
    unwish(uuid) {
      if (wishOf(wishFile(uuid), self) === null) rmSync(wishFile(uuid), { force: true });
    },
    wanted: (uuid) => dir !== undefined && wishOf(wishFile(uuid), self) !== null,
  };
}

/** The process that has a device now; null for none. */
export function leaseHolder(uuid: string): number | null {
  try {
    const holder = holderOf(join(place(), fileOf(uuid)));
    return holder && seemsAlive(holder) ? holder.pid : null;
  } catch {
    return null;
  }
}

type Note = { owner: string; scratch: readonly string[] };

function endWork({ note }: Holder): boolean {
  const { owner: dead, scratch } = note as Note;
  return endWorkOf(dead, scratch);
}

/** Since when another than `self` waits, if it said so not long ago; else null. */
function wishOf(file: string, self: string): number | null {
  try {
    if (Date.now() - statSync(file).mtimeMs >= wishMs) return null;
    const [since, who] = readFileSync(file, 'utf8').split(' ');
    return who === undefined || who === self ? null : Number(since);
  } catch {
    return null;
  }
}

/** Not the temporary folder, which may differ from one process to the next. */
function place(): string {
  return process.env.EVOLVE_GPU_LEASES ?? `/tmp/evolve-gpus-${userInfo().uid}`;
}

/** Makes the folder, and clears what processes that were killed in the midst of a take had begun. */
function leasesFolder(): string {
  const dir = place();
  makeOwnFolder(dir);
  for (const name of readdirSync(dir)) {
    const file = join(dir, name);
    const ms = statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? Number.POSITIVE_INFINITY;
    if (name.endsWith('.tmp') && Date.now() - ms > 60_000) rmSync(file, { force: true });
  }
  return dir;
}

/** Older names of MIG instances have slashes in them. */
function fileOf(uuid: string): string {
  return uuid.replaceAll('/', '_');
}
