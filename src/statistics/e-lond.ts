/**
 * The level of a claim in e-LOND: credited when its e-process reaches 1 / level (Xu and Ramdas, Online multiple testing
 * with e-values, AISTATS 2024). It is α γₜ (1 + credits), where `number` is t = 1, 2 … in the order in which claims were
 * named, and `credits` how many earlier ones were credited when this one was named; the false discovery rate over all
 * claims is then at most alpha, however they depend on each other. γ is fixed beforehand and sums to 1: half for the
 * first claim, the rest in equal parts for the others that there may be (`claims` in all). A claim beyond those has
 * level 0: nothing credits it. Throws when the numbers cannot be.
 */
export function levelOf(claim: { number: number; claims: number; credits: number }, alpha: number): number {
  const { number, claims, credits } = claim;
  if (number < 1 || credits < 0 || credits >= number) {
    throw new Error(`claim ${number} cannot come after ${credits} credits`);
  }
  return alpha * share(number, claims) * (1 + credits);
}

function share(number: number, claims: number): number {
  if (number > claims) return 0;
  if (claims === 1) return 1;
  return number === 1 ? 1 / 2 : 1 / 2 / (claims - 1);
}
