import { type Aliases, cleanLog } from './log.ts';

/** Tells what a job prints while it runs. */
export type Follower = {
  /** Takes a complete line, without its newline. */
  line(text: string): void;
  /** The job has ended: tells what has not been told. */
  end(): void;
};

/**
 * Tells `say` the output of a job as whole lines, real paths replaced, at most twice a second; of one that takes less than
 * two seconds nothing. After 1 MB a last line says that there is no more.
 */
export function followOutput(aliases: Aliases, say: (text: string) => void): Follower {
  const began = performance.now();
  let waiting: string[] = [];
  let taken = 0;
  const tell = () => {
    if (waiting.length === 0 || performance.now() - began < 2000) return;
    const text = waiting.join('');
    waiting = [];
    say(cleanLog(text, aliases));
  };
  const timer = setInterval(tell, 500);
  return {
    line(text) {
      if (taken > most) return;
      taken += Buffer.byteLength(text) + 1;
      waiting.push(taken > most ? '[no more than 1 MB of the output is shown while it runs]\n' : `${text}\n`);
    },
    end() {
      clearInterval(timer);
      tell();
    },
  };
}

const most = 2 ** 20;
