import { MultiBar } from 'cli-progress';
import { redact } from './secrets.ts';
import { wrapped } from './wrap.ts';

/** Bars on a terminal, one below the other. */
export type Bars = {
  /** A bar below those that there are; called with how far it is, it shows that and a text beside it. */
  add(what: string, total: number, value: number): (total: number, value: number, text: string) => void;
  /** A line for people, above the bars. */
  note(line: string): void;
  /** Takes the bars away. */
  close(): void;
};

/** Opens bars on a terminal that has none. */
export function openBars(stream: NodeJS.WriteStream): Bars {
  const multi = new MultiBar({
    stream,
    format: '{what} {bar} {value}/{total}  {text}',
    barsize: 20,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    hideCursor: true,
    clearOnComplete: true,
    stopOnComplete: false,
    gracefulExit: false,
    emptyOnZero: true,
    fps: 8,
  });
  return {
    add(what, total, value) {
      const payload = (text: string) => ({ what: what.padEnd(10), text });
      const bar = multi.create(total, value, payload(''));
      return (all, done, text) => {
        bar.setTotal(all);
        bar.update(done, payload(text));
      };
    },
    note(line) {
      multi.log(`${wrapped(redact(line))}\n`);
      multi.update();
    },
    close: () => multi.stop(),
  };
}
