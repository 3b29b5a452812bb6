import { ExactCounter } from './exact-counter.ts'
import { Fail2banCounter, type Fail2banParts } from './fail2ban-counter.ts'
import type { Fail2banRules } from './fail2ban-sentences.ts'
import type { FailureCounter } from './failure-counter.ts'
import { IgnoreList, type IgnoreListOptions } from './ignore-list.ts'
import { JailGroup, type GroupState } from './jail-group.ts'
import type { JailRules } from './jail-rules.ts'
import { SparedFailures } from './spared-failures.ts'

/** A jail at work: what is its own, and not also that of the others that count the same. */
export interface JudgedJail {
  readonly rules: JailRules
  bans: number
}

/**
 * The groups of jails with these rules, which go on where there were some: `before` are those of the configuration
 * before, by jail. Jails are one group where they count alike and have counted the same so far. Counts go on where
 * window, threshold and rule are the same.
 */
export function groupJails(
  jails: readonly JailRules[],
  before: ReadonlyMap<string, JailGroup>,
  parts: Fail2banParts,
  ignoring: IgnoreListOptions,
): JailGroup[] {
  const gathered = new Map<JailGroup | null, Map<string, JailRules[]>>()
  for (const rules of jails) {
    const old = before.get(rules.name) ?? null
    const alike = gathered.get(old) ?? new Map<string, JailRules[]>()
    gathered.set(old, alike)
    const key = countingKey(rules)
    alike.set(key, [...(alike.get(key) ?? []), rules])
  }
  return [...gathered].flatMap(([old, alike]) => {
    const taken = new Set<FailureCounter>()
    return [...alike.values()].flatMap((together) => groupOf(together, old, taken, parts, ignoring) ?? [])
  })
}

export function isFail2ban(rules: JailRules): rules is Fail2banRules {
  return rules.counting !== undefined && rules.counting !== null
}

/** Whether what was counted by the one rules goes on counting by the other. */
export function countsAlike(one: JailRules, other: JailRules): boolean {
  const sameWindow = one.maxretry === other.maxretry && one.findtimeMs === other.findtimeMs
  return sameWindow && isFail2ban(one) === isFail2ban(other)
}

/** `taken`: counters of `old` that other groups go on with; each further one goes on with a copy. */
function groupOf(
  together: readonly JailRules[],
  old: JailGroup | null,
  taken: Set<FailureCounter>,
  parts: Fail2banParts,
  ignoring: IgnoreListOptions,
): JailGroup | null {
  const [rules] = together
  if (rules === undefined) return null
  const known = old !== null && countsAlike(old.rules, rules) ? old.counter : null
  const counter = (known !== null && taken.has(known) ? known.copy?.() : known) ?? counterOf(rules, parts)
  taken.add(counter)
  counter.follow(rules)
  const ignore = new IgnoreList(rules.ignore, ignoring)
  const state: GroupState = { ...(old ?? nothing), spared: old?.spared.copy() ?? new SparedFailures(), ignore, counter }
  const bansOf = (name: string) => old?.jails.find((jail) => jail.rules.name === name)?.bans ?? 0
  return new JailGroup(
    together.map((one) => ({ rules: one, bans: bansOf(one.name) })),
    state,
  )
}

/** The same for jails that count and ban alike. Those that count as Fail2ban, or bans, are by themselves. */
function countingKey(rules: JailRules): string {
  if (isFail2ban(rules) || rules.bansOf) return rules.name
  const { maxretry, findtimeMs, bantime, ipv6prefix, ignore, ruleNames } = rules
  return JSON.stringify([maxretry, findtimeMs, bantime, ipv6prefix, ignore, ruleNames])
}

function counterOf(rules: JailRules, parts: Fail2banParts): FailureCounter {
  return isFail2ban(rules) ? new Fail2banCounter(rules, parts) : new ExactCounter(rules, parts)
}

const nothing = { skewMs: null, failures: 0, ignored: 0 }
