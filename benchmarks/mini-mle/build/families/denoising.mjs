import { short } from '../csv.mjs';
import { chance, normal, table, uniform } from '../draws.mjs';

/** A 5×5 patch of the scene `value(x, y)` (x, y in −2 … 2), each cell through `spoil`; row by row `n0` to `n24`. */
function patch(value, spoil) {
  const cells = {};
  for (let y = -2; y <= 2; y++) {
    for (let x = -2; x <= 2; x++) cells[`n${(y + 2) * 5 + x + 2}`] = short(spoil(value(x, y)), 3);
  }
  return cells;
}

/** Photographs: smooth shading with one hard edge, under normal noise and dead or hot pixels. */
export function photoNoise(rng) {
  const impulse = uniform(rng, 0.18, 0.24);
  const target = [];
  const columns = table(520, () => {
    const [level, gx, gy] = [uniform(rng, 0.2, 0.8), normal(rng, 0, 0.03), normal(rng, 0, 0.03)];
    const angle = uniform(rng, 0, 2 * Math.PI);
    const offset = uniform(rng, -2.5, 2.5);
    const step = chance(rng, 0.75) ? uniform(rng, -0.7, 0.7) : 0;
    const scene = (x, y) =>
      level + gx * x + gy * y + (Math.cos(angle) * x + Math.sin(angle) * y > offset ? step : 0);
    const clip = (v) => Math.min(1, Math.max(0, v));
    target.push(short(clip(scene(0, 0)), 3));
    return patch(
      (x, y) => clip(scene(x, y)),
      (v) => (chance(rng, impulse) ? (chance(rng, 0.5) ? 1 : 0) : clip(v + normal(rng, 0, 0.09))),
    );
  });
  return {
    title: 'Clean up the night photographs',
    story: [
      'Photographs taken in the dark are noisy: grain everywhere, and some pixels stuck at black or white. Restore the clean brightness of one pixel from its noisy neighbourhood.',
      'A row is the 5×5 neighbourhood of noisy pixels, row by row in the columns `n0` to `n24`; `n12` is the noisy centre. Neighbours mostly agree with the centre, but edges run through some windows.',
    ],
    columns,
    target,
    targetName: 'clean',
    targetNote: 'the clean brightness of the centre, 0 to 1',
    trainRows: 270,
  };
}

/** Scanned print: dark strokes on uneven paper, under multiplicative speckle and stains. */
export function scanNoise(rng) {
  const speckle = uniform(rng, 0.18, 0.25);
  const target = [];
  const columns = table(520, () => {
    const paper = uniform(rng, 150, 245);
    const ink = uniform(rng, 10, 90);
    const angle = uniform(rng, 0, Math.PI);
    const [centre, half] = [uniform(rng, -3, 3), uniform(rng, 0.5, 1.4)];
    const scene = (x, y) =>
      Math.abs(Math.cos(angle) * x + Math.sin(angle) * y - centre) < half ? ink : paper;
    target.push(short(scene(0, 0), 0));
    return patch(scene, (v) => {
      const grain = v * (1 + normal(rng, 0, speckle)) + normal(rng, 0, 14);
      return Math.round(Math.min(255, Math.max(0, chance(rng, 0.09) ? uniform(rng, 0, 255) : grain)));
    });
  });
  return {
    title: 'Restore the scanned letters',
    story: [
      'Old letters were scanned, and the scans are full of speckle noise and stains. Restore the clean grey value of one point of the page from its noisy neighbourhood.',
      'A row is the 5×5 neighbourhood of noisy pixels, row by row in the columns `n0` to `n24`; `n12` is the noisy centre. A point lies on paper or on ink, and the windows often hold some of both.',
    ],
    columns,
    target,
    targetName: 'clean',
    targetNote: 'the clean grey value of the centre, 0 to 255',
    trainRows: 270,
  };
}
