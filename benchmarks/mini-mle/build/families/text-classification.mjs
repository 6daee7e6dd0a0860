import { chance, table, weighted } from '../draws.mjs';

const fillers = 'the to and please you my we can for on it is not have your now this at hi thanks'.split(' ');
const endings = ['', '', 's', 'ed', 'ing', 'er', 'able'];

const messages = {
  delivery:
    'parcel deliver courier pack ship track doorstep van depot address post arriv shelf label return box'.split(
      ' ',
    ),
  bank: 'account card transfer loan invest credit deposit branch cash balance statement fee paymen mortgag bill cheque'.split(
    ' ',
  ),
  doctor:
    'clinic appoint nurse vaccin patient tablet pain dentist fever prescri surger recover allerg test cough bandag'.split(
      ' ',
    ),
  travel:
    'flight ticket airport hotel luggag board passport train platform delay journey tour seat visa depart beach'.split(
      ' ',
    ),
  family:
    'dinner birthday mum kid school weekend garden grandma party cook picnic cousin hug home cake dog'.split(
      ' ',
    ),
  prize:
    'winn free claim bonus offer lucky prize urgent click reward voucher gift select guarantee exclusiv draw'.split(
      ' ',
    ),
};

const tickets = {
  hardware:
    'screen keyboard laptop batter charg monitor cable mouse printer fan scanner headset dock speaker hinge adapter'.split(
      ' ',
    ),
  access:
    'password login account lock reset permiss token badge expir authentic credential denied user role admin sign'.split(
      ' ',
    ),
  network:
    'wifi router connect signal vpn cable slow ping server timeout proxy firewall drop band remote switch'.split(
      ' ',
    ),
  software:
    'install updat crash version licens plugin freez error window macro export format template sync startup driver'.split(
      ' ',
    ),
};

/** A word as people type it: with chance `rate` one letter is doubled, dropped, swapped or replaced. */
function mistype(rng, word, rate) {
  if (word.length < 4 || !chance(rng, rate)) return word;
  const at = 1 + rng.int(word.length - 2);
  const kind = rng.int(4);
  if (kind === 0) return word.slice(0, at) + word[at] + word.slice(at);
  if (kind === 1) return word.slice(0, at) + word.slice(at + 1);
  if (kind === 2) return word.slice(0, at) + word[at + 1] + word[at] + word.slice(at + 2);
  return word.slice(0, at) + rng.pick([...'aeiourstln']) + word.slice(at + 1);
}

/** Messages of a few topic words (of their own topic mostly) among fillers, inflected and mistyped. */
function texts(rng, topics, { rows, topicWords, stray, typos, shares }) {
  const names = Object.keys(topics);
  const target = [];
  const columns = table(rows, () => {
    const name = names[weighted(rng, shares)];
    target.push(name);
    const count = topicWords[0] + rng.int(topicWords[1] - topicWords[0] + 1);
    const words = Array.from({ length: count }, () => {
      const topic = chance(rng, stray) ? rng.pick(names) : name;
      return mistype(rng, rng.pick(topics[topic]) + rng.pick(endings), typos);
    });
    for (let k = 3 + rng.int(5); k > 0; k--) words.push(mistype(rng, rng.pick(fillers), typos / 3));
    return { text: rng.shuffle(words).join(' ') };
  });
  return { columns, target };
}

/** Short text messages of six topics, of unequal size. */
export function textMessages(rng) {
  const names = Object.keys(messages);
  return {
    title: 'Sort the text messages',
    story: [
      'A phone company sorts text messages by topic. Messages are short, written in a hurry, full of typing errors and endings, and two messages about the same thing rarely share whole words. Predict the topic of a message from its text.',
      'The column `text` holds one message.',
    ],
    ...texts(rng, messages, {
      rows: 510,
      topicWords: [3, 5],
      stray: 0.2,
      typos: 0.4,
      shares: [4, 3, 3, 2, 2, 3],
    }),
    targetName: 'topic',
    targetNote: `one of ${names.join(', ')}`,
    trainRows: 260,
  };
}

/** Help-desk tickets of four departments. */
export function helpTickets(rng) {
  const names = Object.keys(tickets);
  return {
    title: 'Who should answer the ticket?',
    story: [
      'A help desk gets tickets as short texts and must send each to the right department. People misspell and bend their words. Predict the department from the text of the ticket.',
      'The column `text` holds one ticket.',
    ],
    ...texts(rng, tickets, { rows: 510, topicWords: [2, 4], stray: 0.25, typos: 0.4, shares: [3, 3, 2, 2] }),
    targetName: 'department',
    targetNote: `one of ${names.join(', ')}`,
    trainRows: 260,
  };
}
