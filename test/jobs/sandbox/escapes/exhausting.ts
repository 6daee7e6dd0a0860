import type { Escape } from './escape.ts';

/**
 * Attempts to take more of the machine than is allowed: 64 processes, 256 MB, 64 MB on the disk. What a watch has to notice is
 * held for `P.patienceMs`.
 */
export const exhausting: Escape[] = [
  {
    name: 'forks and forks (a fork bomb)',
    language: 'node',
    program: `const all = Array.from({ length: 150 }, () => cp.spawn('sleep', ['60'], { stdio: 'ignore' }).on('error', () => process.exit(1)));
      await new Promise((done) => setTimeout(done, P.patienceMs));
      if (all.every(({ pid, exitCode }) => pid && exitCode === null)) out();
      for (const child of all) child.kill();
      process.exit();`,
  },
  {
    name: 'fills the memory',
    language: 'node',
    program: 'const all = []; for (let i = 0; i < 600; i++) all.push(Buffer.alloc(2 ** 20, 1)); out()',
  },
  {
    name: 'fills the memory with many small processes',
    language: 'node',
    program: `const hold = 'const all = []; for (let i = 0; i < 100; i++) all.push(Buffer.alloc(2 ** 20, 1)); console.log("held"); setTimeout(() => {}, 60_000)';
      const all = Array.from({ length: 6 }, () => cp.spawn(process.execPath, ['-e', hold]));
      const said = await Promise.all(all.map((child) => new Promise((done) => { child.on('exit', () => done('')).stdout.on('data', done); })));
      await new Promise((done) => setTimeout(done, P.patienceMs));
      if (said.every((text) => String(text) === 'held\\n') && all.every(({ exitCode, signalCode }) => (exitCode ?? signalCode) === null)) out();
      for (const child of all) child.kill();
      process.exit();`,
  },
  {
    name: 'fills the disk',
    language: 'node',
    program: `for (let i = 0; i < 20; i++) { fs.writeFileSync('file-' + i, Buffer.alloc(10 * 2 ** 20, 1)); await new Promise((done) => setTimeout(done, 10)); }
      await new Promise((done) => setTimeout(done, P.patienceMs)); out();`,
  },
  {
    name: 'fills the disk with files that have no name',
    language: 'node',
    program: `for (let i = 0; i < 20; i++) {
        const fd = fs.openSync('file', 'w'); fs.unlinkSync('file'); fs.writeSync(fd, Buffer.alloc(10 * 2 ** 20, 1));
      }
      await new Promise((done) => setTimeout(done, P.patienceMs)); out();`,
  },
  {
    name: 'fills the disk with files that have no name, and are not open',
    language: 'python',
    program: `import time
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long)
for i in range(20):
  fd = os.open('file', os.O_RDWR | os.O_CREAT, 0o600); os.ftruncate(fd, 10 << 20)
  at = libc.mmap(None, 10 << 20, 3, 1, fd, 0)
  os.close(fd); os.unlink('file'); ctypes.memset(at, 1, 10 << 20)
time.sleep(P['patienceMs'] / 1000); out()`,
  },
  {
    name: 'fills /tmp',
    language: 'node',
    program: `fs.mkdirSync('/tmp/' + P.mark); for (let i = 0; i < 30; i++) fs.writeFileSync('/tmp/' + P.mark + '/' + i, Buffer.alloc(10 * 2 ** 20, 1)); out()`,
  },
  {
    name: 'makes one huge file',
    language: 'node',
    program: "fs.truncateSync(fs.openSync('huge', 'w'), 2 ** 40); out()",
  },
  {
    name: 'floods its output',
    language: 'node',
    program: "const much = 'x'.repeat(2 ** 20); for (let i = 0; i < 80; i++) fs.writeSync(1, much); out()",
  },
  {
    name: 'never ends, whatever signal asks it to',
    language: 'node',
    seconds: 1,
    program: "process.on('SIGTERM', () => {}); for (;;);",
    got: (_, ran) => ran.kind === 'running',
  },
  {
    name: 'leaves its memory on the disk as it crashes (a core)',
    language: 'node',
    program: "cp.execSync('ulimit -c 1000'); out()",
  },
];
