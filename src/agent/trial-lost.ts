/** A fault of the infrastructure (endpoint, job runner) inside a trial: the trial is lost. */
export class TrialLost extends Error {
  override readonly name = 'TrialLost';
}
