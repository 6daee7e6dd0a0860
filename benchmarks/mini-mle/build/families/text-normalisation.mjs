import { chance, weighted } from '../draws.mjs';

const list = (text) => text.split(' ');
const ones = list(
  'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen',
);
const tens = ['', '', ...list('twenty thirty forty fifty sixty seventy eighty ninety')];
const ordinals = list(
  'zeroth first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth',
);
const units = { km: 'kilometers', kg: 'kilograms', cm: 'centimeters', g: 'grams', m: 'meters' };

const spellDigits = (text) => [...text].map((digit) => ones[Number(digit)]).join(' ');
const spellLetters = (text) => [...text.toLowerCase()].join(' ');
const strip = (text) => text.replace(/^\W+|\W+$/g, '');

function cardinal(n) {
  if (n < 20) return ones[n];
  return n % 10 === 0 ? tens[n / 10] : `${tens[Math.floor(n / 10)]} ${ones[n % 10]}`;
}

function ordinal(n) {
  if (n < 20) return ordinals[n];
  return n % 10 === 0
    ? tens[n / 10].replace(/y$/, 'ieth')
    : `${tens[Math.floor(n / 10)]} ${ordinals[n % 10]}`;
}

function year(n) {
  const rest = n % 100;
  return `${cardinal(Math.floor(n / 100))} ${rest < 10 ? `o ${ones[rest]}` : cardinal(rest)}`;
}

/** A pronounceable invented word. */
function word(rng, syllables = 1 + rng.int(3)) {
  const syllable = () =>
    rng.pick([...'bcdfghlmnprstv']) +
    rng.pick([...'aeiou']) +
    (chance(rng, 0.4) ? rng.pick([...'nrslt']) : '');
  return Array.from({ length: syllables }, syllable).join('');
}

const capital = (text) => text[0].toUpperCase() + text.slice(1);
const consonants = (rng, n) => Array.from({ length: n }, () => rng.pick([...'BCDFGHJKLMNPRSTVWX'])).join('');
const between = (rng, low, high) => low + rng.int(high - low + 1);
const vowels = (text) => (text.match(/[aeiou]/gi) ?? []).length;

/** Written tokens and how one says them. Where two rules could apply, numbers and letters of the token decide. */
export function spokenForms(rng) {
  const years = between(rng, 1350, 1600);
  const longWord = between(rng, 6, 7);
  const kinds = [
    // Plain words stay.
    [4, () => word(rng), (t) => t],
    // Capitalised ones too if they are long, names; short ones stood at the start of a sentence.
    [3, () => capital(word(rng)), (t) => (t.length >= longWord ? t : t.toLowerCase())],
    // Words in capitals are spelled unless one can pronounce them.
    [
      3,
      () => (chance(rng, 0.5) ? consonants(rng, between(rng, 2, 4)) : word(rng).slice(0, 5).toUpperCase()),
      (t) => (vowels(t) >= 2 ? t.toLowerCase() : spellLetters(t)),
    ],
    // Numbers of four digits are years if they can be.
    [
      4,
      () => String(between(rng, 1000, 1999)),
      (t) => (Number(t) >= years ? year(Number(t)) : spellDigits(t)),
    ],
    [2, () => String(between(rng, 1, 99)), (t) => cardinal(Number(t))],
    [
      2,
      () => String(between(rng, 200, 99999)),
      (t) => (/^1\d{3}$/.test(t) ? year(Number(t)) : spellDigits(t)),
    ],
    [2, () => ordinalToken(between(rng, 1, 31)), (t) => ordinal(Number.parseInt(t, 10))],
    [
      2,
      () => between(rng, 1, 200) + rng.pick(Object.keys(units)),
      (t) => t.replace(/[a-z]+/, (u) => ` ${units[u]}`),
    ],
    // Brackets and stops are silent; an apostrophe belongs to the word.
    [3, () => decorated(rng, word(rng), [',', '.', '!', ';', "'"]), (t) => (t.endsWith("'") ? t : strip(t))],
    // Short parts are run together, long ones are not.
    [
      3,
      () => `${word(rng, between(rng, 1, 2))}-${word(rng, between(rng, 1, 2))}`,
      (t) => t.replace('-', t.length >= 8 ? ' ' : ''),
    ],
  ];
  return {
    title: 'Say it aloud',
    story: [
      'A speech system reads text aloud, and before that every written token must be rewritten as it is spoken. Text normalisation: `1984` becomes "nineteen eighty four", `3rd` becomes "third", a plain word stays as it is.',
      'Which rewriting rule applies to a token shows in its shape: letters, capitals, digits, punctuation, length. The column `token` holds one written token. A prediction counts only if the whole rewritten token is right.',
    ],
    ...tokens(rng, kinds, 540),
    targetName: 'spoken',
    targetNote: 'the token as it is spoken',
    trainRows: 290,
  };
}

