import { execFile } from 'node:child_process';
import { availableParallelism } from 'node:os';

/** Where a job runs: one CPU core, or one or more GPUs by UUID. */
export type Lease = {
  kind: 'cpu' | 'gpu';
  /** `cpu-0`, or the UUIDs joined by commas as CUDA_VISIBLE_DEVICES takes them. */
  slot: string;
  waitMs: number;
  /** Gives the slot to whoever waits longest. Calling it again does nothing. */
  release(): void;
};

/** The slots of this machine; whoever asks first is served first, CPU and GPU apart. */
export type Slots = {
  /** Waits for a CPU slot (`gpus` 0) or for that many GPUs. Rejects when aborted, or when there are not so many. */
  lease(gpus: number, signal?: AbortSignal): Promise<Lease>;
  usage(): { busy: number; slots: number };
};

/** What the machine has: `cpus` is how many jobs may run on cores at once, `gpus` are UUIDs. */
export type Inventory = { cpus: number; gpus: string[] };

/** Slots over an inventory. One owner: two of these over the same GPUs would give each of them away twice. */
export function createSlots(inventory: Inventory): Slots {
  const cpu = pool(Array.from({ length: Math.max(1, inventory.cpus) }, (_, i) => `cpu-${i}`));
  const gpu = pool(inventory.gpus);
  return {
    async lease(gpus, signal) {
      const kind = gpus > 0 ? 'gpu' : 'cpu';
      const asked = performance.now();
      const { names, release } = await (gpus > 0 ? gpu : cpu).take(Math.max(1, gpus), signal);
      return { kind, slot: names.join(','), waitMs: performance.now() - asked, release };
    },
    usage: () => ({ busy: cpu.busy() + gpu.busy(), slots: cpu.size + gpu.size }),
  };
}

/** The inventory of this machine: its cores, and the GPUs that `nvidia-smi` lists and CUDA_VISIBLE_DEVICES allows. */
export async function findInventory(env: NodeJS.ProcessEnv = process.env): Promise<Inventory> {
  // Whatever program of that name comes first on the PATH, it sees no key.
  const { PATH, LD_LIBRARY_PATH } = process.env;
  const options = { timeout: 20_000, env: { PATH, LD_LIBRARY_PATH } };
  const listing = await new Promise<string>((resolve) => {
    execFile('nvidia-smi', ['-L'], options, (error, stdout) => resolve(error ? '' : stdout));
  });
  return { cpus: availableParallelism(), gpus: visibleGpus(listing, env.CUDA_VISIBLE_DEVICES) };
}

/**
 * GPU UUIDs of `nvidia-smi -L`, narrowed by a CUDA_VISIBLE_DEVICES of indices, UUIDs or unique beginnings of
 * UUIDs, in its order. As CUDA reads it, the first entry that names no device ends the list. A GPU that is cut
 * into MIG instances stands for itself no longer; its instances do.
 */
export function visibleGpus(listing: string, visible: string | undefined): string[] {
  const gpus: { uuid: string; parts: string[] }[] = [];
  for (const line of listing.split('\n')) {
    const uuid = /\(UUID: ((?:GPU|MIG)-[^)\s]+)\)/.exec(line)?.[1];
    if (uuid?.startsWith('GPU-')) gpus.push({ uuid, parts: [] });
    else if (uuid !== undefined) gpus.at(-1)?.parts.push(uuid);
  }
  const devicesOf = (gpu: { uuid: string; parts: string[] }) =>
    gpu.parts.length > 0 ? gpu.parts : [gpu.uuid];
  const all = gpus.flatMap(devicesOf);
  if (visible === undefined) return all;
  const chosen: string[] = [];
  for (const name of visible.split(',').map((part) => part.trim())) {
    const whole = /^\d+$/.test(name) ? gpus[Number(name)] : gpus.find((gpu) => gpu.uuid.startsWith(name));
    const named = name === '' ? [] : whole ? devicesOf(whole) : all.filter((uuid) => uuid.startsWith(name));
    if (named.length === 0) break;
    chosen.push(...named.filter((uuid) => !chosen.includes(uuid)));
  }
  return chosen;
}

type Waiter = { count: number; grant(names: string[]): void };

/** Named things of one kind, and a strict queue for them: a large request is not overtaken by small ones. */
function pool(names: readonly string[]) {
  const free = [...names];
  const queue: Waiter[] = [];
  const serve = () => {
    while (queue[0] && queue[0].count <= free.length) {
      const { count, grant } = queue.shift() as Waiter;
      grant(free.splice(0, count));
    }
  };
  const release = (taken: string[]) => {
    free.push(...taken.splice(0));
    serve();
  };
  return {
    size: names.length,
    busy: () => names.length - free.length,
    take(count: number, signal?: AbortSignal): Promise<{ names: string[]; release(): void }> {
      if (count > names.length) {
        return Promise.reject(
          new Error(`asks for ${count} GPU${count > 1 ? 's' : ''}, ${names.length} here`),
        );
      }
      return new Promise((resolve, reject) => {
        const cancel = () => {
          queue.splice(queue.indexOf(waiter), 1);
          reject(new Error('cancelled'));
          serve();
        };
        const waiter: Waiter = {
          count,
          grant: (taken) => {
            signal?.removeEventListener('abort', cancel);
            resolve({ names: [...taken], release: () => release(taken) });
          },
        };
        if (signal?.aborted) return reject(new Error('cancelled'));
        signal?.addEventListener('abort', cancel, { once: true });
        queue.push(waiter);
        serve();
      });
    },
  };
}
