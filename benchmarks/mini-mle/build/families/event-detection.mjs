import { short } from '../csv.mjs';
import { chance, effects, logistic, normal, table, uniform, weighted } from '../draws.mjs';

const sites = ['pump-a', 'pump-b', 'pump-c', 'valve-1', 'valve-2', 'mixer', 'oven'];
const shifts = ['early', 'late', 'night'];

/** Rare machine failures (about one reading in six) in sensor readings with gaps. */
export function eventDetection(rng) {
  const bySite = effects(rng, sites, 1);
  const tempAt = effects(rng, sites, 6);
  const sign = chance(rng, 0.5) ? 1 : -1;
  const rows = table(530, () => {
    const site = sites[weighted(rng, [5, 5, 4, 4, 3, 3, 2])];
    const shift = rng.pick(shifts);
    const temperature = 60 + tempAt[site] + normal(rng, 0, 5);
    const pressure = 4 + normal(rng, 0, 0.8);
    const vibration = Math.exp(normal(rng, 0, 0.6));
    const oil = uniform(rng, 0, 100);
    const sensorLost = chance(rng, 0.15);
    const hot = (temperature - 60 - tempAt[site]) / 5;
    const logit =
      -4.5 +
      bySite[site] +
      1.6 * Math.abs(hot + sign * 0.8 * (pressure - 4)) +
      (vibration > 1.6 ? 2.2 : 0) +
      (oil < 20 && shift === 'night' ? 2.5 : 0) +
      (sensorLost ? 1.6 : 0);
    return {
      site,
      shift,
      temperature: short(temperature, 1),
      pressure: chance(rng, 0.1) ? '' : short(pressure, 2),
      vibration: sensorLost ? '' : short(vibration, 3),
      oil_level: chance(rng, 0.08) ? '' : short(oil, 0),
      humidity: short(uniform(rng, 20, 90), 0),
      operator: `op${rng.int(12)}`,
      voltage: short(normal(rng, 230, 2), 1),
      failure: chance(rng, logistic(2.5 * logit)) ? 1 : 0,
    };
  });
  const { failure: target, ...columns } = rows;
  return {
    title: 'Catch the failures before they happen',
    story: [
      'Each row is one reading of the sensors of a machine in a plant, in a table of numeric columns and text categories. In the hour after it, the machine failed or did not. Failures are rare events: most rows are quiet. Rank the readings by the probability of a failure.',
      'Sensors drop out: an empty cell is a missing value, and sensors drop out more often in machines that are about to fail.',
    ],
    columns,
    target,
    targetName: 'failure',
    targetNote: '1 = the machine failed in the next hour, 0 = it did not; submit the probability of 1',
    trainRows: 280,
  };
}
