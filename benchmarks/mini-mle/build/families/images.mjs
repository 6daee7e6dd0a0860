import { normal, table, uniform } from '../draws.mjs';

const size = 8;

/** The distance of a point to the segment from a to b. */
function toSegment([x, y], [ax, ay], [bx, by]) {
  const [dx, dy] = [bx - ax, by - ay];
  const t = Math.min(1, Math.max(0, ((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy || 1)));
  return Math.hypot(x - ax - t * dx, y - ay - t * dy);
}

/** Signs of an invented script as strokes in the square [−1, 1]²: alike in ink, unlike in edges. */
const signs = {
  ano: [
    [
      [-0.8, -0.6],
      [0.8, -0.6],
    ],
    [
      [0, -0.6],
      [0, 0.8],
    ],
  ],
  bek: [
    [
      [-0.8, 0.6],
      [0.8, 0.6],
    ],
    [
      [0, 0.6],
      [0, -0.8],
    ],
  ],
  cil: [
    [
      [-0.7, -0.8],
      [-0.7, 0.8],
    ],
    [
      [-0.7, 0],
      [0.8, 0],
    ],
  ],
  dov: [
    [
      [0.7, -0.8],
      [0.7, 0.8],
    ],
    [
      [0.7, 0],
      [-0.8, 0],
    ],
  ],
  eru: [
    [
      [-0.7, -0.7],
      [0.7, 0.7],
    ],
    [
      [-0.7, 0.7],
      [0.7, -0.7],
    ],
  ],
  fim: [
    [
      [0, -0.8],
      [0, 0.8],
    ],
    [
      [-0.8, 0],
      [0.8, 0],
    ],
  ],
  gat: [
    [
      [-0.8, 0.7],
      [0, -0.7],
    ],
    [
      [0, -0.7],
      [0.8, 0.7],
    ],
  ],
  hul: [
    [
      [-0.8, -0.7],
      [0, 0.7],
    ],
    [
      [0, 0.7],
      [0.8, -0.7],
    ],
  ],
};

/** Hand-drawn signs of an invented script: shifted, turned, of other size and ink, on noisy paper. */
export function glyphs(rng) {
  const names = Object.keys(signs);
  const target = [];
  const columns = table(500, () => {
    const name = rng.pick(names);
    target.push(name);
    const turn = normal(rng, 0, 0.2);
    const [sx, sy] = [uniform(rng, 2.1, 3.6), uniform(rng, 2.1, 3.6)];
    const [mx, my] = [3.5 + normal(rng, 0, 0.75), 3.5 + normal(rng, 0, 0.75)];
    const ink = uniform(rng, 6, 15);
    const width = uniform(rng, 0.45, 0.8);
    const bend = () => normal(rng, 0, 0.14);
    const strokes = signs[name].map((ends) =>
      ends.map(([x, y]) => {
        const [u, v] = [x + bend(), y + bend()];
        return [
          mx + sx * (u * Math.cos(turn) - v * Math.sin(turn)),
          my + sy * (u * Math.sin(turn) + v * Math.cos(turn)),
        ];
      }),
    );
    const pixels = {};
    for (let p = 0; p < size * size; p++) {
      const near = Math.min(...strokes.map(([a, b]) => toSegment([p % size, Math.floor(p / size)], a, b)));
      const value = ink * Math.exp(-((near / width) ** 2)) + normal(rng, 1, 1.3);
      pixels[`p${p}`] = Math.max(0, Math.min(16, Math.round(value)));
    }
    return pixels;
  });
  return {
    title: 'Signs of a lost script',
    story: [
      'Rubbings of clay tablets were cut into small grey-scale images, one hand-drawn sign each. Say which of eight signs an image shows.',
      'An image has 8×8 pixels, row by row in the columns `p0` to `p63`; a pixel is a brightness from 0 to 16. The signs are shifted, slanted and faded: the same amount of ink, but other strokes, edges and directions.',
    ],
    columns,
    target,
    targetName: 'sign',
    targetNote: `one of ${names.join(', ')}`,
    trainRows: 250,
  };
}
