import { ExactCounter } from './exact-counter.ts'
import { Fail2banCounter, type Fail2banParts } from './fail2ban-counter.ts'
import type { Fail2banRules } from './fail2ban-sentences.ts'
import type { FailureCounter } from './failure-counter.ts'
import { IgnoreList, type IgnoreListOptions } from './ignore-list.ts'
import type { JailRules } from './jail-rules.ts'
import { SparedFailures } from './spared-failures.ts'

/** A jail at work. */
export interface JudgedJail {
  readonly rules: JailRules
  readonly counter: FailureCounter
  readonly ignore: IgnoreList
  readonly spared: SparedFailures
  skewMs: number | null
  failures: number
  ignored: number
  bans: number
}

/** The jail of some rules, which goes on where one of its name was. Counts do where window, threshold and rule are the same. */
export function judgedJail(
  rules: JailRules,
  old: JudgedJail | undefined,
  parts: Fail2banParts,
  ignoring: IgnoreListOptions,
): JudgedJail {
  const { skewMs = null, failures = 0, ignored = 0, bans = 0, spared = new SparedFailures() } = old ?? {}
  const same = old !== undefined && countsAlike(old.rules, rules) ? old.counter : null
  same?.follow(rules)
  const ignore = new IgnoreList(rules.ignore, ignoring)
  return { rules, counter: same ?? counterOf(rules, parts), ignore, spared, skewMs, failures, ignored, bans }
}

export function isFail2ban(rules: JailRules): rules is Fail2banRules {
  return rules.counting !== undefined && rules.counting !== null
}

function counterOf(rules: JailRules, parts: Fail2banParts): FailureCounter {
  return isFail2ban(rules) ? new Fail2banCounter(rules, parts) : new ExactCounter(rules, parts)
}

function countsAlike(one: JailRules, other: JailRules): boolean {
  const sameWindow = one.maxretry === other.maxretry && one.findtimeMs === other.findtimeMs
  return sameWindow && isFail2ban(one) === isFail2ban(other)
}
