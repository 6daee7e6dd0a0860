import type { Inventory } from './devices.ts';
import { type Leases, moment } from './leases.ts';
import { collect, type Device, load, type Part, place } from './place.ts';
import { coresOf, type Request, refusal } from './request.ts';

/** Where a job runs: on CPU cores, or on one or more GPUs (by UUID) and the cores that it asked for beside. */
export type Lease = {
  kind: 'cpu' | 'gpu';
  /** `cpu-0`, or the UUIDs joined by commas as CUDA_VISIBLE_DEVICES takes them. */
  slot: string;
  waitMs: number;
  /** Gives it all back. Calling it again does nothing. */
  release(): void;
};

/**
 * The slots of this machine. Of requests of one size, who waits longest is served first. Of several sizes the largest that
 * there is room for: so what came free as one piece stays one, and small requests fill what is left. Yet who was overtaken
 * often enough (`overtakes`) comes before all that were not, and what he needs is kept free for him as it comes back.
 */
export type Slots = {
  /** Waits for all of it at once. Rejects when aborted, or when there can never be so much. */
  lease(request: Request, signal?: AbortSignal): Promise<Lease>;
  /** Cores and GPUs in use, and there are. */
  usage(): { busy: number; slots: number };
};

export type SlotOptions = {
  /** How many jobs that ask for a whole GPU may be on it at once; 1 unless told. */
  perGpu?: number;
  /** Who has which GPU among the processes of this machine; left out where nobody else uses these. */
  leases?: Leases;
};

/** How often a waiting request is overtaken at most, for each core (or GPU, if it lacks these) that there is. */
export const overtakes = 10;
/** After how long it is looked again whether another process has given a GPU back. */
const pollMs = 1000;
/** After how long who waits for several GPUs has those kept free that other processes give back one by one. */
const patienceMs = 60_000;

