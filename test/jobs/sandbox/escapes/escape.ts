import type { Place } from './place.ts';

/** An attempt of an agent's code to reach something that is not its own. */
export type Escape = {
  /** What it tries: "reads the answers". */
  name: string;
  language: 'node' | 'python';
  /**
   * The program. It knows the place as `P` (without its token), says what it read with `say(text)`, and that it has done
   * what it must not with `out()`; Python has `libc` as well. An error is a failed attempt.
   */
  program: string;
  /** A job that comes later, when that is who is harmed; its output counts instead. */
  later?: string;
  outputs?: string[];
  /** Did it succeed? Unless told: the token, or `GOT OUT`, stands in the output. */
  got?: (place: Place, ran: Ran) => boolean | Promise<boolean>;
  /** Seconds that it may take; a bare process that still runs then is ended, and `running`. */
  seconds?: number;
  /** Its job is watched, also where control groups could hold it. */
  watched?: true;
  /** A bare process is started with a terminal of its own. */
  terminal?: true;
  /** Makes what it is after, and says how that is taken away again. */
  setUp?: (place: Place) => () => void;
  /** What it takes where there is no sandbox. */
  needs?: ('root' | 'script' | 'unshare' | 'nsenter')[];
  /** Many machines hold it by themselves; as they do what needs root, in a container. */
  guarded?: true;
};

/** What came of a program: the end of its output, and how it ended. */
export type Ran = { log: string; kind: string };
