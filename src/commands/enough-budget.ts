import type { Stop } from '../event.ts';
import type { Report } from '../report/model.ts';
import type { Forecast } from './forecast.ts';

/** Budgets are never passed, so what a call may cost is put aside; and trials differ. */
export const MARGIN = 1.25;

/**
 * The flag that pays for so many more trials of a run that stopped at a limit, with a space before it: by what its trials until
 * now have cost, or by the forecast of all where none was tried or paid. Empty for a time limit, which holds for one call only.
 *
 * @param tried - trials of the run that a budget counts
 * @param foreseen - what all calls of the run may take
 */
export function budgetFor(
  stop: Stop,
  { cost, tried }: { cost: Report['cost']; tried: number },
  trials: number,
  foreseen: Forecast,
): string {
  if (stop === 'budget-trials') return ` --budget-trials ${tried + trials}`;
  if (stop !== 'budget-usd' && stop !== 'budget-tokens') return '';
  const used = stop === 'budget-usd' ? cost.usd : cost.tokensIn + cost.tokensOut;
  const all = (stop === 'budget-usd' ? foreseen.usd : foreseen.tokensIn + foreseen.tokensOut) ?? 0;
  const more = tried === 0 ? all : (used * trials) / tried;
  return ` --${stop} ${more === 0 ? 'MORE' : roundedUp(used + MARGIN * more)}`;
}

/** To two digits, and to cents at least: `0.34`, `12`, `1300000`. */
export function roundedUp(value: number): string {
  const unit = Math.max(0.01, 10 ** (Math.floor(Math.log10(value)) - 1));
  return String(Number((Math.ceil(value / unit) * unit).toPrecision(12)));
}
