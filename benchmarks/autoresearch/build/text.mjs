/**
 * Texts to learn a language from: an invented lexicon, and paragraphs in which what was said before (names, places,
 * lists, a topic's own words) says what comes next, over more bytes than an n-gram sees.
 */

/** Every byte that occurs: what a submission has columns for. */
export const ALPHABET = [...'\n ",.:abcdefghijklmnopqrstuvwxyz'];

/**
 * A text of exactly `bytes` bytes.
 * @param rng draws of this text alone
 * @param {'tales' | 'ledgers' | 'talks' | 'recipes'} kind how its paragraphs are built
 * @param {number} words how many nouns its language has; the other classes of words follow from it
 */
export function makeText(rng, kind, words, bytes) {
  const lexicon = makeLexicon(rng, words);
  const paragraphs = [];
  for (let length = 0; length < bytes; length += paragraphs.at(-1).length)
    paragraphs.push(`${KINDS[kind](rng, lexicon)}\n\n`);
  return paragraphs.join('').slice(0, bytes);
}

const KINDS = { tales, ledgers, talks, recipes };
const NUMBERS = 'one two three four five six seven eight nine ten'.split(' ');

/** Two or three people at a place, by name throughout; the end takes up the beginning. */
function tales(rng, lexicon) {
  const { names, places, topic } = scene(rng, lexicon);
  const [place, away] = places;
  const thing = topic.noun();
  const lines = [`${names[0]} of ${place} had a ${topic.adjective()} ${thing}.`];
  for (let n = 3 + rng.int(5); n > 0; n--) {
    const [one, other] = rng.shuffle(names);
    lines.push(
      rng.pick([
        () => `${one} ${topic.verb()}ed the ${topic.noun()} and ${other} ${topic.verb()}ed it too.`,
        () => `at ${away} ${one} met ${other}, who ${topic.verb()}ed a ${topic.adjective()} ${topic.noun()}.`,
        () => `the ${thing} of ${names[0]} was ${topic.adjective()}, so ${other} ${topic.verb()}ed.`,
        () => `"${topic.noun()}s ${topic.verb()} ${topic.noun()}s," said ${one}.`,
      ])(),
    );
  }
  lines.push(`so ${names.join(' and ')} went back to ${place} with the ${thing}.`);
  return lines.join(' ');
}

/** Who brought what, counted twice: the second list repeats the first, in its order or the other way round. */
function ledgers(rng, lexicon) {
  const { names, places, topic } = scene(rng, lexicon);
  const entries = Array.from({ length: 3 + rng.int(4) }, () => ({
    name: rng.pick(names),
    what: `${rng.pick(NUMBERS)} ${topic.adjective()} ${topic.noun()}s`,
  }));
  const back = rng.next() < 0.3;
  const counted = back ? [...entries].reverse() : entries;
  return [
    `brought to ${places[0]} by ${names.join(', ')}:`,
    ...entries.map(({ name, what }) => `${name}: ${what}`),
    `counted at ${places[1]}${back ? ' from the last' : ''}:`,
    ...counted.map(({ name, what }) => `${what}, of ${name}`),
    `${NUMBERS[entries.length - 1]} lines for ${places[0]}.`,
  ].join('\n');
}

/** Two speakers in turn; an answer takes up the words of the question. */
function talks(rng, lexicon) {
  const { names, places, topic } = scene(rng, lexicon);
  const [asking, answering] = names;
  const lines = [];
  for (let n = 2 + rng.int(3); n > 0; n--) {
    const [noun, verb, adjective] = [topic.noun(), topic.verb(), topic.adjective()];
    lines.push(
      `${asking}: "who ${verb}s the ${adjective} ${noun} at ${places[0]}"`,
      rng.next() < 0.7
        ? `${answering}: "i ${verb} the ${adjective} ${noun} at ${places[0]}, ${asking}"`
        : `${answering}: "no ${noun} is ${adjective}, ${asking}, not at ${places[0]}"`,
    );
  }
  return lines.join('\n');
}

/** Steps that name what earlier ones made, nested: what is opened is closed again in the opposite order. */
function recipes(rng, lexicon) {
  const { topic, places } = scene(rng, lexicon);
  const lines = [`to ${topic.verb()} like ${places[0]}:`];
  const open = [];
  for (let n = 5 + rng.int(5); n > 0; n--) {
    if (open.length < 3 && rng.next() < 0.45) {
      open.push(`${topic.adjective()} ${topic.noun()}`);
      lines.push(`begin the ${open.at(-1)},`);
    } else if (open.length > 0 && rng.next() < 0.4) lines.push(`end the ${open.pop()}.`);
    else
      lines.push(
        `${topic.verb()} ${rng.pick(NUMBERS)} ${topic.noun()}s${open.length > 0 ? ` into the ${open.at(-1)}` : ''},`,
      );
  }
  while (open.length > 0) lines.push(`end the ${open.pop()}.`);
  return lines.join('\n');
}

/** Who and where a paragraph is about, and the words of its topic: frequent ones, mostly of its own. */
function scene(rng, { names, places, topics }) {
  const words = rng.pick(topics);
  const drawn = (list) => list[Math.floor(list.length * rng.next() ** 2)];
  return {
    names: rng.shuffle(names).slice(0, 2 + rng.int(2)),
    places: rng.shuffle(places).slice(0, 2),
    topic: {
      noun: () => drawn(words.nouns),
      verb: () => drawn(words.verbs),
      adjective: () => drawn(words.adjectives),
    },
  };
}

function makeLexicon(rng, size) {
  const onsets = rng.shuffle([...'bcdfghjklmnprstvwyz', 'br', 'ch', 'dr', 'st', 'th', 'tr']).slice(0, 14);
  const vowels = rng.shuffle(['a', 'e', 'i', 'o', 'u', 'ai', 'ea', 'ou']).slice(0, 5);
  const codas = ['', '', ...rng.shuffle([...'lmnrskt', 'nd', 'sh']).slice(0, 4)];
  const taken = new Set();
  const word = (syllables, ending) => {
    // Of short words there are only so many.
    for (let tries = 0; ; tries++) {
      const length = syllables + Math.floor(tries / 20);
      const parts = Array.from({ length }, () => rng.pick(onsets) + rng.pick(vowels));
      const made = parts.join('') + rng.pick(codas) + ending;
      if (!taken.has(made)) {
        taken.add(made);
        return made;
      }
    }
  };
  const list = (n, ending = '') => Array.from({ length: Math.ceil(n) }, () => word(1 + rng.int(2), ending));
  const topics = Array.from({ length: 4 }, () => ({
    nouns: list(size / 4),
    verbs: list(size / 8),
    adjectives: list(size / 8, 'y'),
  }));
  return { names: list(size / 4, 'o'), places: list(size / 8, 'um'), topics };
}
