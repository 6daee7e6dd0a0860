import type { Escape } from './escape.ts';
import { isVictimAlive } from './place.ts';

/** Waits until the victim stands still or is no more, ten seconds at most. */
const untilItHeeds = `const runs = () => {
        try { return !/^State:\\s*[ZXT]/m.test(fs.readFileSync('/proc/' + P.victim.pid + '/status', 'utf8')); } catch { return false; }
      };
      for (let tries = 0; tries < 500 && runs(); tries++) await new Promise((done) => setTimeout(done, 20));`;

/** Attempts to act on what runs outside, on the network, or on the machine itself. */
export const reaching: Escape[] = [
  {
    name: 'reaches a server of this machine (TCP)',
    language: 'node',
    program: "net.connect(P.victim.tcp, '127.0.0.1').on('data', say)",
  },
  {
    name: 'reaches a server of this machine (UDP)',
    language: 'node',
    // Where nobody listens, who is connected is told so.
    program: `const socket = dgram.createSocket('udp4').on('message', (text) => { say(text); socket.close(); });
      socket.on('error', () => process.exit()).connect(P.victim.udp, '127.0.0.1', () => socket.send('x'));
      setTimeout(() => process.exit(), 15_000).unref();`,
  },
  {
    name: 'reaches an abstract socket',
    language: 'node',
    program: "net.connect('\\0' + P.victim.abstract).on('data', say)",
  },
  {
    name: 'reaches a socket that is a file',
    language: 'node',
    program: 'net.connect(P.victim.socket).on("data", say)',
  },
  {
    name: 'sees a way to the network',
    language: 'node',
    guarded: true,
    program: 'if (Object.keys(os.networkInterfaces()).some((name) => name !== "lo")) out()',
  },
  {
    name: 'looks a name up',
    language: 'node',
    guarded: true,
    program: "fs.readFileSync('/etc/resolv.conf'); out()",
  },
  {
    name: 'kills another process',
    language: 'node',
    program: `process.kill(P.victim.pid, 'SIGKILL'); ${untilItHeeds}`,
    got: (place) => !isVictimAlive(place),
  },
  {
    name: 'stops another process',
    language: 'node',
    program: `process.kill(P.victim.pid, 'SIGSTOP'); ${untilItHeeds}`,
    got: (place) => !isVictimAlive(place),
  },
  {
    name: 'traces another process',
    language: 'python',
    guarded: true,
    program: `if libc.ptrace(16, P['victim']['pid'], None, None) == 0:
  out()
  os.waitpid(P['victim']['pid'], 0x40000000)
  libc.ptrace(17, P['victim']['pid'], None, None)`,
  },
  {
    name: 'sets the limits of another process',
    language: 'python',
    program: `import resource
resource.prlimit(P['victim']['pid'], resource.RLIMIT_CORE, resource.prlimit(P['victim']['pid'], resource.RLIMIT_CORE)); out()`,
  },
  {
    name: 'enters the namespaces of another process',
    language: 'node',
    needs: ['root', 'nsenter'],
    program: "cp.execFileSync('nsenter', ['-t', String(P.victim.pid), '-m', '-n', 'true']); out()",
  },
  {
    name: 'makes a user namespace, to be root in it',
    language: 'node',
    guarded: true,
    needs: ['unshare'],
    program: "cp.execFileSync('unshare', ['-Ur', 'true']); out()",
  },
  {
    name: 'mounts a file system',
    language: 'node',
    needs: ['root'],
    program: "cp.execSync('mkdir m && mount -t tmpfs none m && umount m'); out()",
  },
  {
    name: 'makes a wall writable again',
    language: 'node',
    needs: ['root'],
    program: `const dir = fs.existsSync('/opt/node') ? '/work/data' : 'm';
      cp.execSync(\`mkdir -p m; mount -t tmpfs -o ro none m; mount -o remount,rw \${dir} && touch \${dir}/x; status=$?; umount m; exit $status\`); out();`,
  },
  {
    name: 'changes its root',
    language: 'python',
    needs: ['root'],
    program: "os.chroot('/'); out()",
  },
  {
    name: 'makes a device node',
    language: 'python',
    needs: ['root'],
    program: "import stat\nos.mknod('disk', stat.S_IFBLK | 0o600, os.makedev(7, 0)); out()",
  },
  {
    name: 'has effect by a setuid program',
    language: 'node',
    needs: ['root'],
    program: `fs.copyFileSync('/usr/bin/id', 'me'); fs.chownSync('me', 65534, 65534); fs.chmodSync('me', 0o4755);
      if (String(cp.execFileSync('./me', ['-u'])).trim() === '65534') out();`,
  },
  {
    name: 'becomes another user',
    language: 'python',
    needs: ['root'],
    program: 'os.setuid(65534); out()',
  },
  {
    name: 'writes a setting of the kernel',
    language: 'node',
    needs: ['root'],
    program: `const file = '/proc/sys/kernel/core_pattern'; fs.writeFileSync(file, fs.readFileSync(file)); out();`,
  },
  {
    name: 'writes a setting of the hardware',
    language: 'node',
    needs: ['root'],
    program: `const file = '/sys/kernel/mm/transparent_hugepage/enabled';
      fs.writeFileSync(file, /\\[(\\w+)\\]/.exec(fs.readFileSync(file, 'utf8'))[1]); out();`,
  },
  {
    name: 'makes a control group, as release_agent needs',
    language: 'node',
    needs: ['root'],
    program: `const groups = ['/sys/fs/cgroup', ...fs.readdirSync('/sys/fs/cgroup').map((name) => '/sys/fs/cgroup/' + name)];
      const made = groups.map((dir) => dir + '/' + P.mark).find((dir) => { try { fs.mkdirSync(dir); return true; } catch { return false; } });
      fs.rmdirSync(made); out();`,
  },
  {
    name: 'changes the name of the machine',
    language: 'python',
    needs: ['root'],
    program: 'import socket\nsocket.sethostname(socket.gethostname()); out()',
  },
  {
    name: 'changes the clock',
    language: 'python',
    needs: ['root'],
    // By nothing: whoever else is at work here reads it.
    program: `class Time(ctypes.Structure): _fields_ = [('s', ctypes.c_long), ('us', ctypes.c_long)]
if libc.adjtime(ctypes.byref(Time(0, 0)), None) == 0: out()`,
  },
  {
    name: 'goes before all others (priority)',
    language: 'node',
    needs: ['root'],
    program: 'os.setPriority(-5); out()',
  },
  {
    name: 'types into the terminal of who runs it',
    language: 'python',
    needs: ['script'],
    terminal: true,
    program: "open('/dev/tty', 'w'); out()",
  },
];
