import type { Blanks } from '../../src/offline/write-code.ts';
import { rngAt } from '../../src/rng.ts';

/** A small task of one data kind: its public CSV files, the hidden answers, and what the code must know of it. */
export type SyntheticTask = Blanks & { files: Record<string, string>; answers: string[] };

export const KINDS = [
  'tabular',
  'ordinal',
  'prices',
  'images',
  'signals',
  'series',
  'denoising',
  'texts',
  'normalisation',
] as const;
export type Kind = (typeof KINDS)[number];

type Case = { cells: (string | number)[]; target: string | number };
type Draw = { header: string[]; metric: Blanks['metric']; draw: (i: number) => Case };

/** The task of a kind, `rows` training rows and as many test rows. */
export function syntheticTask(kind: Kind, seed = 1, rows = 300): SyntheticTask {
  const rng = rngAt('synthetic', kind, seed);
  const { header, metric, draw } = GENERATORS[kind](rng);
  const cases = Array.from({ length: 2 * rows }, (_, i) => draw(i));
  const line = (cells: (string | number)[]) => cells.map((cell) => quote(String(cell))).join(',');
  const train = cases.slice(0, rows).map(({ cells, target }, i) => line([`a${i}`, ...cells, target]));
  const test = cases.slice(rows).map(({ cells }, i) => line([`b${i}`, ...cells]));
  return {
    idColumn: 'case',
    targetColumn: 'outcome',
    metric,
    answers: cases.slice(rows).map(({ target }) => String(target)),
    files: {
      'train.csv': `${[line(['case', ...header, 'outcome']), ...train].join('\n')}\n`,
      'test.csv': `${[line(['case', ...header]), ...test].join('\n')}\n`,
    },
  };
}

