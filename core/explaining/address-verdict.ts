/** The one thing to know about an address first: whether it is banned, and if it is not, why. */
import { duration } from '../cli/output.ts'
import type { AddressExplanation, BanStanding, JailStanding, PastBan } from '../control/api.ts'
import type { LineExplanation } from './line-explanation.ts'
import type { ToldLine } from './telling-line.ts'
import type { UnreadLog } from './unread-logs.ts'

export interface AddressVerdict {
  readonly cause:
    | 'banned'
    | 'paused'
    | 'not-in-kernel'
    | 'pending'
    | 'allowed'
    | 'never-banned'
    | 'ignored'
    | 'observed'
    | 'counted'
    | 'was-banned'
    | 'log-unreadable'
    /** A line of a log would count, and nobody has counted it. */
    | 'not-counted'
    | 'unknown'
    | LineExplanation['cause']
  /** One plain sentence. */
  readonly verdict: string
}

/**
 * `lastLine`: what became of the last line about the address; null: none was found. `unread`: logs that
 * might name it, and cannot be read.
 */
export function verdictOn(
  report: AddressExplanation,
  lastLine: ToldLine | null,
  unread: readonly UnreadLog[] = [],
): AddressVerdict {
  const { prefix, running, jails, history } = report
  const bans = report.bans.filter(({ observed }) => !observed)
  const [first] = bans.toSorted((a, b) => trouble(b, report) - trouble(a, report))
  if (first !== undefined) return ofBan(first, bans, report)
  const vital = report.refusedByFirewall
  const refusing = jails.find(({ refusal }) => refusal !== null)
  const sparing = jails.filter(({ spared }) => spared !== null)
  const allowed = sparing.find(({ spared }) => spared?.kind === 'allow')
  if (allowed?.spared) return { cause: 'allowed', verdict: `${prefix} is not banned: it is ${allowed.spared.why}.` }
  const configured = sparing.find(({ spared }) => spared !== null && spared.kind !== 'vital')
  if (configured !== undefined) return { cause: 'ignored', verdict: ignoredText(prefix, configured, sparing) }
  if (vital !== null)
    return { cause: 'never-banned', verdict: `${prefix} is never banned; the firewall helper refuses it: ${vital}.` }
  if (refusing !== undefined)
    return {
      cause: 'never-banned',
      verdict: `${prefix} is not banned: an action of ${refusing.jail} refused it (${refusing.refusal}).`,
    }
  if (sparing[0] !== undefined) return { cause: 'ignored', verdict: ignoredText(prefix, sparing[0], sparing) }
  const observed = report.bans.find((ban) => ban.observed)
  if (observed !== undefined) {
    const who = report.observe ? 'the whole agent only observes' : `${observed.jail} only observes`
    return {
      cause: 'observed',
      verdict: `${prefix} is not banned: ${observed.jail} would ban it ${until(observed.until)}, but ${who}.`,
    }
  }
  const counting = jails.filter(({ failures }) => failures.length > 0)
  if (counting.length > 0) return { cause: 'counted', verdict: countedText(prefix, counting, running) }
  const networks = jails.filter(({ network }) => network?.prefix === prefix && network.failures > 0)
  if (networks.length > 0) return { cause: 'counted', verdict: networkText(prefix, networks) }
  const past = history.find(({ ended, until: end }) => ended !== null || (end !== null && end <= report.at))
  if (lastLine !== null && !counts(lastLine.explanation)) {
    const { explanation, log } = lastLine
    const before = past === undefined ? '' : ` now; ${pastText(past)}`
    return {
      cause: explanation.cause,
      verdict: `${prefix} is not banned${before}, and the last line about it (${log}) does not count. ${explanation.verdict}`,
    }
  }
  const uncounted =
    lastLine !== null && ['counts', 'clock-skew', 'observed'].includes(lastLine.explanation.cause) ? lastLine : null
  const blind = unread.find(({ jail }) => jail === uncounted?.explanation.jail) ?? unread[0]
  if (past !== undefined && (uncounted === null || blind === undefined))
    return { cause: 'was-banned', verdict: `${prefix} is not banned now: ${pastText(past)}.` }
  const where = whereCounted(running, uncounted)
  if (blind !== undefined) {
    const more = unread.length > 1 ? ` (and ${unread.length - 1} more)` : ''
    const verdict = `${prefix} is not banned: ${where}, and ${blind.jail} cannot read its log${more}, ${blind.why}.`
    return { cause: 'log-unreadable', verdict }
  }
  if (uncounted === null) return { cause: 'unknown', verdict: `${prefix} is not banned: ${where}.` }
  const why = running ? ': it was spared then, or it is older than what the agent read or forgot since' : ''
  return { cause: 'not-counted', verdict: `${prefix} is not banned: ${where}${why}.` }
}

function whereCounted(running: boolean, uncounted: ToldLine | null): string {
  if (uncounted !== null) {
    const { log, explanation } = uncounted
    const would = `its last failure (${log}) would count in ${explanation.jail ?? 'a jail'}`
    return running ? `${would}, but was not counted when it came` : `no agent runs; ${would}`
  }
  return running
    ? 'no jail counts a failure of it now'
    : 'no agent runs, and none counted a failure of it that still matters'
}

