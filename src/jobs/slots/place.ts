import type { Gpu } from './devices.ts';
import { isWhole } from './request.ts';

/** A GPU or MIG instance, and how much of it is given away: the sum of parts, 1 for all of it. */
export type Device = Gpu & { load: number };

/** A part of a device. */
export type Part = { device: Device; size: number };

/** Parts are sums of decimals. */
const EPSILON = 1e-6;

/**
 * The parts to give for `gpus` GPUs (above 0), or null where these devices have no room now. More than one come from whole
 * GPUs only. A share takes all of the smallest free MIG instance that is at least that share of its GPU, else that
 * share of the fullest whole GPU that has room, so that others stay whole. `perGpu` jobs may be on a device at once, yet none
 * has two while there is room beside.
 */
export function place(gpus: number, devices: readonly Device[], perGpu: number): Part[] | null {
  const order = (part: Part): number[] => {
    const { device, size } = part;
    const over = device.load + size > 1 + EPSILON;
    const mig = !isWhole(device);
    return [
      Number(over),
      Number(gpus < 1 ? !mig : mig),
      over ? device.load : -device.load,
      gpus < 1 ? device.share : -device.share,
    ];
  };
  const parts = devices
    .flatMap((device) => partOf(gpus, device))
    .filter(({ device, size }) => device.load + size <= perGpu + EPSILON);
  const count = Math.ceil(gpus);
  if (parts.length < count) return null;
  return sorted(parts, order).slice(0, count);
}

/**
 * The devices to keep free for `gpus` GPUs until there is room: free ones first, then `kept`, which were chosen before, then
 * the least busy. Empty where there are too few.
 */
export function collect(gpus: number, devices: readonly Device[], kept: ReadonlySet<Device>): Device[] {
  const parts = devices.flatMap((device) => partOf(gpus, device));
  const count = Math.ceil(gpus);
  if (parts.length < count) return [];
  const order = ({ device }: Part) => [device.load === 0 ? 0 : kept.has(device) ? 1 : 2, device.load];
  return sorted(parts, order)
    .slice(0, count)
    .map(({ device }) => device);
}

/** Changes what is given away of a device, by a part or by less one. */
export function load(device: Device, size: number): void {
  device.load = Math.max(0, Math.round((device.load + size) * 1e9) / 1e9);
}

/** What a device gives to such a request; none where it cannot serve it. */
function partOf(gpus: number, device: Device): Part[] {
  if (isWhole(device)) return [{ device, size: Math.min(gpus, 1) }];
  const serves = gpus === 1 || (gpus < 1 && device.share >= gpus - EPSILON);
  return serves ? [{ device, size: 1 }] : [];
}

function sorted(parts: readonly Part[], order: (part: Part) => number[]): Part[] {
  return parts
    .map((part) => ({ part, keys: order(part) }))
    .sort((a, b) => {
      const at = a.keys.findIndex((key, i) => key !== b.keys[i]);
      return at < 0 ? 0 : (a.keys[at] as number) - (b.keys[at] as number);
    })
    .map(({ part }) => part);
}
