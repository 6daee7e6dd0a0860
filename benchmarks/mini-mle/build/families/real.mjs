import { readFileSync } from 'node:fs';
import { parseColumns } from '../csv.mjs';
import { chance } from '../draws.mjs';

/**
 * The rows of a UCI table in an order of this seed, so that another seed is another split.
 * @returns {{ columns: Record<string, string[]>, target: string[] }}
 */
function shuffled(rng, name, targetColumn) {
  const columns = parseColumns(readFileSync(new URL(`../../data/uci/${name}.csv`, import.meta.url), 'utf8'));
  const order = rng.shuffle(columns[targetColumn].map((_, i) => i));
  const picked = Object.fromEntries(
    Object.entries(columns).map(([key, cells]) => [key, order.map((i) => cells[i])]),
  );
  const { [targetColumn]: target, ...features } = picked;
  return { columns: features, target };
}

/** Empties each cell with probability `share`: measurements that were lost. */
function loseCells(rng, columns, share) {
  return Object.fromEntries(
    Object.entries(columns).map(([name, cells]) => [name, cells.map((c) => (chance(rng, share) ? '' : c))]),
  );
}

/** UCI Optical Recognition of Handwritten Digits: 8×8 images, ten classes. */
export function digits(rng) {
  const { columns, target } = shuffled(rng, 'digits', 'digit');
  const keep = (cells) => cells.slice(0, 490);
  return {
    title: 'Read the handwritten digits',
    story: [
      'Scanned forms were cut into small grey-scale images, one handwritten digit each. Say which digit it is.',
      'An image has 8×8 pixels, row by row in the columns `p0` to `p63`; a pixel is a brightness from 0 to 16. People write the same digit with other strokes, edges and slants, so what matters is the shape, not one pixel.',
    ],
    columns: Object.fromEntries(Object.entries(columns).map(([name, cells]) => [name, keep(cells)])),
    target: keep(target),
    targetName: 'digit',
    targetNote: 'the digit, 0 to 9',
    trainRows: 240,
    credit: 'Optical Recognition of Handwritten Digits (Alpaydin, Kaynak 1998), UCI, CC BY 4.0',
  };
}

/** UCI Wine with lost cells: the probability of the cultivar that lies between the two others. */
export function wine(rng) {
  const { columns, target } = shuffled(rng, 'wine', 'cultivar');
  return {
    title: 'Which grape is in the bottle?',
    story: [
      'A laboratory measured thirteen chemical properties of wines of one region, made of three cultivars. Give, from this table of numeric measurements, the probability that a wine was made of the second one.',
      'Some measurements got lost: an empty cell is a missing value.',
    ],
    columns: loseCells(rng, columns, 0.15),
    target: target.map((cultivar) => (cultivar === '1' ? '1' : '0')),
    targetName: 'second_cultivar',
    targetNote: '1 = the second cultivar, 0 = another; submit the probability of 1',
    trainRows: 90,
    credit: 'Wine (Aeberhard, Forina 1991), UCI, CC BY 4.0; three cells in twenty emptied',
  };
}

/** UCI Breast Cancer Wisconsin (Diagnostic) with lost cells: the probability that a tumour is benign. */
export function breastCancer(rng) {
  const { columns, target } = shuffled(rng, 'breast-cancer', 'benign');
  return {
    title: 'Benign or malignant?',
    story: [
      'Cell nuclei of breast tumours were measured in images from a microscope: mean, standard error and worst value of ten numeric properties. Give for each tumour the probability that it is benign.',
      'Not every measurement was written down: an empty cell is a missing value.',
    ],
    columns: loseCells(rng, columns, 0.2),
    target,
    targetName: 'benign',
    targetNote: '1 = benign, 0 = malignant; submit the probability of 1',
    trainRows: 240,
    credit:
      'Breast Cancer Wisconsin (Diagnostic) (Wolberg, Mangasarian, Street, Street 1995), UCI, CC BY 4.0; a fifth of the cells emptied',
  };
}
