import { expect, test } from 'vitest';
import { deviceNodes, visibleGpus } from '../../../src/jobs/slots/devices.ts';
import { folder } from '../fixture.ts';

const listing = `GPU 0: NVIDIA A100-SXM4-40GB (UUID: GPU-aaaa-1)
GPU 1: NVIDIA A100-SXM4-40GB (UUID: GPU-bbbb-2)
GPU 2: NVIDIA A100-SXM4-40GB (UUID: GPU-cccc-3)
  MIG 1g.5gb      Device  0: (UUID: MIG-c1)
  MIG 3g.20gb     Device  1: (UUID: MIG-c2)
`;

test.each([
  [undefined, ['GPU-aaaa-1', 'GPU-bbbb-2', 'MIG-c1', 'MIG-c2']],
  ['1,0', ['GPU-bbbb-2', 'GPU-aaaa-1']],
  ['GPU-bb', ['GPU-bbbb-2']],
  ['GPU-cc', ['MIG-c1', 'MIG-c2']],
  ['MIG-c2', ['MIG-c2']],
  ['0,0', ['GPU-aaaa-1']],
  ['0,7,1', ['GPU-aaaa-1']],
  ['', []],
  ['-1', []],
])('CUDA_VISIBLE_DEVICES=%s', (visible, expected) => {
  expect(visibleGpus(listing, visible).map(({ uuid }) => uuid)).toEqual(expected);
});

test.each([
  ['GPU 0: NVIDIA H100', 'MIG 3g.40gb     Device  0:', 'MIG-6f0e', 'MIG 3g.40gb', 3 / 7],
  ['GPU 0: A100-SXM4-40GB', 'MIG 1g.5gb Device 0:', 'MIG-GPU-aa/7/0', 'MIG 1g.5gb', 1 / 7],
  ['GPU 0: NVIDIA A30', 'MIG 2g.12gb     Device  0:', 'MIG-6f0e', 'MIG 2g.12gb', 1 / 2],
  ['GPU 0: NVIDIA A100', 'MIG 1c.3g.20gb  Device  2:', 'MIG-6f0e', 'MIG 1c.3g.20gb', 1 / 7],
  ['GPU 0: NVIDIA A100', 'MIG 1g.5gb+me   Device  0:', 'MIG-6f0e', 'MIG 1g.5gb+me', 1 / 7],
  ['GPU 0: NVIDIA A100', 'MIG 7g.40gb     Device  0:', 'MIG-6f0e', 'MIG 7g.40gb', 1],
])('the share of %s, %s', (card, part, uuid, name, share) => {
  const text = `${card} (UUID: GPU-aa)\n  ${part} (UUID: ${uuid})\n`;
  expect(visibleGpus(text, undefined)).toEqual([{ uuid, share, name }]);
});

const information = (uuid: string, minor: number) =>
  `Model: \t\t NVIDIA A100\nGPU UUID: \t ${uuid}\nBus Location: \t 0000:07:00.0\nDevice Minor: \t ${minor}\n`;
const access = (minor: number) => `DeviceFileMinor: ${minor}\nDeviceFileMode: 292\nDeviceFileModify: 1\n`;
const caps = 'proc/driver/nvidia/capabilities';

/** Three GPUs, whose numbers are not those of the bus; the last is cut in two. */
const machine = () =>
  folder({
    'proc/driver/nvidia/gpus/0000:07:00.0/information': information('GPU-a', 1),
    'proc/driver/nvidia/gpus/0000:08:00.0/information': information('GPU-b', 0),
    'proc/driver/nvidia/gpus/0000:09:00.0/information': information('GPU-c', 2),
    [`${caps}/mig/config`]: access(1),
    [`${caps}/gpu2/mig/gi1/access`]: access(12),
    [`${caps}/gpu2/mig/gi1/ci0/access`]: access(13),
    [`${caps}/gpu2/mig/gi2/access`]: access(21),
    [`${caps}/gpu2/mig/gi2/ci0/access`]: access(22),
    ...Object.fromEntries(
      ['nvidia0', 'nvidia1', 'nvidia2', 'nvidiactl', 'nvidia-uvm', 'null', 'sda']
        .concat([1, 12, 13, 21, 22].map((cap) => `nvidia-caps/nvidia-cap${cap}`))
        .map((name) => [`dev/${name}`, '']),
    ),
  });

test.each([
  [[], []],
  [['GPU-a'], ['nvidia1', 'nvidiactl', 'nvidia-uvm']],
  [
    ['GPU-b', 'GPU-a'],
    ['nvidia0', 'nvidia1', 'nvidiactl', 'nvidia-uvm'],
  ],
  [
    ['MIG-GPU-c/2/0'],
    ['nvidia2', 'nvidia-caps/nvidia-cap21', 'nvidia-caps/nvidia-cap22', 'nvidiactl', 'nvidia-uvm'],
  ],
  [
    ['MIG-0b1c'],
    ['nvidia2', ...[12, 13, 21, 22].map((cap) => `nvidia-caps/nvidia-cap${cap}`), 'nvidiactl', 'nvidia-uvm'],
  ],
])('a job with %j sees its own nodes and no others', (gpus, expected) => {
  expect(deviceNodes(gpus, machine())).toEqual(expected.map((name) => `/dev/${name}`));
});

test('where the driver tells nothing, all nodes of GPUs are seen', () => {
  const root = folder({ 'dev/nvidia0': '', 'dev/nvidia-caps/x': '', 'dev/dxg': '', 'dev/sda': '' });
  expect(deviceNodes(['GPU-a'], root).sort()).toEqual(['/dev/dxg', '/dev/nvidia-caps', '/dev/nvidia0']);
  expect(deviceNodes([], root)).toEqual([]);
});
