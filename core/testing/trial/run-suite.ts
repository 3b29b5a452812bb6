import { appendFileSync } from 'node:fs'
import { actionChecks } from '../action-checks.ts'
import { runCheck, type Check } from '../check.ts'
import { matcherChecks } from '../matcher-checks.ts'
import { notifierChecks } from '../notifier-checks.ts'
import { sourceChecks } from '../source-checks.ts'
import { failureOf } from './failure.ts'
import type { Tried } from './load-tried.ts'
import type { Tell, TrialRequest } from './messages.ts'

/** Who fails after so long waited for a deadline. */
const hangsAfterMs = 9000

/** Runs the conformance suite of its kind on a plugin, and tells of each check. Answers whether all hold. */
export async function runSuite(tried: Tried, request: TrialRequest, tell: Tell): Promise<boolean> {
  let good = true
  for (const check of checksOf(tried, request)) {
    tell({ type: 'doing', what: check.name })
    const { error, message: _, ...outcome } = await runCheck(check)
    good &&= outcome.ok
    tell({ type: 'check', ...outcome, failure: outcome.ok ? null : failureOf(error, tried.file) })
    if (outcome.ok || outcome.ms < hangsAfterMs) continue
    tell({
      type: 'failure',
      failure: { message: 'the rest of the suite is left out: it would wait as long, each time' },
    })
    break
  }
  return good
}

function checksOf(tried: Tried, { options, append }: TrialRequest): Check[] {
  switch (tried.kind) {
    case 'action':
      return actionChecks(tried.plugin, { options })
    case 'notifier':
      return notifierChecks(tried.plugin, { options })
    case 'matcher':
      return matcherChecks(tried.plugin)
    case 'source':
      return sourceChecks(tried.plugin, {
        options,
        ...(append !== null && { write: (text: string) => appendFileSync(append, text) }),
      })
  }
}