const GENERATORS: Record<Kind, (rng: ReturnType<typeof rngAt>) => Draw> = {
  /** Numbers, categories, missing cells, a constant and an empty column; binary, log-loss. */
  tabular: (rng) => ({
    header: ['age', 'income', 'town', 'shape', 'constant', 'empty', 'noise'],
    metric: 'log-loss',
    draw: () => {
      const [age, income, noise] = [20 + 50 * rng.next(), Math.exp(rng.normal()), rng.normal()];
      const town = rng.pick(['Ulm', 'Bern', 'Graz', 'Linz']);
      const shape = rng.pick(['round', 'square']);
      const missing = rng.next() < 0.2;
      const score =
        2 * Math.sin(age / 8) +
        (town === 'Ulm' ? 2 : -0.5) +
        (missing ? 2 : 0) +
        (shape === 'round' ? 1 : -1);
      return {
        cells: [age.toFixed(2), missing ? '' : income.toFixed(3), town, shape, 5, '', noise.toFixed(3)],
        target: rng.next() < 1 / (1 + Math.exp(-score)) ? 1 : 0,
      };
    },
  }),
  /** Grades 0 to 4 with thresholds, quadratic kappa. */
  ordinal: (rng) => ({
    header: ['a', 'b', 'c', 'd'],
    metric: 'quadratic-kappa',
    draw: () => {
      const x = [rng.normal(), rng.normal(), rng.normal(), rng.normal()];
      const grade = 2 + x[0]! + (x[1]! > 0 ? x[2]! : -x[2]!) + 0.4 * rng.normal();
      return {
        cells: x.map((v, j) => (j === 3 && v > 1 ? '' : v.toFixed(3))),
        target: Math.min(4, Math.max(0, Math.round(grade))),
      };
    },
  }),
  /** Skewed positive target, rmsle. */
  prices: (rng) => ({
    header: ['area', 'rooms', 'quarter'],
    metric: 'rmsle',
    draw: () => {
      const [area, rooms] = [20 + 180 * rng.next(), 1 + rng.int(6)];
      const quarter = rng.pick(['north', 'south, old', 'west']);
      const log = 2 + area / 60 + (quarter === 'west' ? 1 : 0) + 0.1 * rooms + 0.2 * rng.normal();
      return {
        cells: [rng.next() < 0.1 ? '' : area.toFixed(1), rooms, quarter],
        target: Math.exp(log).toFixed(2),
      };
    },
  }),
  /** 8 × 8 pixels: strokes of three directions at any place, accuracy. */
  images: (rng) => ({
    header: Array.from({ length: 64 }, (_, j) => `p${j}`),
    metric: 'accuracy',
    draw: () => {
      const kind = rng.int(3);
      const at = rng.int(6) + 1;
      const bright = 0.4 + rng.next();
      const lit = (r: number, c: number) => [r === at, c === at, Math.abs(r + c - 2 * at) < 1][kind];
      const cells = Array.from(
        { length: 64 },
        (_, j) => (lit(j >> 3, j & 7) ? bright : 0) + 0.25 * rng.normal(),
      );
      return { cells: cells.map((v) => v.toFixed(2)), target: ['flat', 'upright', 'slanted'][kind]! };
    },
  }),
  /** 128 samples of a tone with random phase, three frequencies, macro-f1. */
  signals: (rng) => ({
    header: Array.from({ length: 128 }, (_, j) => `s${j}`),
    metric: 'macro-f1',
    draw: () => {
      const kind = rng.int(3);
      const [rate, phase] = [[5, 8, 12][kind]! + 0.6 * rng.normal(), 2 * Math.PI * rng.next()];
      const cells = Array.from(
        { length: 128 },
        (_, j) => Math.sin((2 * Math.PI * rate * j) / 128 + phase) + rng.normal(),
      );
      return { cells: cells.map((v) => v.toFixed(2)), target: ['low', 'middle', 'high'][kind]! };
    },
  }),
  /** Next value from a window of 24 with a level of its own and a weekly season, mae. */
  series: (rng) => ({
    header: [...Array.from({ length: 24 }, (_, j) => `h${j + 1}`), 'weekday', 'month'],
    metric: 'mae',
    draw: () => {
      const [start, level, slope] = [rng.int(365), Math.exp(3 + 0.8 * rng.normal()), 0.01 * rng.normal()];
      const week = (t: number) => 1 + 0.5 * Math.sin((2 * Math.PI * (start + t)) / 7);
      const at = (t: number) => level * (1 + slope * t) * week(t) * (1 + 0.05 * rng.normal());
      const history = Array.from({ length: 24 }, (_, j) => at(-j - 1).toFixed(2));
      const day = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'][start % 7]!;
      return { cells: [...history, day, 1 + Math.floor(start / 31)], target: at(0).toFixed(2) };
    },
  }),
  /** The clean centre of a 5 × 5 patch of smooth ground with edges, under grain and stuck pixels, rmse. */
  denoising: (rng) => ({
    header: Array.from({ length: 25 }, (_, j) => `n${j}`),
    metric: 'rmse',
    draw: () => {
      const [ground, gx, gy] = [100 + 60 * rng.next(), 3 * rng.normal(), 3 * rng.normal()];
      const [edge, step] = [rng.int(5), rng.next() < 0.5 ? 40 * rng.normal() : 0];
      const clean = (r: number, c: number) => ground + gx * (c - 2) + gy * (r - 2) + (c >= edge ? step : 0);
      const cells = Array.from({ length: 25 }, (_, j) =>
        rng.next() < 0.12 ? rng.int(2) * 255 : clean(Math.floor(j / 5), j % 5) + 12 * rng.normal(),
      );
      return { cells: cells.map((v) => v.toFixed(1)), target: clean(2, 2).toFixed(2) };
    },
  }),
  /** Mistyped sentences from two vocabularies, roc-auc. */
  texts: (rng) => ({
    header: ['text'],
    metric: 'roc-auc',
    draw: () => {
      const target = rng.int(2);
      const favoured = [
        'rain storm cloud wind frost drizzl thunder hail mist flood puddl sleet'.split(' '),
        'summ beach sunsh warm holid picnic swimm garden bloom sand towel lemon'.split(' '),
      ][target]!;
      const common = ['the', 'day', 'was', 'an', 'very', 'and', 'then', 'with', 'we', 'saw', 'rain', 'sun'];
      const mistyped = (word: string) => {
        const at = 1 + rng.int(word.length - 1);
        return rng.next() < 0.5
          ? word
          : word.slice(0, at) + rng.pick(['a', 'e', 'n', 's', '']) + word.slice(at + 1);
      };
      const words = Array.from({ length: 6 + rng.int(5) }, () =>
        rng.next() < 0.25
          ? mistyped(rng.pick(favoured) + rng.pick(['', 's', 'ed', 'ing']))
          : rng.pick(common),
      );
      return { cells: [`${words.join(' ')}, "${rng.pick(common)}"`], target };
    },
  }),
  /** A token as it is spoken; several rewriting rules, accuracy. */
  normalisation: (rng) => ({
    header: ['token'],
    metric: 'accuracy',
    draw: () => {
      const [a, b] = [1 + rng.int(12), 10 + rng.int(90)];
      const word =
        rng.pick(['house', 'tree', 'river', 'lake', 'stone', 'wood', 'garden', 'bridge']) +
        rng.pick(['', 's', 'y']);
      return rng.pick<() => Case>([
        () => ({ cells: [word], target: word }),
        () => ({ cells: [`${word},`], target: word }),
        () => ({ cells: [`${word}-${a}`], target: `${word} ${a}` }),
        () => ({ cells: [`${b}km`], target: `${b} kilometers` }),
        () => ({ cells: [word.toUpperCase()], target: word }),
        () => ({ cells: ['UN'], target: 'u n' }),
        () => ({ cells: [`Dr.`], target: 'doctor' }),
      ])();
    },
  }),
};

const quote = (cell: string): string => (/[",\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);
