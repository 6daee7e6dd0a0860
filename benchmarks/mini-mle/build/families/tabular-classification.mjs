import { short } from '../csv.mjs';
import { chance, effects, logistic, normal, poisson, table, uniform, weighted } from '../draws.mjs';

const purposes = ['car', 'kitchen', 'debts', 'education', 'holiday', 'medical', 'moving', 'wedding', 'boat'];
const regions = [
  'north',
  'coast',
  'valley',
  'capital',
  'lakes',
  'hills',
  'border',
  'east',
  'plains',
  'delta',
];
const housings = ['rent', 'own', 'parents'];

const bump = (x) => Math.exp(-x * x);

/** Loans with mixed types, informative missing values and interactions; one in three fails. */
export function loanDefault(rng) {
  const byPurpose = effects(rng, purposes, 1.1);
  const byRegion = effects(rng, regions, 0.9);
  const byHousing = effects(rng, housings, 0.5);
  const ratioAt = uniform(rng, 0.35, 0.55);
  const oldest = uniform(rng, 40, 48);
  const rows = table(500, () => {
    const income = Math.exp(normal(rng, 10.2, 0.5));
    const amount = Math.exp(normal(rng, 9.2, 0.6));
    const age = Math.round(uniform(rng, 19, 70));
    const purpose = purposes[weighted(rng, [9, 5, 7, 4, 5, 3, 3, 1, 1])];
    const region = rng.pick(regions);
    const housing = housings[weighted(rng, [5, 4, age < 30 ? 4 : 0.5])];
    const employedYears = Math.max(0, Math.min(age - 18, normal(rng, 6, 5)));
    const employedUnknown = chance(rng, 0.25);
    const openLoans = poisson(rng, 1.4);
    const ratio = amount / income;
    const logit =
      -2 +
      byPurpose[purpose] +
      byRegion[region] +
      byHousing[housing] +
      2.6 * logistic((ratio - ratioAt) / 0.08) +
      (employedUnknown ? 1.5 : employedYears < 2 ? 1.2 : -0.4) +
      1.6 * ((age - oldest) / 18) ** 2 -
      1.2 * bump((Math.log(income) - 10.2) / 0.35) +
      (age < 27 && housing !== 'own' ? 0.8 : 0) +
      (openLoans >= 3 ? 1.3 : 0);
    return {
      income: chance(rng, 0.12) ? '' : Math.round(income),
      loan_amount: Math.round(amount),
      age,
      purpose,
      region: chance(rng, 0.05) ? '' : region,
      housing,
      employed_years: employedUnknown ? '' : short(employedYears, 1),
      open_loans: openLoans,
      branch: rng.int(40),
      call_minutes: short(Math.abs(normal(rng, 12, 6)), 1),
      default: chance(rng, logistic(1.3 * logit)) ? 1 : 0,
    };
  });
  const { default: target, ...columns } = rows;
  return {
    title: 'Which loans fail?',
    story: [
      'A bank wants to know, before it signs, how likely a loan is to fail. The table has mixed types: numeric columns and text categories (purpose, region, housing), some of them rare.',
      'Many applicants left fields empty. An empty cell is a missing value, and that it is missing may say something by itself.',
    ],
    columns,
    target,
    targetName: 'default',
    targetNote: '1 = the loan failed, 0 = it was paid back; submit the probability of 1',
    trainRows: 250,
  };
}
