import { type Metric, readMetric } from '../curve.ts';

/** The metrics that a job prints, in bounded memory. */
export type Metrics = {
  /** Takes a line of output; gives the metric that it is, null where it is none. */
  line(text: string): Metric | null;
  /** Those that are kept, in the order in which they were printed. */
  kept(): Metric[];
};

/**
 * Keeps at most `most` metrics (and the last one of each name). Where there are more, every other one of the name that
 * has most goes, again and again, so that what is left of a curve lies evenly. Names beyond the first 32 are not kept.
 */
export function collectMetrics(most = 1000): Metrics {
  const curves = new Map<string, Kept>();
  let order = 0;
  let held = 0;
  return {
    line(text) {
      const metric = readMetric(text);
      if (metric === null) return null;
      const curve = curves.get(metric.name) ?? { points: [], seen: 0, stride: 1, last: null };
      if (curve.seen === 0 && curves.size >= mostNames) return metric;
      curves.set(metric.name, curve);
      const point = { order: order++, metric };
      curve.last = point;
      if (curve.seen++ % curve.stride === 0) {
        curve.points.push(point);
        if (++held > most) held -= thin([...curves.values()].reduce(longer));
      }
      return metric;
    },
    kept() {
      const all = [...curves.values()].flatMap(({ points, last }) =>
        last === null || last === points.at(-1) ? points : [...points, last],
      );
      return all.sort((a, b) => a.order - b.order).map(({ metric }) => metric);
    },
  };
}

type Point = { order: number; metric: Metric };
/** Of the points of one name every `stride`-th is kept, the first among them. */
type Kept = { points: Point[]; seen: number; stride: number; last: Point | null };

const mostNames = 32;

/** Drops every other point; says how many. */
function thin(curve: Kept): number {
  const before = curve.points.length;
  curve.points = curve.points.filter((_, i) => i % 2 === 0);
  curve.stride *= 2;
  return before - curve.points.length;
}

function longer(a: Kept, b: Kept): Kept {
  return b.points.length > a.points.length ? b : a;
}
