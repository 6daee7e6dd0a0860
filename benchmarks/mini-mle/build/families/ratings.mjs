import { short } from '../csv.mjs';
import { chance, effects, normal, poisson, table, uniform, weighted } from '../draws.mjs';

const kinds = ['inn', 'hostel', 'resort', 'flat', 'farm', 'tent', 'boat'];
const cities = ['arle', 'borg', 'cato', 'dune', 'elba', 'fano', 'gera', 'hove'];

/** Ordinal ratings 1 to 5 of places to stay, from a latent quality with thresholds. */
export function ratings(rng) {
  const byKind = effects(rng, kinds, 0.6);
  const byCity = effects(rng, cities, 0.5);
  const fair = effects(rng, kinds, 0.35);
  const busy = uniform(rng, 7, 11);
  const records = Array.from({ length: 500 }, () => {
    const kind = kinds[weighted(rng, [6, 5, 4, 6, 2, 1, 1])];
    const city = rng.pick(cities);
    const price = Math.exp(4.3 + fair[kind] + normal(rng, 0, 0.45));
    const distance = Math.abs(normal(rng, 0, 4));
    const breakfast = weighted(rng, [4, 4, 2]);
    const complaints = poisson(rng, 1.2);
    const unknownClean = chance(rng, 0.22);
    const clean = uniform(rng, 1, 10);
    const rooms = 1 + poisson(rng, 8);
    const quality =
      byKind[kind] +
      byCity[city] +
      0.9 * Math.sin((clean - 5.5) / 2.2) -
      0.012 * (rooms - busy) ** 2 -
      1.1 * Math.max(0, Math.log(price) - 4.3 - fair[kind]) -
      0.16 * Math.min(distance, 5) +
      (breakfast === 1 ? 0.5 : 0) -
      (complaints >= 2 ? 0.7 : 0) +
      (kind === 'farm' || kind === 'tent' ? 0.2 * Math.min(distance, 6) : 0) +
      normal(rng, 0, 0.45);
    const row = {
      kind,
      city,
      price: short(price, 0),
      distance_km: chance(rng, 0.1) ? '' : short(distance, 1),
      breakfast: ['none', 'simple', ''][breakfast],
      complaints,
      cleanliness: unknownClean ? '' : short(clean, 1),
      rooms,
      photo_count: poisson(rng, 11),
    };
    return { row, quality };
  });
  const sorted = records.map((r) => r.quality).sort((a, b) => a - b);
  const cuts = [0.1, 0.27, 0.55, 0.82].map((share) => sorted[Math.floor(share * sorted.length)]);
  return {
    title: 'How many stars?',
    story: [
      'Guests rate places to stay with one to five stars, and the order of the stars matters: to say 2 where it was 5 costs more than to say 4. Predict the rating from a table of mixed types, numeric columns and text categories.',
      'Owners leave fields empty: an empty cell is a missing value.',
    ],
    columns: table(records.length, (i) => records[i].row),
    target: records.map((r) => String(1 + cuts.filter((cut) => r.quality >= cut).length)),
    targetName: 'stars',
    targetNote: '1 to 5, an ordered rating',
    trainRows: 250,
  };
}
