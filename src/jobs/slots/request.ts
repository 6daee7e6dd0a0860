import { availableParallelism } from 'node:os';
import { UserError } from '../../errors.ts';
import { findInventory, type Inventory } from './devices.ts';

/**
 * What a job takes of this machine, all at once: `gpus` as in `JobSpec`, and CPU cores; where these are not told, one, and
 * none beside GPUs: no GPU stands still for want of a core that its job did not ask for.
 */
export type Request = { gpus: number; cpus?: number };

/** The cores that a request takes. */
export function coresOf({ gpus, cpus }: Request): number {
  return cpus ?? (gpus > 0 ? 0 : 1);
}

/** Why a request can never be met here; null where it can. */
export function refusal(request: Request, { cpus, gpus }: Inventory): string | null {
  const cores = coresOf(request);
  const wanted = request.gpus;
  if (cores > cpus) return `asks for ${cores} cores, ${cpus} here`;
  if (!(wanted >= 0) || (wanted > 1 && !Number.isInteger(wanted)))
    return `asks for ${wanted} GPUs; it is a whole number, or a share of one`;
  if (wanted === 0) return null;
  const whole = gpus.filter(isWhole).length;
  const instances = gpus.length - whole;
  // CUDA uses one MIG instance a process.
  const usable = wanted > 1 ? whole : gpus.filter((gpu) => isWhole(gpu) || gpu.share >= wanted).length;
  if (wanted === 1 ? gpus.length > 0 : usable >= Math.ceil(wanted)) return null;
  const asks = `asks for ${wanted < 1 ? `${wanted} of a GPU` : `${wanted} GPU${wanted > 1 ? 's' : ''}`}`;
  if (instances === 0) return `${asks}, ${whole} here`;
  if (wanted > 1) return `${asks}, ${whole} whole ${whole === 1 ? 'one' : 'ones'} here`;
  return `${asks}, no MIG instance here is so large`;
}

/** Is it a GPU of its own, not a MIG instance? */
export function isWhole({ uuid }: { uuid: string }): boolean {
  return !uuid.startsWith('MIG-');
}

/**
 * Throws a `UserError` when a task asks for more of this machine than it has, and so its jobs could never run. `inventory`
 * is what the machine has; left out, it is looked up, GPUs only where a task asks for any.
 */
export async function refuseImpossible(
  tasks: readonly { id: string; limits: { gpus: number; cpus?: number } }[],
  inventory?: Inventory,
): Promise<void> {
  const asksForGpus = tasks.some(({ limits }) => limits.gpus > 0);
  const here =
    inventory ?? (asksForGpus ? await findInventory() : { cpus: availableParallelism(), gpus: [] });
  for (const { id, limits } of tasks) {
    const why = refusal(limits, here);
    if (why !== null)
      throw new UserError(
        `task '${id}' ${why}`,
        'run it where there are so many (CUDA_VISIBLE_DEVICES hides GPUs), or lower "limits" in its task.json',
      );
  }
}
