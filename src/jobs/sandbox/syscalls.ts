/**
 * A filter of system calls as `bwrap --seccomp` takes it (a program of `struct sock_filter`), for what namespaces do not
 * divide: keys of the kernel, its messages, and parts of it that attacks have often used and no job needs. Null on
 * processors whose numbers are not in the table.
 */
export function syscallFilter(arch: string = process.arch): Buffer | null {
  const table = numbers[arch];
  if (table === undefined) return null;
  const refuse = (code: number) => step(ret, 0, 0, 0x50000 | code);
  return Buffer.concat([
    step(load, 0, 0, 4),
    // The calls of another processor, which this one can run, too, have other numbers.
    ...[step(equal, 1, 0, table.audit), refuse(EPERM)],
    step(load, 0, 0, 0),
    ...[step(atLeast, 0, 1, 0x40000000), refuse(EPERM)],
    ...[...table.refused, ...newer].flatMap((number) => [step(equal, 0, 1, number), refuse(EPERM)]),
    ...[step(equal, 0, 1, clone3), refuse(ENOSYS)],
    ...[step(equal, 0, 3, table.clone), step(load, 0, 0, 16), step(anyBit, 0, 1, newUser), refuse(EPERM)],
    step(ret, 0, 0, 0x7fff0000),
  ]);
}

type Numbers = { audit: number; clone: number; refused: number[] };

/** Numbers by processor; those refused stand in the same order. */
const numbers: Record<string, Numbers> = {
  x64: {
    audit: 0xc000003e,
    clone: 56,
    refused: [
      ...[248, 249, 250], // add_key, request_key, keyctl
      ...[103, 298, 321, 323], // syslog, perf_event_open, bpf, userfaultfd
      ...[165, 166, 155, 272, 308, 304], // mount, umount2, pivot_root, unshare, setns, open_by_handle_at
    ],
  },
  arm64: {
    audit: 0xc00000b7,
    clone: 220,
    refused: [...[217, 218, 219], ...[116, 241, 280, 282], ...[40, 39, 41, 97, 268, 265]],
  },
};
/** The same on all: io_uring, and mounting by open_tree, move_mount, fsopen, fsconfig, fsmount, fspick, mount_setattr. */
const newer = [425, 426, 427, 428, 429, 430, 431, 432, 433, 442];
/** Its flags stand in memory, where no filter can look; told that it is not there, programs use `clone`. */
const clone3 = 435;
/** Of `clone`: a user namespace, in which one is root. */
const newUser = 0x10000000;
const [EPERM, ENOSYS] = [1, 38];

/** BPF: load a word of `struct seccomp_data`, compare, answer. */
const [load, equal, atLeast, anyBit, ret] = [0x20, 0x15, 0x35, 0x45, 0x06];

/** One instruction; `yes` and `no` are how many it jumps over. */
function step(code: number, yes: number, no: number, value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt16LE(code, 0);
  bytes.writeUInt8(yes, 2);
  bytes.writeUInt8(no, 3);
  bytes.writeUInt32LE(value, 4);
  return bytes;
}
