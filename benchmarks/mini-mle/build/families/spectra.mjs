import { short } from '../csv.mjs';
import { normal, uniform } from '../draws.mjs';

const length = 48;

/** Absorption spectra of mixtures under scatter and drift: how sweet is the juice? */
export function spectra(rng) {
  const substances = Array.from({ length: 4 }, () =>
    Array.from({ length: 2 }, () => [uniform(rng, 4, 44), uniform(rng, 4, 9), uniform(rng, 0.4, 1)]),
  );
  const pure = substances.map((peaks) =>
    Array.from({ length }, (_, x) =>
      peaks.reduce((s, [at, w, h]) => s + h * Math.exp(-(((x - at) / w) ** 2)), 0),
    ),
  );
  const target = [];
  const spectraRows = Array.from({ length: 480 }, () => {
    const amounts = pure.map(() => uniform(rng, 0, 1));
    target.push(short((100 * amounts[0]) / (amounts[0] + 2 * amounts[1] + 0.2), 2));
    const scatter = Math.exp(normal(rng, 0, 0.05));
    const [offset, tilt] = [normal(rng, 0, 0.05), normal(rng, 0, 0.06)];
    const shift = normal(rng, 0, 0.2);
    return Array.from({ length }, (_, x) => {
      const at = Math.min(length - 1, Math.max(0, x + shift));
      const low = Math.floor(at);
      const mixed = pure.reduce((sum, spectrum, s) => {
        const value = spectrum[low] + (at - low) * ((spectrum[low + 1] ?? spectrum[low]) - spectrum[low]);
        return sum + amounts[s] * value;
      }, 0);
      const absorbed = scatter * (mixed / (1 + 0.8 * mixed));
      return absorbed + offset + (tilt * x) / length + normal(rng, 0, 0.01);
    });
  });
  const names = Array.from({ length }, (_, x) => `w${x}`);
  return {
    title: 'Sweetness by light',
    story: [
      'A spectrometer shines light through fruit juice and measures what is absorbed at 48 wavelengths, `w0` to `w47`. Predict how sweet the juice tastes: the concentration of sugar in relation to that of acid.',
      'A spectrum is a smooth curve of overlapping peaks of several substances, and every measurement is scaled by scattered light, on a drifting base line. The relation is smooth, but curved: twice the sugar is not twice the sweetness.',
    ],
    columns: Object.fromEntries(names.map((name, x) => [name, spectraRows.map((row) => short(row[x], 4))])),
    target,
    targetName: 'sweetness',
    targetNote: '0 to 100',
    trainRows: 230,
  };
}
