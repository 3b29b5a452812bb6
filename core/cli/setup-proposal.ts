/** Makes a configuration of what a host has. */
import type { Address } from '../address.ts'
import { printable } from '../errors.ts'
import { asTyped } from './as-typed.ts'
import type { FittingFilter, HostFacts } from './host-facts.ts'

/** A jail of the proposal, switched on or left as a comment. */
export interface ProposedJail {
  readonly jail: string
  readonly on: boolean
  readonly service: string
  /** Why it is proposed, or why it is not on. */
  readonly reason: string
  /** Where its lines are. */
  readonly source: string
  readonly sourceState: FittingFilter['sourceState']
  /** What is written in place of `on`; null: the ports of the filter suffice. */
  readonly ports: readonly number[] | null
}

export interface Proposal {
  readonly jails: readonly ProposedJail[]
  /** The whole file. */
  readonly yaml: string
}

export interface ProposalOptions {
  /** From where the person at the terminal is logged in. */
  readonly session: Address | null
  /** Whether that is to be written into ignoreip; otherwise it is a comment. */
  readonly ignoreSession: boolean
  /** Whether nobody is to be banned at first. */
  readonly observe: boolean
}

/** More ports in one list are rather a mistake of looking than ports of a service. */
const mostPorts = 15

/** Names only services that are there. What is not sure stands in it as a comment, with the reason. */
export function propose({ filters }: HostFacts, options: ProposalOptions): Proposal {
  const jails = filters.map(toJail)
  return { jails, yaml: toYaml(jails, options) }
}

function toJail({
  filter,
  service,
  usual,
  source,
  sourceState,
  sourceShared,
  ports,
  description,
}: FittingFilter): ProposedJail {
  const all = [...new Set([...ports, ...service.ports])].toSorted((a, b) => a - b)
  const more = ports.length > 0 && all.length > ports.length && all.length <= mostPorts
  const { active, switchedOn } = service
  // That somebody writes to the log of the system says nothing of a program that is only installed.
  const logs = sourceState === 'there' && (switchedOn || !sourceShared)
  const expected = logs || (switchedOn && sourceState === 'expected')
  // Everybody wants sshd watched: its jail waits for the log.
  const on = usual && (active || expected || filter === 'sshd')
  const reason = on
    ? `${service.name}: ${service.sign}`
    : usual
      ? `${service.name}: ${service.sign}, but it neither runs nor has a log`
      : description
  return {
    jail: filter,
    on,
    service: service.name,
    reason: printable(reason),
    source,
    sourceState,
    ports: more ? all : null,
  }
}

function toYaml(jails: readonly ProposedJail[], { session, ignoreSession, observe }: ProposalOptions): string {
  const on = jails.filter((jail) => jail.on)
  const off = jails.filter((jail) => !jail.on)
  const lines = [
    '# Written by "bailiff setup" for what this host had. Nothing is on that is not named here.',
    asTyped('# "bailiff check" tells whether it is right; "bailiff reload" makes a running agent read it again.'),
    '',
    ...(observe
      ? ['# Nobody is banned while this stands here: everything is only counted and told.', 'observe: true', '']
      : []),
    'defaults:',
    '  findtime: 10m # failures count while they lie within this time …',
    '  maxretry: 5 # … and this many of them are a ban',
    '  bantime: { base: 1h, increment: true, max: 1w } # each ban of an address doubles the last',
    '',
    ...ignoreLines(session, ignoreSession),
    on.length === 0 ? 'jails: {}' : 'jails:',
    ...on.flatMap((jail) => [`  # ${jail.reason}; ${jail.source}`, `  ${jail.jail}: ${valueOf(jail)}`]),
  ]
  if (off.length > 0) lines.push('', '  # There are also:')
  for (const jail of off) lines.push(`  # ${jail.jail}: ${valueOf(jail)} # ${jail.reason}`)
  return `${lines.join('\n')}\n`
}

function ignoreLines(session: Address | null, ignore: boolean): string[] {
  const own = '# Never banned, beside the addresses of this machine, its gateways and its name servers.'
  if (session !== null && ignore) return [own, 'ignoreip:', `  - ${session} # from here it was set up`, '']
  const example = session === null ? '192.0.2.0/24' : `${session} # from here it was set up`
  return [own, '# ignoreip:', `#   - ${example}`, '']
}

function valueOf({ ports }: ProposedJail): string {
  return ports === null ? 'on' : `{ ports: [${ports.join(', ')}] }`
}
