import { short } from '../csv.mjs';
import { chance, effects, normal, poisson, table, uniform, weighted } from '../draws.mjs';

const districts = [
  'old-town',
  'harbour',
  'mill',
  'park',
  'station',
  'hill',
  'garden',
  'river',
  'airport',
  'fort',
];
const conditions = ['poor', 'fair', 'good', 'excellent'];
const heatings = ['gas', 'oil', 'electric', 'district', 'stove'];

/** House prices: multiplicative effects, hence a skewed target; "no garage" is a missing cell. */
export function housePrices(rng) {
  const byDistrict = effects(rng, districts, 0.4);
  const byHeating = effects(rng, heatings, 0.12);
  const best = uniform(rng, 1.5, 3.5);
  const rows = table(500, () => {
    const area = Math.exp(normal(rng, 4.6, 0.42));
    const rooms = Math.max(1, Math.round(area / 28 + normal(rng, 0, 0.7)));
    const built = Math.round(uniform(rng, 1880, 2022));
    const district = districts[weighted(rng, [6, 4, 5, 5, 4, 4, 3, 3, 1, 1])];
    const condition = weighted(rng, [2, 5, 5, 2]);
    const heating = heatings[weighted(rng, [6, 3, 3, 2, 1])];
    const garage = chance(rng, 0.45) ? Math.round(uniform(rng, 12, 45)) : 0;
    const age = (2022 - built) / 100;
    const floor = rng.int(6);
    const log =
      11.2 +
      0.85 * (Math.log(area) - 4.6) +
      byDistrict[district] +
      [-0.4, -0.1, 0.05, 0.35][condition] +
      byHeating[heating] +
      1.6 * (age - 0.7) ** 2 -
      0.05 * (floor - best) ** 2 +
      (garage > 0 ? 0.18 + 0.004 * garage : 0) +
      (condition === 3 && age > 0.8 ? 0.3 : 0) +
      normal(rng, 0, 0.1);
    return {
      area_m2: chance(rng, 0.07) ? '' : short(area, 0),
      rooms,
      built: chance(rng, 0.1) ? '' : built,
      district,
      condition: conditions[condition],
      heating: chance(rng, 0.06) ? '' : heating,
      garage_m2: garage === 0 ? '' : garage,
      floor,
      agent_code: rng.int(30),
      price: Math.round(Math.exp(log) / 100) * 100,
    };
  });
  const { price: target, ...columns } = rows;
  return {
    title: 'What is the house worth?',
    story: [
      'Predict the price of a house from a table of mixed types: numeric columns and text categories (district, condition, heating). Prices are positive and skewed, with a long tail of expensive houses, and errors count by ratio.',
      'An empty cell is a missing value; an empty `garage_m2` mostly means that there is none.',
    ],
    columns,
    target,
    targetName: 'price',
    targetNote: 'positive, skewed',
    trainRows: 250,
  };
}

const engines = ['petrol', 'diesel', 'hybrid', 'electric'];
const makers = ['arden', 'bolt', 'cirrus', 'dacota', 'eos', 'fjord', 'gamma', 'hilo', 'ion'];

/** Prices of used cars: decay with age and mileage, maker effects, skewed. */
export function usedCars(rng) {
  const byMaker = effects(rng, makers, 0.35);
  const decay = effects(rng, engines, 0.04);
  const byEngine = effects(rng, engines, 0.2);
  const rows = table(500, () => {
    const maker = makers[weighted(rng, [6, 6, 5, 5, 4, 3, 2, 1, 1])];
    const engine = engines[weighted(rng, [6, 5, 2, 2])];
    const age = Math.round(uniform(rng, 0, 18));
    const power = Math.exp(normal(rng, 4.6, 0.35));
    const mileage = Math.max(1, age * 14 * Math.exp(normal(rng, 0, 0.4)) + uniform(rng, 0, 10));
    const accident = chance(rng, 0.18);
    const serviced = chance(rng, 0.6);
    const log =
      9.9 +
      byMaker[maker] +
      byEngine[engine] -
      (0.11 + decay[engine]) * age -
      0.0022 * mileage +
      0.7 * (Math.log(power) - 4.6) +
      (accident ? -0.35 : 0) +
      (serviced && age > 8 ? 0.3 : 0) +
      normal(rng, 0, 0.12);
    return {
      maker,
      engine: chance(rng, 0.05) ? '' : engine,
      age_years: age,
      mileage_1000km: chance(rng, 0.12) ? '' : short(mileage, 0),
      power_hp: chance(rng, 0.08) ? '' : short(power, 0),
      accidents: accident ? 'yes' : chance(rng, 0.3) ? '' : 'no',
      last_service: serviced ? short(uniform(rng, 1, 24), 0) : '',
      doors: rng.pick([3, 5]),
      paint_code: rng.int(50),
      price: Math.max(150, Math.round(Math.exp(log) / 10) * 10),
    };
  });
  const { price: target, ...columns } = rows;
  return {
    title: 'Used cars',
    story: [
      'Predict the asking price of used cars from a table with numeric columns and text categories. The target is positive and skewed: most cars are cheap, a few are very expensive.',
      'Sellers leave out what they do not know or do not want to say: an empty cell is a missing value.',
    ],
    columns,
    target,
    targetName: 'price',
    targetNote: 'positive, skewed',
    trainRows: 250,
  };
}

const causes = ['water', 'storm', 'fire', 'theft', 'glass', 'vehicle'];
const materials = ['wood', 'brick', 'concrete', 'stone', 'panel'];

/** Repair costs of insurance claims: interactions of cause and material, heavy tail. */
export function repairCosts(rng) {
  const byCause = effects(rng, causes, 0.8);
  const byMaterial = effects(rng, materials, 0.25);
  const pairs = Object.fromEntries(causes.map((cause) => [cause, effects(rng, materials, 0.45)]));
  const rows = table(500, () => {
    const cause = causes[weighted(rng, [6, 4, 2, 3, 3, 1])];
    const material = materials[weighted(rng, [4, 5, 3, 1, 1])];
    const area = Math.exp(normal(rng, 2, 0.7));
    const days = poisson(rng, 4);
    const assessed = chance(rng, 0.7);
    const severity = weighted(rng, [4, 4, 2]);
    const log =
      7 +
      byCause[cause] +
      byMaterial[material] +
      pairs[cause][material] +
      0.6 * (Math.log(area) - 2) +
      [-0.5, 0, 0.7][severity] +
      (cause === 'water' ? 0.12 * Math.min(days, 8) : 0) +
      (assessed ? 0 : -0.35) +
      normal(rng, 0, 0.2);
    return {
      cause,
      material: chance(rng, 0.06) ? '' : material,
      damaged_m2: chance(rng, 0.1) ? '' : short(area, 1),
      days_until_report: days,
      severity: ['low', 'middle', 'high'][severity],
      assessor_visits: assessed ? 1 + poisson(rng, 0.6) : '',
      building_age: chance(rng, 0.15) ? '' : short(uniform(rng, 0, 120), 0),
      policy_digits: rng.int(100),
      cost: Math.max(20, Math.round(Math.exp(log))),
    };
  });
  const { cost: target, ...columns } = rows;
  return {
    title: 'What will the repair cost?',
    story: [
      'An insurer wants to know what a claim will cost when it comes in. The table has numeric columns and text categories such as cause and material. Costs are positive and strongly skewed, and errors count by ratio.',
      'Forms are rarely complete: an empty cell is a missing value.',
    ],
    columns,
    target,
    targetName: 'cost',
    targetNote: 'positive, skewed',
    trainRows: 250,
  };
}