/** Whether a line came all the way, or no further because of its address, which is told of anyway. */
export function counts({ cause }: LineExplanation): boolean {
  return ['counts', 'observed', 'clock-skew', 'bans', 'already-banned', 'ignored', 'allowed', 'never-banned'].includes(
    cause,
  )
}

/** The ban with the greatest trouble is told first. */
function trouble(ban: BanStanding, { pausedSince }: AddressExplanation): number {
  if (pausedSince !== null) return 3
  if (ban.missingSince !== null) return 2
  return ban.actions.some(({ confirmed }) => !confirmed) ? 1 : 0
}

function ofBan(ban: BanStanding, bans: readonly BanStanding[], report: AddressExplanation): AddressVerdict {
  const { prefix, pausedSince, kernelFailure, running } = report
  const whole = ban.prefix === prefix ? '' : `, as ${ban.prefix},`
  const more = bans.length > 1 ? ` (and ${bans.length - 1} more)` : ''
  const head = `${prefix} is banned${whole} by ${ban.jail}${more} ${until(ban.until)}`
  if (pausedSince !== null) {
    const since = pausedSince === 0 ? '' : ` since ${new Date(pausedSince).toISOString()}`
    return {
      cause: 'paused',
      verdict: `${head}, but the firewall is paused${since}: nothing is enforced until "bailiff resume".`,
    }
  }
  if (!running && ban.sets === null)
    return {
      cause: 'banned',
      verdict: `${head}, as far as the store knows: no agent runs, so the firewall was not asked.`,
    }
  if (ban.missingSince !== null) {
    const since = new Date(ban.missingSince).toISOString()
    return {
      cause: 'not-in-kernel',
      verdict: `${head}, but the kernel does not hold it (known since ${since}): somebody took it out of the firewall, or it was not put there yet.`,
    }
  }
  const pending = ban.actions.find(({ confirmed }) => !confirmed)
  if (pending !== undefined) {
    const why = pending.failure === null ? 'has not confirmed it yet' : `fails: ${pending.failure}`
    return { cause: 'pending', verdict: `${head}, but the action ${pending.action} ${why}.` }
  }
  if (kernelFailure !== null)
    return { cause: 'pending', verdict: `${head}; the firewall does not tell what it holds: ${kernelFailure}.` }
  const sets = ban.sets === null || ban.sets.length === 0 ? '' : `, and the kernel holds it (${ban.sets.join(', ')})`
  return { cause: 'banned', verdict: `${head}${sets}.` }
}

function ignoredText(prefix: string, { jail, spared }: JailStanding, all: readonly JailStanding[]): string {
  const failures = all.reduce((sum, each) => sum + (each.spared?.failures ?? 0), 0)
  const often = failures > 0 ? `; ${failures} of its failures were ignored` : ''
  const place = spared?.place ? ` (${spared.place})` : ''
  const why =
    spared?.kind === 'vital' || spared?.kind === 'proxy' ? spared.why : `ignoreip has ${spared?.entry}${place}`
  const who = all.length > 1 ? '' : ` in ${jail}`
  return `${prefix} is not banned${who}: ${why}${often}.`
}

function countedText(prefix: string, counting: readonly JailStanding[], running: boolean): string {
  const each = counting.map(
    ({ jail, failures, maxretry, findtimeMs }) =>
      `${failures.length} of ${maxretry} failures in ${jail} within ${duration(findtimeMs)}`,
  )
  const apart = counting.length > 1 ? '; each jail counts by itself' : ''
  const observing = counting.filter(({ mode }) => mode === 'observe').map(({ jail }) => jail)
  const only = observing.length > 0 ? `; ${observing.join(', ')} only observes` : ''
  return `${prefix} is not banned: ${running ? '' : 'no agent runs, and the last one counted '}${each.join(', ')}${apart}${only}.`
}

/** A network is banned by what its addresses do together. */
function networkText(prefix: string, counting: readonly JailStanding[]): string {
  const each = counting.map(({ jail, network, findtimeMs }) => {
    if (network === null) return jail
    const { failures, needed, addressesCount, addressesNeeded } = network
    return `${failures} of ${needed} failures in ${jail} within ${duration(findtimeMs)}, by ${addressesCount} of at least ${addressesNeeded} addresses`
  })
  return `${prefix} is not banned: ${each.join('; ')}.`
}

function pastText({ jail, ended, until: end, reason }: PastBan): string {
  const when = new Date(ended ?? end ?? 0).toISOString()
  const how =
    reason === 'unbanned'
      ? 'was ended by hand'
      : reason === 'ignored'
        ? 'was ended, since it was never to be banned then,'
        : reason === 'expired' || ended === null
          ? 'was over'
          : 'gave way to another'
  return `the ban of ${jail} ${how} at ${when}`
}

function until(end: number | null): string {
  return end === null ? 'for ever' : `until ${new Date(end).toISOString()}`
}
