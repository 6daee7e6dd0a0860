import { counts } from './families/counts.mjs';
import { photoNoise, scanNoise } from './families/denoising.mjs';
import { eventDetection } from './families/event-detection.mjs';
import { energyLoad, shopDemand } from './families/forecasting.mjs';
import { glyphs } from './families/images.mjs';
import { ratings } from './families/ratings.mjs';
import { breastCancer, digits, wine } from './families/real.mjs';
import { birdCalls, heartRhythm, machineSounds } from './families/signals.mjs';
import { spectra } from './families/spectra.mjs';
import { symbolSequences } from './families/symbol-sequences.mjs';
import { loanDefault } from './families/tabular-classification.mjs';
import { housePrices, repairCosts, usedCars } from './families/tabular-regression.mjs';
import { helpTickets, textMessages } from './families/text-classification.mjs';
import { productCodes, spokenForms } from './families/text-normalisation.mjs';

const task = (id, role, distance, family, metric, generate) => ({
  id,
  role,
  distance,
  family,
  metric,
  generate,
});

/** The seed of the suite that ships. Nothing was tuned on it; sister suites (`--seed`) are for that. */
export const SHIPPED_SEED = 20_260;

/** What an agent may spend on a task. */
export const LIMITS = { turns: 18, jobs: 16, jobSeconds: 20, memoryMb: 512 };

/** Every competition: its role, what kind of problem it is, how it is scored, and what makes its rows. */
export const TASKS = [
  task('loan-default', 'search', null, 'tabular-classification', 'roc-auc', loanDefault),
  task('house-prices', 'search', null, 'tabular-regression', 'rmsle', housePrices),
  task('handwritten-digits', 'search', null, 'images', 'accuracy', digits),
  task('night-photos', 'search', null, 'denoising', 'rmse', photoNoise),
  task('text-messages', 'search', null, 'text-classification', 'macro-f1', textMessages),
  task('spoken-forms', 'search', null, 'text-normalisation', 'accuracy', spokenForms),
  task('shop-demand', 'search', null, 'forecasting', 'mae', shopDemand),
  task('bearing-sounds', 'search', null, 'signals', 'log-loss', machineSounds),

  task('wine-cultivars', 'validation', null, 'tabular-classification', 'log-loss', wine),
  task('used-cars', 'validation', null, 'tabular-regression', 'mae', usedCars),
  task('help-tickets', 'validation', null, 'text-classification', 'accuracy', helpTickets),
  task('bird-calls', 'validation', null, 'signals', 'accuracy', birdCalls),

  task('breast-tumours', 'sealed', 'near', 'tabular-classification', 'log-loss', breastCancer),
  task('repair-costs', 'sealed', 'near', 'tabular-regression', 'rmsle', repairCosts),
  task('lost-script', 'sealed', 'near', 'images', 'macro-f1', glyphs),
  task('scanned-letters', 'sealed', 'near', 'denoising', 'mae', scanNoise),
  task('product-codes', 'sealed', 'near', 'text-normalisation', 'accuracy', productCodes),
  task('building-load', 'sealed', 'near', 'forecasting', 'rmse', energyLoad),
  task('heart-rhythm', 'sealed', 'near', 'signals', 'roc-auc', heartRhythm),
  task('machine-failures', 'sealed', 'far', 'event-detection', 'roc-auc', eventDetection),
  task('hotel-stars', 'sealed', 'far', 'ordinal-rating', 'quadratic-kappa', ratings),
  task('juice-spectra', 'sealed', 'far', 'spectra', 'rmse', spectra),
  task('gene-pieces', 'sealed', 'far', 'symbol-sequences', 'macro-f1', symbolSequences),
  task('bicycle-hires', 'sealed', 'far', 'counts', 'rmsle', counts),
];
