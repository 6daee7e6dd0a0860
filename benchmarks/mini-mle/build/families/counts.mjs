import { short } from '../csv.mjs';
import { chance, effects, normal, poisson, table, uniform } from '../draws.mjs';

const weathers = ['clear', 'clouds', 'rain', 'snow', 'fog'];
const stations = ['market', 'campus', 'beach', 'museum', 'depot', 'stadium', 'zoo'];

/** Hires of bicycles in an hour: counts with a curve over the day that depends on the kind of day. */
export function counts(rng) {
  const byWeather = { clear: 0.2, clouds: 0, rain: -0.9, snow: -1.4, fog: -0.4 };
  const byStation = effects(rng, stations, 0.5);
  const weekendStation = effects(rng, stations, 0.6);
  const peak = uniform(rng, 7, 9);
  const rows = table(520, () => {
    const hour = rng.int(24);
    const day = rng.pick(['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']);
    const weekend = day === 'sat' || day === 'sun';
    const weather = rng.pick(weathers);
    const station = rng.pick(stations);
    const temperature = normal(rng, 14, 9);
    const bump = (centre, width) => Math.exp(-(((hour - centre) / width) ** 2));
    const log =
      1.7 +
      byStation[station] +
      (weekend ? weekendStation[station] : 0) +
      (weekend ? 2 * bump(14, 5) : 2.2 * bump(peak, 2) + 2.4 * bump(peak + 9.5, 2.5)) +
      byWeather[weather] -
      0.003 * (temperature - 22) ** 2 +
      normal(rng, 0, 0.15);
    return {
      hour,
      day,
      weather: chance(rng, 0.06) ? '' : weather,
      station,
      temperature: chance(rng, 0.1) ? '' : short(temperature, 1),
      wind: short(Math.abs(normal(rng, 0, 15)), 0),
      bulletin: rng.int(60),
      hires: poisson(rng, Math.exp(log)),
    };
  });
  const { hires: target, ...columns } = rows;
  return {
    title: 'Bicycles for hire',
    story: [
      'How many bicycles are hired at a station within an hour? The target is a count: never negative, often small, skewed, sometimes large, and errors count by ratio. The table has numeric columns and text categories (day, weather, station).',
      'An empty cell is a missing value.',
    ],
    columns,
    target,
    targetName: 'hires',
    targetNote: 'a count, skewed, zero or more',
    trainRows: 270,
  };
}
