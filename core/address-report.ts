/** What is known of an address, put together from what an agent holds, or what it left in its store. */
import { parseAddress, type Address, type Prefix } from './address.ts'
import type { AddressExplanation, BanStanding, JailStanding, PastBan } from './control/api.ts'
import type { Evidence } from './events.ts'
import { placeOf } from './jails.ts'
import type { Judge, Standing } from './judging/judge.ts'
import { leastAddresses, networkOf } from './judging/networks.ts'
import type { JailSettings } from './settings/jail.ts'
import type { HistoryEntry } from './store/store.ts'

/** Addresses of a network that are told. */
const mostMembers = 50
/** Bans of the past that are told. */
const mostPastBans = 50

/** Where the parts of a report come from. */
export interface ReportSources {
  /** Unix milliseconds. */
  readonly at: number
  readonly running: boolean
  readonly observe: boolean
  readonly pausedSince: number | null
  readonly jails: readonly Pick<JailSettings, 'name' | 'mode' | 'maxretry' | 'findtimeMs' | 'ignore'>[]
  readonly judge: Judge
  readonly bans: readonly BanStanding[]
  readonly history: (prefix: Prefix, limit: number) => Promise<readonly HistoryEntry[]>
  readonly refusal: (prefix: Prefix, jail: string) => string | undefined
  readonly refusedByFirewall: string | null
  readonly kernel: AddressExplanation['kernel']
  readonly kernelFailure: string | null
}

export async function reportOn(prefix: Prefix, sources: ReportSources): Promise<AddressExplanation> {
  const { at, running, observe, pausedSince, bans, refusedByFirewall, kernel, kernelFailure } = sources
  const address = parseAddress(prefix)
  const network = address === null ? null : networkOf(address)
  const past = await Promise.all(
    [prefix, ...(network === null ? [] : [network])].map((each) => sources.history(each, mostPastBans)),
  )
  const history = past.flat().toSorted((a, b) => b.since - a.since)
  return {
    prefix,
    at,
    running,
    observe,
    pausedSince,
    bans,
    history: history.slice(0, mostPastBans).map(pastBan),
    jails: sources.jails.flatMap((jail) => standingWith(jail, prefix, sources) ?? []),
    refusedByFirewall,
    kernel,
    kernelFailure,
  }
}

function standingWith(
  { name, mode, maxretry, findtimeMs, ignore }: ReportSources['jails'][number],
  prefix: Prefix,
  { judge, at, observe, refusal }: ReportSources,
): JailStanding | undefined {
  const standing = judge.standing(prefix, name)
  if (standing === undefined) return undefined
  const { failures, network, spared, bansBefore, nextBanMs, skewMs } = standing
  // What spares it and is no rule of the jail is an allowance, which beats them all.
  const why = judge.sparing(prefix, name)
  const rule = why === undefined || why === standing.rule?.why ? standing.rule : { kind: 'allow', entry: prefix, why }
  const where = rule === null ? undefined : ignore.places[rule.entry]
  return {
    jail: name,
    mode: observe ? 'observe' : mode,
    maxretry,
    findtimeMs,
    failures: failures.filter((time) => time >= at - findtimeMs),
    network: network && ofNetwork(network, maxretry, at - findtimeMs),
    spared: rule && { ...rule, place: where === undefined ? null : placeOf(where), failures: spared },
    bansBefore,
    nextBanMs,
    refusal: refusal(prefix, name) ?? null,
    skewMs,
  }
}

/** What counts of a network that is banned as a whole at twice `maxretry`. */
function ofNetwork(
  { prefix, failures }: NonNullable<Standing['network']>,
  maxretry: number,
  from: number,
): NonNullable<JailStanding['network']> {
  const counts = new Map<Address, number>()
  let all = 0
  for (const { address, time, attempts } of failures) {
    if (time < from) continue
    counts.set(address, (counts.get(address) ?? 0) + attempts)
    all += attempts
  }
  const addresses = [...counts].map(([address, count]) => ({ address, failures: count }))
  return {
    prefix,
    failures: all,
    needed: 2 * maxretry,
    addresses: addresses.toSorted((a, b) => b.failures - a.failures).slice(0, mostMembers),
    addressesCount: addresses.length,
    addressesNeeded: leastAddresses,
  }
}

function pastBan({ prefix, jail, since, until, count, failures, ended, reason, lines, rules }: HistoryEntry): PastBan {
  const evidence = lines.map((line, index): Evidence => {
    const [rule = '', version = ''] = splitName(rules?.[index] ?? '')
    return { line, rule, version }
  })
  return { prefix, jail, since, until, count, failures, ended, reason, evidence }
}

/** Place and version of the name of a rule (`ruleName`). */
function splitName(name: string): readonly string[] {
  const at = name.lastIndexOf(' ')
  return at < 0 ? [name] : [name.slice(0, at), name.slice(at + 1)]
}
