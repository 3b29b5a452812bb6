import { describeFailure } from './failure-text.ts'

/** One thing that every plugin of a kind keeps. It knows no test runner. */
export interface Check {
  /** What holds, in one sentence. */
  readonly name: string
  /** What to do in the plugin where it does not hold. */
  readonly remedy: string
  /** Rejects, with a message for people, where it does not hold. To be run once, after the checks before it. */
  run(): Promise<void>
}

/** What became of a check. */
export interface CheckOutcome {
  readonly name: string
  readonly ok: boolean
  readonly ms: number
  /** What went wrong, and what to do; null where all is well. Printable. */
  readonly message: string | null
  readonly remedy: string | null
  /** What it threw. */
  readonly error?: unknown
}

/** No check of a plugin that answers takes longer; the deadline of one call is 10 s. */
const usualDeadlineMs = 60_000

/** Runs a check, for `deadlineMs` at most. Never rejects. */
export async function runCheck(check: Check, deadlineMs = usualDeadlineMs): Promise<CheckOutcome> {
  const { name, remedy } = check
  const started = performance.now()
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`it is not over after ${deadlineMs / 1000} s`)), deadlineMs)
  })
  try {
    await Promise.race([check.run(), late])
    return { name, ok: true, ms: performance.now() - started, message: null, remedy: null }
  } catch (error) {
    return { name, ok: false, ms: performance.now() - started, message: describeFailure(error), remedy, error }
  } finally {
    clearTimeout(timer)
  }
}

/**
 * Makes each check a test of your test runner: `test` is `test` of node:test, a suite of uvu, `it` of vitest, mocha or
 * jest, or any function that takes a name and an async body.
 */
export function registerChecks(
  checks: readonly Check[],
  test: (name: string, body: () => Promise<void>) => unknown,
): void {
  for (const check of checks)
    test(check.name, async () => {
      const { error, message } = await runCheck(check)
      if (message !== null) throw new Error(`${message}\n  ${check.remedy}`, { cause: error })
    })
}

/** Throws an error with this message unless the condition holds. */
export function ensure(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(message)
}

/** Throws an error that shows both sides unless they are the same as JSON. */
export function ensureSame(found: unknown, expected: unknown, what: string): void {
  const [is, should] = [JSON.stringify(found) ?? 'undefined', JSON.stringify(expected) ?? 'undefined']
  if (is !== should) throw new Error(`${what}: expected ${cut(should)}, but found ${cut(is)}`)
}

function cut(text: string): string {
  return text.length > 600 ? `${text.slice(0, 600)}… (${text.length} characters)` : text
}
