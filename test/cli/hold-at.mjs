// Loaded into `evolve` by tests: stops its process as soon as the file FILE has LINES lines, told in HOLD_AT as `LINES FILE`.
// It stops itself, so that it does so there however busy the machine is; who waits for that goes on with SIGCONT, or ends it.
import { readFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

const [lines, file] = (process.env.HOLD_AT ?? '').split(/ (.*)/);
if (isMainThread && file) {
  const timer = setInterval(() => {
    let text = '';
    try {
      text = readFileSync(file, 'utf8');
    } catch {
      // It is not there yet.
    }
    if (text.split('\n').length <= Number(lines)) return;
    clearInterval(timer);
    process.kill(process.pid, 'SIGSTOP');
  }, 1);
  timer.unref();
}
