import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';

/** What the machine has for jobs: `cpus` cores, and GPUs. */
export type Inventory = { cpus: number; gpus: Gpu[] };

/** A whole GPU (`uuid` begins with `GPU-`), or a MIG instance (`MIG-`). */
export type Gpu = {
  uuid: string;
  /** The part of a physical GPU that it is, in (0, 1]: `3g.20gb` is 3/7 where there are seven slices. */
  share: number;
  /** For people: `NVIDIA A100-SXM4-40GB`, `MIG 3g.20gb`. */
  name: string;
};

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
 * GPUs of `nvidia-smi -L`, narrowed by a CUDA_VISIBLE_DEVICES of indices (in the order of the listing, that of the bus),
 * UUIDs or unique beginnings of UUIDs, in its order. As CUDA reads it, the first entry that names no device ends the
 * list. A GPU that is cut into MIG instances stands for itself no longer; its instances do.
 */
export function visibleGpus(listing: string, visible: string | undefined): Gpu[] {
  const cards: { gpu: Gpu; parts: Gpu[] }[] = [];
  for (const line of listing.split('\n')) {
    const [, name = '', uuid = ''] =
      /^\s*(?:GPU \d+: *)?(.*?)(?: +Device +\d+:)? *\(UUID: ((?:GPU|MIG)-[^)\s]+)\)/.exec(line) ?? [];
    const card = cards.at(-1);
    if (uuid.startsWith('GPU-')) cards.push({ gpu: { uuid, share: 1, name }, parts: [] });
    else if (uuid !== '' && card) card.parts.push({ uuid, share: shareOf(name, card.gpu.name), name });
  }
  const devicesOf = (card: { gpu: Gpu; parts: Gpu[] }) => (card.parts.length > 0 ? card.parts : [card.gpu]);
  const all = cards.flatMap(devicesOf);
  if (visible === undefined) return all;
  const chosen: Gpu[] = [];
  for (const name of visible.split(',').map((part) => part.trim())) {
    const card = /^\d+$/.test(name)
      ? cards[Number(name)]
      : cards.find(({ gpu }) => gpu.uuid.startsWith(name));
    const named = name === '' ? [] : card ? devicesOf(card) : all.filter(({ uuid }) => uuid.startsWith(name));
    if (named.length === 0) break;
    chosen.push(...named.filter((gpu) => !chosen.includes(gpu)));
  }
  return chosen;
}

/**
 * The paths under `/dev` that a job with these GPUs (UUIDs) must see, and none of another GPU, as far as the driver tells;
 * where it does not (WSL, some containers): all of NVIDIA's. Of a MIG instance whose name does not say where it stands
 * (`MIG-<uuid>`; older drivers name the GPU) the nodes of all GPUs that are cut. Never those by which GPUs are cut. `root` is
 * for tests.
 */
export function deviceNodes(gpus: readonly string[], root = '/'): string[] {
  if (gpus.length === 0) return [];
  const cards = gpus.map((uuid) => cardsOf(uuid, root));
  const names = cards.some((found) => found.length === 0)
    ? list(join(root, 'dev')).filter((name) => name.startsWith('nvidia') || name === 'dxg')
    : [
        ...cards.flat().flatMap(({ minor, caps }) => [`nvidia${minor}`, ...caps]),
        ...['nvidiactl', 'nvidia-uvm', 'nvidia-uvm-tools', 'nvidia-modeset'],
      ];
  return [...new Set(names)].map((name) => `/dev/${name}`).filter((path) => existsSync(join(root, path)));
}

/** A physical GPU by the number of its node, and the nodes of its instances. */
type Card = { minor: string; caps: string[] };

function cardsOf(uuid: string, root: string): Card[] {
  const gpus = join(root, 'proc/driver/nvidia/gpus');
  const [, parent, instance, compute] = /^MIG-(GPU-[^/]+)\/(\d+)\/(\d+)$/.exec(uuid) ?? [];
  const found: Card[] = [];
  for (const bus of list(gpus)) {
    const information = read(join(gpus, bus, 'information'));
    const minor = /^Device Minor:\s*(\d+)/m.exec(information)?.[1];
    const name = /^GPU UUID:\s*(\S+)/m.exec(information)?.[1];
    if (minor === undefined) continue;
    if (uuid.startsWith('MIG-')) {
      const caps = capsOf(minor, instance, compute, root);
      if (parent === undefined ? caps.length > 0 : name === parent) found.push({ minor, caps });
    } else if (name === uuid) found.push({ minor, caps: [] });
  }
  return found;
}

/** The nodes of a GPU's MIG instances, or of one instance and one compute instance of it. */
function capsOf(
  minor: string,
  instance: string | undefined,
  compute: string | undefined,
  root: string,
): string[] {
  const mig = join(root, `proc/driver/nvidia/capabilities/gpu${minor}/mig`);
  const files: string[] = [];
  for (const gi of list(mig)) {
    if (!/^gi\d+$/.test(gi) || (instance !== undefined && gi !== `gi${instance}`)) continue;
    files.push(join(mig, gi, 'access'));
    for (const ci of list(join(mig, gi))) {
      if (/^ci\d+$/.test(ci) && (compute === undefined || ci === `ci${compute}`))
        files.push(join(mig, gi, ci, 'access'));
    }
  }
  return files.flatMap((file) => {
    const cap = /^DeviceFileMinor:\s*(\d+)/m.exec(read(file))?.[1];
    return cap === undefined ? [] : [`nvidia-caps/nvidia-cap${cap}`];
  });
}

/** Slices are a seventh of a GPU, but on small ones a quarter. A compute instance (`1c.3g.20gb`) counts its own slices. */
function shareOf(profile: string, card: string): number {
  const slices = /\bA30\b|RTX PRO/.test(card) ? 4 : 7;
  const [, compute, whole = '1'] = /(?:(\d+)c\.)?(\d+)g\./.exec(profile) ?? [];
  return Math.min(1, Number(compute ?? whole) / slices);
}

function list(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