/** Slots over an inventory. One owner in a process: two of these would give each core away twice. */
export function createSlots(inventory: Inventory, { perGpu = 1, leases }: SlotOptions = {}): Slots {
  const cpus = Math.max(1, inventory.cpus);
  const cores = Array.from({ length: cpus }, (_, i) => `cpu-${i}`);
  const devices: Held[] = inventory.gpus.map((gpu) => ({ ...gpu, load: 0, ours: false, away: false }));
  const bound = { cpus: overtakes * cpus, gpus: overtakes * devices.length };
  /** By size, then age. */
  const queue: Waiter[] = [];
  let asked = 0;
  /** When somebody here was last given a GPU: of two processes it is the turn of the one that was served longest ago. */
  let served = 0;
  let poll: NodeJS.Timeout | undefined;

  const serve = () => {
    const kept: Kept = { devices: new Set(), cores: 0, for: new Set() };
    const overdue = queue.filter(isOverdue).sort((a, b) => a.number - b.number);
    for (const waiter of [...overdue, ...queue.filter((other) => !isOverdue(other))]) {
      if (cores.length === kept.cores && devices.every((device) => device.load >= perGpu)) break;
      const found = find(waiter, kept);
      if (typeof found === 'string') {
        waiter.lacks = found;
        if (isOverdue(waiter)) keepFor(waiter, kept);
        continue;
      }
      leave(waiter);
      if (found instanceof Error) waiter.refuse(found);
      else {
        for (const other of queue)
          if (other.number < waiter.number && waiter[other.lacks] > 0) other.overtaken++;
        waiter.grant(found, cores.splice(0, waiter.cpus));
      }
    }
    for (const device of devices) if (device.load === 0) giveUp(device);
    const waits = queue.length > 0 && devices.some(({ away }) => away);
    if (waits) poll ??= setTimeout(lookAgain, pollMs);
    else if (poll) poll = void clearTimeout(poll);
  };

  const isOverdue = ({ overtaken, lacks }: Waiter) => overtaken >= bound[lacks];

  const enter = (waiter: Waiter) => {
    const after = queue.findLastIndex((other) => size(other) >= size(waiter));
    queue.splice(after + 1, 0, waiter);
  };

  const leave = (waiter: Waiter) => queue.splice(queue.indexOf(waiter), 1);

  /** What a waiter gets, for which leases are taken; else what there is too little of now, or why there is never enough. */
  const find = ({ gpus, cpus, since }: Waiter, kept: Kept): Part[] | Waiter['lacks'] | Error => {
    for (;;) {
      const usable = devices.filter((device) => !device.away && !kept.devices.has(device));
      const parts = gpus > 0 ? place(gpus, usable, perGpu) : [];
      if (!parts) return 'gpus';
      if (cpus > cores.length - kept.cores) return 'cpus';
      try {
        const turn = Math.max(since, served);
        const ours = parts.map(({ device }) => claim(device as Held, turn));
        if (ours.every(Boolean)) {
          for (const { device } of parts) if (device.load === 0) leases?.unwish(device.uuid);
          return parts;
        }
        for (const [i, { device }] of parts.entries()) {
          if (!ours[i] || device.load > 0) continue;
          if (moment() - since > patienceMs) leases?.wish(device.uuid, turn);
          else leases?.unwish(device.uuid);
        }
      } catch (error) {
        return error as Error;
      }
    }
  };

  /** Makes a device ours, or notes that another process has it, or that it is the turn of one. */
  const claim = (device: Held, turn: number): boolean => {
    device.ours ||= leases?.take(device.uuid, turn) ?? true;
    device.away = !device.ours;
    return device.ours;
  };

  const giveUp = (device: Held) => {
    if (device.ours) leases?.give(device.uuid);
    device.ours = false;
  };

  /** Keeps free what a waiter needs, one of a kind at a time. Cores only where they alone are lacking: CPU jobs are short. */
  const keepFor = (waiter: Waiter, kept: Kept) => {
    const kind = kindOf(waiter);
    if (kept.for.has(kind)) return;
    const usable = devices.filter((device) => !device.away && !kept.devices.has(device));
    waiter.keeps = new Set(waiter.gpus > 0 ? collect(waiter.gpus, usable, waiter.keeps) : []);
    if (waiter.keeps.size < Math.ceil(waiter.gpus)) return;
    for (const device of waiter.keeps) kept.devices.add(device);
    if (waiter.lacks === 'cpus') kept.cores = Math.min(cores.length, kept.cores + waiter.cpus);
    kept.for.add(kind);
  };

  const lookAgain = () => {
    poll = undefined;
    for (const device of devices) device.away = false;
    serve();
  };

  const giveBack = (parts: readonly Part[], names: readonly string[]) => {
    cores.push(...names);
    for (const { device, size } of parts) {
      load(device, -size);
      // Where another run has waited for it, whose turn it is shows anew.
      if (device.load === 0 && leases?.wanted(device.uuid)) giveUp(device as Held);
    }
    serve();
  };

  return {
    lease(request, signal) {
      const impossible = refusal(request, { ...inventory, cpus });
      if (impossible !== null) return Promise.reject(new Error(impossible));
      if (signal?.aborted) return Promise.reject(new Error('cancelled'));
      const began = performance.now();
      return new Promise((resolve, reject) => {
        const cancel = () => {
          leave(waiter);
          if (waiter.gpus > 0 && !queue.some(({ gpus }) => gpus > 0))
            for (const { away, uuid } of devices) if (away) leases?.unwish(uuid);
          reject(new Error('cancelled'));
          serve();
        };
        const done = () => signal?.removeEventListener('abort', cancel);
        const waiter: Waiter = {
          gpus: request.gpus,
          cpus: coresOf(request),
          number: asked++,
          since: moment(),
          lacks: request.gpus > 0 ? 'gpus' : 'cpus',
          overtaken: 0,
          keeps: new Set(),
          refuse(error) {
            done();
            reject(error);
          },
          grant(parts, names) {
            done();
            for (const { device, size } of parts) load(device, size);
            const kind = kindOf(waiter);
            if (kind === 'gpu') served = moment();
            const slots = kind === 'gpu' ? parts.map(({ device }) => device.uuid) : names;
            let held = true;
            const release = () => {
              if (held) giveBack(parts, names);
              held = false;
            };
            resolve({ kind, slot: slots.join(','), waitMs: performance.now() - began, release });
          },
        };
        signal?.addEventListener('abort', cancel, { once: true });
        enter(waiter);
        if (poll === undefined) lookAgain();
        else serve();
      });
    },
    usage: () => ({
      busy: cpus - cores.length + devices.filter((device) => device.load > 0).length,
      slots: cpus + devices.length,
    }),
  };
}

/** A device; `ours` while this process has its lease, `away` when another one was last seen with it. */
type Held = Device & { ours: boolean; away: boolean };

type Waiter = {
  /** Its place among all that ever asked. */
  number: number;
  /** When it asked. */
  since: number;
  gpus: number;
  cpus: number;
  /** What there was too little of when it was last its turn. */
  lacks: 'gpus' | 'cpus';
  /** How many that came later were served before it with what it lacks. */
  overtaken: number;
  keeps: Set<Device>;
  grant(parts: Part[], names: string[]): void;
  refuse(error: Error): void;
};

/** What is kept free for those who were overtaken often enough; `for` which kinds there is one already. */
type Kept = { devices: Set<Device>; cores: number; for: Set<Lease['kind']> };

function kindOf({ gpus }: Request): Lease['kind'] {
  return gpus > 0 ? 'gpu' : 'cpu';
}

/** GPUs count first: any share of one before any number of cores. */
function size({ gpus, cpus }: Waiter): number {
  return gpus * 1e6 + cpus;
}
