/** What the judge makes of a match, as far as it can be told of one line: the order is that of `Judge.count`. */
import { duration } from '../cli/output.ts'
import type { AddressExplanation, JailStanding } from '../control/api.ts'
import type { Match } from '../events.ts'
import type { Candidate } from './candidate.ts'
import { whyOldYear, type ReadHead } from './line-date.ts'
import type { Cause, Step } from './line-explanation.ts'
import type { Turn } from './line-sequence.ts'

/** A date that is no further off is not worth a word. */
const skewMs = 60_000
/** Dates that are off by one time zone are so by a multiple of this, give or take the skew. */
const zoneStepMs = 900_000

export interface Verdict {
  readonly cause: Cause
  readonly verdict: string
  readonly steps: readonly Step[]
}

/** `report` is on the address of the match; `now` in unix ms. */
export function judgeMatch(
  match: Match,
  candidate: Candidate,
  read: ReadHead,
  report: AddressExplanation,
  now: number,
): Verdict {
  const standing = report.jails.find(({ jail }) => jail === candidate.jail)
  const steps: Step[] = []
  const step = (name: string, ok: boolean | null, detail: string) => void steps.push({ step: name, ok, detail })
  const end = (cause: Cause, verdict: string): Verdict => ({ cause, verdict, steps })
  const { address, attempts } = match
  const { jail } = candidate
  const failures = `${attempts} failure${attempts === 1 ? '' : 's'} of ${address}`
  step('address', true, address)
  if (match.session !== null && match.once)
    step(
      'session',
      null,
      'counts once a session (<F-ONCE>): another line of the same session tells of the same failure',
    )
  if (match.time === null) {
    step('window', false, 'without a date it has no place in the window, unless it is read at the moment it is written')
    return end(
      'no-date',
      `No date is found in the line, so it counts as ${failures} in ${jail} only if it is read at the moment it is written, and not from a stored log.`,
    )
  }
  const led = report.history.find((past) => past.jail === jail && past.evidence.some(({ line }) => line === match.line))
  if (led !== undefined) {
    const over = led.ended === null ? until(led.until) : `until ${new Date(led.ended).toISOString()}`
    step('ban', true, `one of the lines that led to ban ${led.count} of ${led.prefix}`)
    return end(
      'bans',
      `It is one of the failures for which ${jail} banned ${led.prefix} at ${new Date(led.since).toISOString()}, ${over}.`,
    )
  }
  const ban = report.bans.find((each) => each.jail === jail && !each.observed)
  if (ban !== undefined) {
    step('ban', false, `${ban.prefix} is banned by ${jail} ${until(ban.until)}`)
    return end(
      'already-banned',
      `${address} is banned by ${jail} already (${until(ban.until)}), so the line is not counted.`,
    )
  }
  const spared = sparedBy(standing, report, candidate)
  if (spared !== null) {
    step('ignore', false, spared.detail)
    return end(spared.cause, `The line tells of ${failures} in ${jail}, and is not counted: ${spared.detail}.`)
  }
  step('ignore', true, 'no rule spares the address')
  if (report.refusedByFirewall !== null || standing?.refusal) {
    const why = report.refusedByFirewall ?? standing?.refusal ?? ''
    step('firewall', false, `it refuses to ban ${address}: ${why}`)
    return end(
      'never-banned',
      `It counts as ${failures} in ${jail}, but the firewall helper refuses to ban ${address}: ${why}.`,
    )
  }
  return end(...inTime(match.time, { candidate, read, standing, now, step, failures, observing: report.observe }))
}

interface Timing {
  readonly candidate: Candidate
  readonly read: ReadHead
  readonly standing: JailStanding | undefined
  readonly now: number
  readonly step: (name: string, ok: boolean | null, detail: string) => void
  readonly failures: string
  readonly observing: boolean
}

