import { describe, expect, test } from 'vitest';
import { syscallFilter } from '../../../src/jobs/sandbox/syscalls.ts';

const [ALLOW, EPERM, ENOSYS] = [0x7fff0000, 0x50001, 0x50026];

/** What the kernel would do: runs the program on a call, as far as the program's few instructions go. */
function verdict(arch: string, audit: number, number: number, flags = 0): number {
  const program = syscallFilter(arch) as Buffer;
  const data: Record<number, number> = { 0: number, 4: audit, 16: flags };
  let held = 0;
  for (let at = 0; ; at += 8) {
    const [code, value] = [program.readUInt16LE(at), program.readUInt32LE(at + 4)];
    const jump = (holds: boolean) => 8 * (program[at + (holds ? 2 : 3)] as number);
    if (code === 0x20) held = data[value] as number;
    else if (code === 0x15) at += jump(held === value);
    else if (code === 0x35) at += jump(held >= value);
    else if (code === 0x45) at += jump((held & value) !== 0);
    else if (code === 0x06) return value;
    else throw new Error(`instruction ${code}`);
  }
}

const processors = [
  { arch: 'x64', audit: 0xc000003e, read: 0, keyctl: 250, unshare: 272, clone: 56 },
  { arch: 'arm64', audit: 0xc00000b7, read: 63, keyctl: 219, unshare: 97, clone: 220 },
];

describe.each(processors)(
  'the filter of system calls on $arch',
  ({ arch, audit, read, keyctl, unshare, clone }) => {
    test('lets through what programs need', () => {
      expect([read, clone].map((number) => verdict(arch, audit, number))).toEqual([ALLOW, ALLOW]);
    });

    test('refuses keys, namespaces and what is known for its holes', () => {
      const refused = [keyctl, unshare, 425, 442].map((number) => verdict(arch, audit, number));
      expect(new Set(refused)).toEqual(new Set([EPERM]));
      expect(verdict(arch, audit, clone, 0x10000000 | 17)).toBe(EPERM);
      // Programs then fall back on the one that can be looked at.
      expect(verdict(arch, audit, 435)).toBe(ENOSYS);
    });

    test('refuses the calls of another processor, by which its own could be had', () => {
      expect(verdict(arch, 0x40000003, read)).toBe(EPERM);
      expect(verdict(arch, audit, 0x40000000 + read)).toBe(EPERM);
    });
  },
);

test('a processor that is not in the table has no filter', () => {
  expect(syscallFilter('riscv64')).toBeNull();
});
