import type { AddressExplanation, BanStanding, JailStanding, PastBan } from '../control/api.ts'
import { listOfJail } from '../events.ts'
import type { AddressVerdict } from '../explaining/address-verdict.ts'
import { asTyped } from './as-typed.ts'
import { counted, duration, print, styled } from './output.ts'
import { table } from './table.ts'

/** Lines shown of a ban. */
const linesShown = 10

/** A report as people read it: the verdict, then what it rests on. */
export function printAddress({ verdict, cause }: AddressVerdict, report: AddressExplanation): void {
  print(styled('bold', cause === 'paused' ? asTyped(verdict) : verdict))
  if (!report.running)
    print(
      styled(
        'yellow',
        'No agent answers: this is what the configuration says, and what the last one left in its store.',
      ),
    )
  if (report.bans.length > 0) print(`\n${report.bans.map((ban) => banText(ban, report)).join('\n')}`)
  if (report.jails.length > 0) print(`\n${jailsTable(report)}`)
  for (const jail of report.jails) for (const line of remarks(jail, report)) print(`  ${line}`)
  const past = report.history
  if (past.length > 0)
    print(`\n${styled('bold', 'Bans of now and before')}\n${past.map((ban) => pastText(ban)).join('\n')}`)
}

function banText(ban: BanStanding, { kernelFailure }: AddressExplanation): string {
  const what = ban.observed ? 'would be banned by' : 'banned by'
  const ports = ban.ports.protocol === 'all' ? 'all ports' : `${ban.ports.protocol} ${ban.ports.ports.join(', ')}`
  const lines = [
    `${ban.prefix}  ${what} ${ban.jail} since ${time(ban.since)} ${until(ban.until)} (${ports}); ${whyBanned(ban)}`,
    ...ban.actions.map(
      ({ action, confirmed, failure }) =>
        `  action ${action}: ${confirmed ? 'confirmed' : failure === null ? 'not confirmed yet' : `fails: ${failure}`}`,
    ),
  ]
  if (kernelFailure !== null) lines.push(`  kernel: not known, ${kernelFailure}`)
  else if (ban.sets !== null)
    lines.push(`  kernel: ${ban.sets.length > 0 ? `in ${ban.sets.join(', ')}` : styled('red', 'not there')}`)
  return lines.join('\n')
}

function whyBanned({ jail, failures, count }: BanStanding): string {
  const list = listOfJail(jail)
  if (list !== null) return `an entry of the list ${list}`
  if (failures > 0) return `ban ${count}, for ${counted(failures, 'failure')}`
  return jail === 'manual' ? 'by hand' : `ban ${count}, by hand or taken over from the firewall`
}

function jailsTable({ jails, at }: AddressExplanation): string {
  return table(
    ['JAIL', 'MODE', 'FAILURES', 'WITHIN', 'OLDEST FALLS OUT', 'BANS BEFORE', 'NEXT BAN'],
    jails.map((jail) => [
      jail.jail,
      jail.mode,
      `${jail.failures.length} of ${jail.maxretry}`,
      duration(jail.findtimeMs),
      oldestOut(jail, at),
      jail.bansBefore,
      jail.nextBanMs === null ? 'for ever' : duration(jail.nextBanMs),
    ]),
  )
}

function oldestOut({ failures, findtimeMs }: JailStanding, at: number): string {
  const [oldest] = failures
  return oldest === undefined ? '' : `in ${duration(oldest + findtimeMs - at)} (${time(oldest + findtimeMs)})`
}

/** Addresses of a network that are named. */
const membersShown = 10

function networkText(network: NonNullable<JailStanding['network']>): string {
  const { prefix, failures, needed, addresses, addressesCount, addressesNeeded } = network
  const named = addresses.slice(0, membersShown).map((each) => `${each.address} (${each.failures})`)
  const more = addressesCount > named.length ? ` and ${addressesCount - named.length} more` : ''
  const enough = `${addressesCount} of at least ${addressesNeeded} addresses`
  return `counts ${failures} of ${needed} failures of the network ${prefix}, by ${enough}: ${named.join(', ')}${more}`
}

function remarks(
  { jail, spared, network, refusal, skewMs, bansBefore, nextBanMs }: JailStanding,
  { prefix }: AddressExplanation,
): string[] {
  const lines: string[] = []
  if (spared !== null) {
    const place = spared.place === null ? '' : ` (${spared.place})`
    lines.push(
      `${jail} spares it: ${spared.why}${place}; ${counted(spared.failures, 'failure')} ignored since the start`,
    )
  }
  if (network !== null && network.failures > 0) lines.push(`${jail} ${networkText(network)}`)
  if (refusal !== null) lines.push(`${jail}: an action refused to ban ${prefix}: ${refusal}`)
  if (skewMs !== null)
    lines.push(
      `${jail}: its live lines are dated ${duration(Math.abs(skewMs))} ${skewMs > 0 ? 'ahead' : 'behind'}, and count when they arrive`,
    )
  if (bansBefore > 0)
    lines.push(
      `${jail}: its next ban would be number ${bansBefore + 1}, for ${nextBanMs === null ? 'ever' : duration(nextBanMs)}: it was banned ${counted(bansBefore, 'time')} before`,
    )
  return lines
}

const howEnded = {
  expired: 'its time was over',
  unbanned: 'ended by hand',
  ignored: 'ended since it is never banned',
} as const

function pastText(ban: PastBan): string {
  const { prefix, jail, since, until: end, count, failures, ended, reason, evidence } = ban
  const over =
    ended === null
      ? until(end)
      : `until ${time(ended)}, ${reason === null ? 'then extended, or taken over' : howEnded[reason]}`
  const shown = evidence.slice(-linesShown)
  const rules = [
    ...new Set(shown.map(({ rule, version }) => (rule === '' ? '' : `${rule} (version ${version})`))),
  ].filter(Boolean)
  return [
    `${time(since)}  ${prefix}  ${jail}: ${over}; ban ${count}, ${counted(failures, 'failure')}`,
    ...shown.map(({ line }) => `    ${line}`),
    ...(rules.length > 0 ? [styled('dim', `    found by ${rules.join(', ')}`)] : []),
  ].join('\n')
}

function until(end: number | null): string {
  return end === null ? 'for ever' : `until ${time(end)}`
}

function time(at: number): string {
  return new Date(at).toISOString().replace(/\.\d+Z$/, 'Z')
}
