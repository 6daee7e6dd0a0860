import { messageOf } from '../../errors.ts';
import { type Backend, notRun } from '../backend.ts';
import type { JobRunner } from '../job.ts';
import { scratchPlaces } from '../process/scratch.ts';
import { cancelled, lost } from '../result.ts';
import { jobRunner, type RunnerOptions } from '../runner.ts';
import { detectSandbox, withoutBubblewrap } from '../sandbox/sandbox.ts';
import { findInventory } from '../slots/devices.ts';
import { openLeases } from '../slots/leases.ts';
import { createSlots, type Slots } from '../slots/slots.ts';
import { type Executor, startExecutor } from './executor.ts';

export type LocalOptions = {
  /** Beside what large jobs find room for their folders; null for the temporary folder. */
  cacheDir: string | null;
  /** Default: what this machine has. */
  slots?: Slots;
  /** How many jobs may share a GPU; 1 unless told. */
  perGpu?: number;
  /** `none` runs without bubblewrap although it is there. */
  sandbox?: 'auto' | 'none';
  /** `watch` makes no control groups although they can be had. */
  limits?: 'auto' | 'watch';
  /** Folders that no job may see: suites with their answers, runs. They must exist, and matter only where they lie under `/usr`. */
  hidden?: readonly string[];
};

/** Runs jobs on this machine, with a cache. */
export function localRunner(options: LocalOptions & RunnerOptions): JobRunner {
  return jobRunner(localBackend(options), options);
}

/** Runs jobs as processes of this machine. It takes nothing of the machine before the first one. */
export function localBackend(options: LocalOptions): Backend {
  const { cacheDir, hidden = [], perGpu = 1 } = options;
  const withoutGroups = options.limits === 'watch';
  const never = new AbortController();
  let machine: Promise<{ slots: Slots; executor: Executor }> | undefined;
  let slots = options.slots;

  const prepare = async () => {
    const [sandbox, inventory] = await Promise.all([
      options.sandbox === 'none' ? withoutBubblewrap() : detectSandbox(),
      slots ? null : findInventory(),
    ]);
    if (inventory) {
      const { small, large } = scratchPlaces(cacheDir);
      slots = createSlots(inventory, { perGpu, leases: openLeases([...small, ...large]) });
    }
    return { slots: slots as Slots, executor: startExecutor({ sandbox, hidden, withoutGroups }, cacheDir) };
  };

  return {
    async run({ spec, identity, signal, tell }) {
      try {
        machine ??= prepare();
        const { slots, executor } = await machine;
        const lease = await slots.lease(spec, signal);
        const { waitMs, slot } = lease;
        tell({ kind: 'started', slot });
        const gpus = lease.kind === 'gpu' ? slot.split(',') : [];
        const say = (text: string) => tell({ kind: 'output', text });
        const executed = await executor.execute(spec, identity, gpus, signal, say).finally(lease.release);
        const { outcome } = executed.result;
        const hopeless = outcome.kind === 'lost' && outcome.hopeless === true;
        return { ...executed, waitMs, slot, ...(hopeless && { hopeless }) };
      } catch (error) {
        if (signal.aborted) return notRun(cancelled());
        return { ...notRun(lost(messageOf(error))), hopeless: true };
      }
    },
    usage: () => slots?.usage() ?? { busy: 0, slots: 0 },
    halted: never.signal,
    async close() {
      await (await machine?.catch(() => null))?.executor.close();
    },
  };
}
