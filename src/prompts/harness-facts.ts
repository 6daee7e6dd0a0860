import { LOOP_WARNING, SETTING } from '../agent/prompt.ts';
import { RULE_GENES, SKILL_GENES } from '../genome/gene-table.ts';

/**
 * How the harness works, for those who advise on it: what the code in `src/agent/` does, in its words where it can be
 * quoted. `test/prompts/harness-facts.test.ts` holds it against that code.
 */

/** The share of the turns after which `low-budget` fires. */
export const LOW_BUDGET = 0.75;

/** What a trial is, a line a fact. */
const TRIAL = `- A turn is one reply of the model; the calls in it are carried out in order. \`train\` and \`run\` take a job each, and \`train\` without a valid submission.csv is an error. \`submit\` ends the trial; one that runs out of turns ends with its last valid submission, and with none it scores 0.
- An attempt ends with the first training that gives a valid submission. The agent writes a note on it (it costs no turn, and there is none where memory.notes is 0), and the conversation starts anew: of all that was said it then has the task, its latest notes, the list of its files and the last result. Its files stay, and copies of those of attempt N can be read in attempts/N/.
- sampling.max_tokens bounds every reply, with the files that it writes: a call that is cut off is an error.`;

/** When rules reach the agent, a line a fact. */
export const TRIGGER_FACTS = `- Rules under \`always\` stand in the system message throughout. All others are put at the end of a message when their trigger fires, and are gone with the attempt:
  \`start\`: once, before the first turn. \`low-budget\`: once, when ${100 * LOW_BUDGET}% of the turns are used.
  \`before-submit\`: once, when the turns kept for checking begin (limits.check_share), or else in place of the first \`submit\`, which must then be called again.
  \`after-error\`: after each turn in which a call failed. \`after-fix\`: after the first turn that edits a file without an error, once something failed.
  \`on-loop\`: each time the loop guard finds a step like an earlier one, below "${LOOP_WARNING}"; never while loop.action is \`off\`, and with \`stop\` nobody is left to read it. \`switch\` also ends the attempt.`;

/** What a skill is to the agent, a line a fact. */
export const SKILL_FACTS = `- Of a skill the agent sees name and description, until it spends a turn on read_skill; the body is gone with the attempt, but not what was written from it. So the description says when the skill is worth a turn, and a good body holds whole working code that can be written to a file as it is.`;

/** What the schema allows, a line a fact; derived from the table of genes. */
export const LIMIT_FACTS = `- At most ${RULE_GENES.maxCount} rules of ${RULE_GENES.maxText} characters, and ${SKILL_GENES.maxCount} skills, each with a description of ${SKILL_GENES.maxDescription} characters without < and >, and a body of ${SKILL_GENES.maxBody}. A guard may be stricter, and says so.`;

/** All of it, for mutator and critic. `setting` is what trials open with (`settingOf`). */
export function harnessFacts(setting = SETTING): string {
  const rest = setting === SETTING ? 'but Node' : 'else';
  const opening = `- Every trial opens with these words: "${setting}" Count on nothing ${rest}.`;
  return [opening, TRIAL, TRIGGER_FACTS, SKILL_FACTS, LIMIT_FACTS].join('\n');
}
