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
    // A note takes the place of the bars, which must come back below it though they show nothing new.
    forceRedraw: true,
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
      multi.log(`${CLEAR_BELOW}${WRAP}${wrapped(redact(line), stream.columns)}${CUT}\n`);
      multi.update();
    },
    close: () => multi.stop(),
  };
}

// Bars are cut at the edge of the terminal, which must not happen to notes; and these may be higher than the bars that they overwrite.
const CLEAR_BELOW = '\u001b[J';
const WRAP = '\u001b[?7h';
const CUT = '\u001b[?7l';