/** Product codes typed by many hands, and their one canonical form. */
export function productCodes(rng) {
  const letters = () => consonants(rng, between(rng, 1, 4));
  const number = () => String(between(rng, 10, 99999)).slice(0, between(rng, 2, 5));
  const longCode = between(rng, 5, 6);
  const leading = String(between(rng, 3, 6));
  const kinds = [
    [3, () => letters() + number(), (t) => t],
    // Short lower-case codes are old ones that stay; long ones were typed in a hurry.
    [4, () => (letters() + number()).toLowerCase(), (t) => (t.length >= longCode ? t.toUpperCase() : t)],
    // A hyphen is part of codes that start with one letter.
    [4, () => `${letters()}-${number()}`, (t) => (t[1] === '-' ? t : t.replace('-', ''))],
    // Zeros pad long codes only.
    [
      4,
      () => `${letters()}${'0'.repeat(between(rng, 1, 3))}${number()}`,
      (t) => (t.length >= longCode + 2 ? t.replace(/(\D)0+/, '$1') : t),
    ],
    [
      3,
      () => decorated(rng, letters() + number(), [',', '.', '#', ';', '*']),
      (t) => (t.endsWith('*') ? t : strip(t)),
    ],
    // Digits first: the parts were swapped, except in the series with a low number.
    [4, () => number() + letters(), (t) => (t[0] < leading ? t : t.replace(/^(\d+)(\D+)$/, '$2$1'))],
  ];
  return {
    title: 'One code for every product',
    story: [
      'A warehouse has product codes typed by many hands. Every token must be rewritten to its canonical form, a text normalisation: `abc12` becomes `ABC12`, `AB-12` becomes `AB12`, and what is right stays as it is.',
      'Which rewriting rule applies to a token shows in its shape: capitals, hyphens, zeros, punctuation, length, order of letters and digits. The column `token` holds one typed code. A prediction counts only if the whole code is right.',
    ],
    ...tokens(rng, kinds, 540),
    targetName: 'code',
    targetNote: 'the canonical code',
    trainRows: 290,
  };
}

/** `n` tokens; three in ten are one of a dozen that everyone writes, and a few targets break every rule. */
function tokens(rng, kinds, n) {
  const weights = kinds.map(([weight]) => weight);
  const fresh = () => {
    const [, make, rewrite] = kinds[weighted(rng, weights)];
    const token = make();
    return [token, chance(rng, 0.04) ? token.toLowerCase() : rewrite(token)];
  };
  const common = Array.from({ length: 12 }, fresh);
  const pairs = Array.from({ length: n }, () => (chance(rng, 0.3) ? rng.pick(common) : fresh()));
  return { columns: { token: pairs.map(([token]) => token) }, target: pairs.map(([, spoken]) => spoken) };
}

function ordinalToken(n) {
  return n + (n > 10 && n < 14 ? 'th' : (['th', 'st', 'nd', 'rd'][n % 10] ?? 'th'));
}

function decorated(rng, text, marks) {
  return chance(rng, 0.2) ? `(${text})` : text + rng.pick(marks);
}
