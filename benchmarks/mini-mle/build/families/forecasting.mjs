import { short } from '../csv.mjs';
import { chance, effects, normal, table, uniform, weighted } from '../draws.mjs';

const days = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
const weathers = ['sun', 'clouds', 'rain', 'storm', 'heat'];
const events = ['none', 'market', 'holiday', 'sale', 'parade'];

/** Sales of a product each: own level, a week, weather and events that sell; the past is noisy, tomorrow's calendar known. */
export function shopDemand(rng) {
  const byDay = effects(rng, days, 0.3);
  const byWeather = effects(rng, weathers, 0.35);
  const byEvent = { ...effects(rng, events, 0.45), none: 0 };
  const inStorm = uniform(rng, -0.8, -0.3);
  const anyEvent = () => events[weighted(rng, [5, 1, 1, 1, 1])];
  const target = [];
  const columns = table(500, () => {
    const end = rng.int(7);
    const level = Math.exp(normal(rng, 3.7, 0.45));
    const drift = normal(rng, 0, 0.015);
    let mood = 0;
    let [weather, event] = ['', ''];
    const series = Array.from({ length: 22 }, (_, t) => {
      mood = 0.6 * mood + normal(rng, 0, 0.08);
      [weather, event] = [rng.pick(weathers), anyEvent()];
      const today = byDay[days[(end + t + 6) % 7]] + byWeather[weather] + byEvent[event];
      const shut = weather === 'storm' && event !== 'none' ? inStorm : 0;
      return Math.max(0, Math.round(level * Math.exp(drift * t + mood + today + shut + normal(rng, 0, 0.1))));
    });
    target.push(String(series[21]));
    const row = {};
    for (let lag = 1; lag <= 21; lag++) row[`h${lag}`] = series[21 - lag];
    return { ...row, weekday: days[(end + 27) % 7], weather, event };
  });
  return {
    title: 'Tomorrow in the shop',
    story: [
      'How many pieces of a product will a shop sell tomorrow? Each row is another product with its history of past values: the sales of the last 21 days, `h1` (yesterday) to `h21`, and the calendar of the day to forecast (weekday, weather, event).',
      'The series have trends and a pattern over the week, their levels differ from product to product, and weather and events move the sales of a day up and down. Forecast the next value.',
    ],
    columns,
    target,
    targetName: 'sales',
    targetNote: 'pieces sold on the day to forecast',
    trainRows: 250,
  };
}

const dayTypes = ['workday', 'bridge', 'saturday', 'sunday', 'holiday'];
const skies = ['clear', 'cloudy', 'fog', 'snow'];

/** Hourly load of a building each: level, slow changes, kind of day, part of the day, cold; the last day is known. */
export function energyLoad(rng) {
  const parts = ['night', 'morning', 'noon', 'afternoon', 'evening'];
  const byPart = effects(rng, parts, 0.8);
  const byType = Object.fromEntries(dayTypes.map((type) => [type, effects(rng, parts, 0.5)]));
  const bySky = effects(rng, skies, 0.3);
  const heating = uniform(rng, 0.05, 0.08);
  const target = [];
  const columns = table(500, () => {
    const base = uniform(rng, 3, 7);
    const slope = normal(rng, 0, 0.02);
    let state = 0;
    const series = Array.from({ length: 24 }, (_, t) => {
      state = 0.85 * state + normal(rng, 0, 0.2);
      const fault = chance(rng, 0.06) ? uniform(rng, -4, 6) : 0;
      return Math.max(0, base + slope * t + state + fault + normal(rng, 0, 0.5));
    });
    const [part, sky] = [rng.pick(parts), rng.pick(skies)];
    const type = dayTypes[weighted(rng, [5, 1, 2, 2, 1])];
    const temperature = normal(rng, 10, 8);
    const cold = heating * Math.max(0, 15 - temperature);
    const load =
      base + slope * 24 + state + (base / 5) * (byPart[part] + byType[type][part]) + bySky[sky] + cold;
    target.push(short(Math.max(0, load + normal(rng, 0, 0.2)), 3));
    const row = {};
    for (let lag = 1; lag <= 24; lag++) row[`h${lag}`] = short(series[24 - lag], 2);
    return {
      ...row,
      day_type: type,
      part_of_day: part,
      sky,
      temperature: chance(rng, 0.08) ? '' : short(temperature, 1),
    };
  });
  return {
    title: 'The load of tomorrow',
    story: [
      'A grid operator must know what each building will draw in an hour of tomorrow. A row is one building with its history of past values: the load of the last 24 hours, cleaned of the time of day, `h1` (the last hour) to `h24`, and the calendar of the hour to forecast: the kind of day, the part of the day, sky and temperature.',
      'The series are noisy, with levels and trends of their own, and meters now and then count wrong. The calendar moves each load by its season. An empty cell is a missing value. Forecast the value of the series.',
    ],
    columns,
    target,
    targetName: 'load',
    targetNote: 'kilowatts in the hour to forecast',
    trainRows: 250,
  };
}
