import { chance, table } from '../draws.mjs';

const letters = 'acgt';

/** Strings over four letters in which each class hides its own short motifs, with errors. */
export function symbolSequences(rng) {
  const classes = ['enhancer', 'exon', 'intron', 'promoter'];
  const motif = () => Array.from({ length: 5 }, () => rng.pick([...letters])).join('');
  const motifs = Object.fromEntries(classes.map((name) => [name, [motif(), motif(), motif()]]));
  const bias = Object.fromEntries(classes.map((name) => [name, letters + rng.pick([...letters])]));
  const target = [];
  const columns = table(500, () => {
    const name = rng.pick(classes);
    target.push(name);
    const symbols = Array.from({ length: 60 }, () => rng.pick([...bias[name]]));
    for (let copy = 0; copy < 3; copy++) {
      const at = rng.int(55);
      for (const [k, symbol] of [...rng.pick(motifs[name])].entries()) {
        if (!chance(rng, 0.1)) symbols[at + k] = symbol;
      }
    }
    return { text: symbols.join('') };
  });
  return {
    title: 'What does the sequence do?',
    story: [
      'A laboratory has read short sequences of four letters (a, c, g, t) and wants to know what each one does. The column `text` holds one sequence as a string of characters without spaces.',
      'Each kind of sequence tends to contain its own short motifs of a few characters, anywhere in the string and not always spelled right. There are no words, only characters.',
    ],
    columns,
    target,
    targetName: 'kind',
    targetNote: `one of ${classes.join(', ')}`,
    trainRows: 250,
  };
}