function inTime(time: number, timing: Timing): [Cause, string] {
  const { read, standing, now, step, failures, candidate } = timing
  const age = now - time
  const findtimeMs = standing?.findtimeMs ?? 600_000
  const zone =
    Math.abs(Math.abs(age) - Math.round(Math.abs(age) / zoneStepMs) * zoneStepMs) <= skewMs &&
    Math.abs(age) >= zoneStepMs - skewMs
  const off = (standing?.skewMs ?? null) !== null && Math.abs((standing?.skewMs ?? 0) + age) <= 2 * skewMs
  const clock = zone ? 'its time zone is probably not the one of this machine' : 'the clock of who wrote it is wrong'
  if (age < -skewMs) {
    step('window', null, `dated ${duration(-age)} in the future: it counts when it arrives`)
    return [
      'clock-skew',
      `It is dated ${duration(-age)} in the future (${clock}), so it counts as ${failures} in ${candidate.jail} at the time it arrives.`,
    ]
  }
  if (age > skewMs && off) {
    step(
      'window',
      null,
      `live lines of ${candidate.jail} are dated ${duration(age)} too early: they count when they arrive`,
    )
    return [
      'clock-skew',
      `It is dated ${duration(age)} in the past, as live lines of ${candidate.jail} are (${clock}), so it counts as ${failures} when it arrives.`,
    ]
  }
  if (age > findtimeMs) {
    step('window', false, `${duration(age - findtimeMs)} too old for findtime (${duration(findtimeMs)})`)
    const old = whyOldYear(read, now)
    if (old !== null) return ['wrong-year', `The line is ${duration(age - findtimeMs)} too old: ${old}.`]
    const years = Math.round(age / yearMs)
    if (years >= 1 && Math.abs(age - years * yearMs) < 2 * 86_400_000)
      return [
        'wrong-year',
        `The year of its date is wrong: the line is dated ${years === 1 ? 'a year' : `${years} years`} before now, and is too old to count.`,
      ]
    const perhaps = zone ? `, or if it was written just now, ${clock}` : ''
    return [
      'too-old',
      `The line tells of ${failures} in ${candidate.jail}, but it is ${duration(age)} old, ${duration(age - findtimeMs)} too old for the window of ${duration(findtimeMs)}${perhaps}.`,
    ]
  }
  step('window', true, `within findtime (${duration(findtimeMs)})`)
  return counted(timing)
}

const yearMs = 365.2425 * 86_400_000

function counted({ candidate, standing, failures, observing, step }: Timing): [Cause, string] {
  const { jail, state } = candidate
  const needed = standing?.maxretry ?? 5
  const known =
    standing === undefined || standing.failures.length === 0
      ? ''
      : `; ${standing.failures.length} of ${needed} are counted now`
  if (state === 'observe' || observing) {
    const who = state === 'observe' ? `${jail} only observes` : 'the whole agent only observes'
    step('ban', false, who)
    return ['observed', `It counts as ${failures} in ${jail}, but nobody is banned: ${who}${known}.`]
  }
  step('ban', true, `at ${needed} failures${known}`)
  return ['counts', `It counts as ${failures} in ${jail}; a ban comes at ${needed}${known}.`]
}

function sparedBy(
  standing: JailStanding | undefined,
  report: AddressExplanation,
  { jail }: Candidate,
): { readonly cause: Cause; readonly detail: string } | null {
  const rule = standing?.spared
  if (!rule) return null
  const place = rule.place === null ? '' : ` (${rule.place})`
  if (rule.kind === 'allow') return { cause: 'allowed', detail: `${report.prefix} is ${rule.why}` }
  if (rule.kind === 'vital' && report.refusedByFirewall !== null && /never banned/.test(rule.why))
    return { cause: 'never-banned', detail: `the firewall helper refuses to ban ${report.prefix}: ${rule.why}` }
  if (rule.kind === 'vital' || rule.kind === 'proxy')
    return { cause: 'ignored', detail: `${jail} ignores ${report.prefix}: ${rule.why}` }
  return { cause: 'ignored', detail: `ignoreip has ${rule.entry}${place}` }
}

/** The verdict where the line is one of several that were read before it. */
export function inTurn({ cause, verdict, steps }: Verdict, turn: Turn, { jail, address }: Match): Verdict {
  const also = (step: Step, next: Cause, text: string): Verdict => ({
    cause: next,
    verdict: text,
    steps: [...steps, step],
  })
  switch (turn.kind) {
    case 'repeated':
      return also(
        { step: 'session', ok: false, detail: 'another line of its session told of this failure (<F-ONCE>)' },
        'already-counted',
        `It is not counted again: an earlier line of the same session told ${jail} of this failure of ${address}.`,
      )
    case 'after-ban':
      return also(
        { step: 'ban', ok: false, detail: `${turn.ban.prefix} would be banned ${until(turn.ban.until)}` },
        'already-banned',
        `It is not counted: by the lines before it ${turn.ban.prefix} is banned by ${jail} (${until(turn.ban.until)}).`,
      )
    case 'banned':
      return also(
        {
          step: 'ban',
          ok: true,
          detail: `${turn.ban.failures} failures: ${turn.ban.prefix} is banned ${until(turn.ban.until)}`,
        },
        cause === 'observed' ? cause : 'bans',
        cause === 'observed'
          ? `With this line ${jail} would ban ${turn.ban.prefix}, but only observes.`
          : `With this line ${turn.ban.prefix} is banned by ${jail}, ${until(turn.ban.until)}.`,
      )
    case 'counted': {
      const nth = `${turn.failures} of ${turn.maxretry}`
      const step = { step: 'count', ok: true, detail: `with the lines before it ${nth}` }
      return also(step, cause, `${verdict.replace(/\.$/, '')}; with the lines before it that is ${nth}.`)
    }
  }
}

function until(end: number | null): string {
  return end === null ? 'for ever' : `until ${new Date(end).toISOString()}`
}
