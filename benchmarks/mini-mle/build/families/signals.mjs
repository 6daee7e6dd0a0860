import { short } from '../csv.mjs';
import { chance, normal, uniform } from '../draws.mjs';

const length = 128;

/** Columns `s0` to `s127` of `n` signals made by `make(i)`. */
function columnsOf(n, make) {
  const signals = Array.from({ length: n }, (_, i) => make(i));
  const names = Array.from({ length }, (_, t) => `s${t}`);
  return Object.fromEntries(names.map((name, t) => [name, signals.map((signal) => short(signal[t], 3))]));
}

const wave = (t, cycles, phase) => Math.sin((2 * Math.PI * cycles * t) / length + phase);

/** Vibration of machines: worn bearings ring in a high band, louder the more they are loaded. */
export function machineSounds(rng) {
  const ring = uniform(rng, 26, 38);
  const target = [];
  const columns = columnsOf(490, () => {
    const worn = chance(rng, 0.45);
    target.push(worn ? '1' : '0');
    const speed = uniform(rng, 4, 9);
    const parts = [1, 2, 3].map((k) => [k * speed, uniform(rng, 0.2, 1.2) / k, uniform(rng, 0, 7)]);
    const loud = worn ? uniform(rng, 0.25, 0.75) : uniform(rng, 0, 0.4);
    parts.push([ring + normal(rng, 0, 1.2), loud, uniform(rng, 0, 7)]);
    parts.push([uniform(rng, 40, 60), uniform(rng, 0, 0.8), uniform(rng, 0, 7)]);
    const gain = uniform(rng, 0.6, 1.6);
    const hum = worn ? normal(rng, 0.15, 0.3) : normal(rng, 0, 0.3);
    return Array.from({ length }, (_, t) => {
      const clean = parts.reduce((sum, [cycles, size, phase]) => sum + size * wave(t, cycles, phase), 0);
      return gain * (clean + normal(rng, 0, 0.5)) + hum;
    });
  });
  return {
    title: 'Listen to the bearings',
    story: [
      'Microphones on machines recorded short sound signals. A worn bearing rings in some band of frequency on top of the noise of the machine. Give the probability that the bearing is worn.',
      'A row is one signal of 128 samples, `s0` to `s127`. The recordings start at any moment, so a single sample says little; how the energy is spread over the frequency spectrum says more.',
    ],
    columns,
    target,
    targetName: 'worn',
    targetNote: '1 = worn, 0 = sound; submit the probability of 1',
    trainRows: 240,
  };
}

/** Calls of five birds: pitch, glide and trill differ, phase and time do not tell. */
export function birdCalls(rng) {
  const birds = ['wren', 'siskin', 'plover', 'tern', 'ouzel'];
  const voices = Object.fromEntries(
    birds.map((bird, b) => [
      bird,
      { pitch: 10 + 7 * ((b * 2 + rng.int(2)) % 5), glide: normal(rng, 0, 7), trill: uniform(rng, 2, 9) },
    ]),
  );
  const target = [];
  const columns = columnsOf(490, () => {
    const bird = rng.pick(birds);
    target.push(bird);
    const voice = voices[bird];
    const pitch = voice.pitch + normal(rng, 0, 3);
    const glide = voice.glide + normal(rng, 0, 2);
    const [phase, trillPhase, overtone] = [uniform(rng, 0, 7), uniform(rng, 0, 7), uniform(rng, 0, 0.7)];
    const gain = uniform(rng, 0.5, 1.5);
    const breath = birds.indexOf(bird) * 0.05;
    return Array.from({ length }, (_, t) => {
      const x = t / length;
      const cycles = pitch * x + (glide * x * x) / 2;
      const envelope = 0.6 + 0.4 * wave(t, voice.trill, trillPhase);
      const tone = Math.sin(2 * Math.PI * cycles + phase) + overtone * Math.sin(4 * Math.PI * cycles + phase);
      return gain * envelope * tone + normal(rng, breath, 0.9);
    });
  });
  return {
    title: 'Who sings?',
    story: [
      'Recorders in a wood caught short audio signals of five kinds of birds. Say which bird calls in a recording.',
      'A row is one signal of 128 samples, `s0` to `s127`, with wind noise. A call may start at any phase; pitch, glides and trills show in the frequency spectrum.',
    ],
    columns,
    target,
    targetName: 'bird',
    targetNote: `one of ${birds.join(', ')}`,
    trainRows: 240,
  };
}

/** Pulse of a wearable: a healthy rhythm is regular, an irregular one spreads its energy over frequencies. */
export function heartRhythm(rng) {
  const jitter = uniform(rng, 0.2, 0.26);
  const target = [];
  const columns = columnsOf(490, () => {
    const irregular = chance(rng, 0.4);
    target.push(irregular ? '1' : '0');
    const gap = uniform(rng, 11, 18);
    const width = uniform(rng, 1.2, 2.2);
    const beats = [];
    for (let at = uniform(rng, -gap, 0); at < length + gap; ) {
      beats.push(at);
      at += gap * Math.max(0.45, 1 + normal(rng, 0, irregular ? jitter : 0.05));
    }
    const [slow, slowPhase] = [uniform(rng, 0.5, 2.5), uniform(rng, 0, 7)];
    const size = irregular ? uniform(rng, 0.8, 1.8) : uniform(rng, 0.9, 2);
    return Array.from({ length }, (_, t) => {
      const pulse = beats.reduce((sum, at) => sum + Math.exp(-(((t - at) / width) ** 2)), 0);
      return size * pulse + 0.5 * wave(t, slow, slowPhase) + normal(rng, 0, 0.35);
    });
  });
  return {
    title: 'Regular or not?',
    story: [
      'A wearable device measures the pulse as a signal. In some people the heart beats irregularly. Rank the recordings by the probability of an irregular rhythm.',
      'A row is one signal of 128 samples, `s0` to `s127`, with noise and slow movements of the arm. The beats start anywhere; a regular rhythm gathers its energy in few bands of the frequency spectrum.',
    ],
    columns,
    target,
    targetName: 'irregular',
    targetNote: '1 = irregular, 0 = regular; submit the probability of 1',
    trainRows: 240,
  };
}
