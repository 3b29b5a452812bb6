/** The ports of a ban of a jail of a Fail2ban tree, as numbers. */
import { BailiffError, type Where } from './errors.ts'
import type { Ports } from './events.ts'
import { portsOf } from './fail2ban/running/jail-ports.ts'
import type { TreeJail } from './fail2ban/tree/tree-jail.ts'
import { maxPortsEach } from './firewall/messages.ts'
import { parsePorts, toPorts } from './settings/port-names.ts'

/** Who hears of what is not as the tree says: what is wrong with it, and what a ban covers otherwise. */
export interface PortNews {
  readonly problems: BailiffError[]
  readonly warnings: BailiffError[]
  /** Where an option of the jail stands. */
  readonly at: (option: string) => Where
}

/**
 * What the tree says of ports. A word that is no port is told, and the others hold; where there are none, or more than the
 * firewall takes, all traffic is covered, and that is told.
 */
export function portsOfTreeJail(jail: TreeJail, { problems, warnings, at }: PortNews): Ports {
  const { ports: words, protocol, odd } = portsOf(jail)
  for (const message of odd) warnings.push(new BailiffError('config', message, { where: at('protocol') }))
  if (words.length === 0) return toPorts([], protocol)
  const where = at('port')
  const ports = new Set<number>()
  const wrong: string[] = []
  for (const word of words) {
    try {
      for (const port of numbersOf(word)) ports.add(port)
    } catch (error) {
      if (!(error instanceof BailiffError)) throw error
      wrong.push(error.message)
    }
  }
  const sorted = [...ports].toSorted((one, other) => one - other)
  if (wrong.length > 0) {
    const left = sorted.length === 0 ? 'all traffic, for no port is left' : `the others: ${sorted.join(', ')}`
    problems.push(new BailiffError('config', `${wrong.join('; ')}. Bans cover ${left}`, { where }))
  }
  if (sorted.length <= maxPortsEach) return toPorts(sorted, protocol)
  const message = `bans cover all traffic: ${sorted.length} ports are more than the ${maxPortsEach} that the firewall takes`
  warnings.push(new BailiffError('config', message, { where }))
  return toPorts([], protocol)
}

/** The ports of a word. The ends of a range may be names; a name may have a dash itself. Throws as `parsePorts` does. */
function numbersOf(word: string): readonly number[] {
  const [, first = '', last = ''] = /^(\w+)-(\w+)$/.exec(word) ?? []
  if (first === '' || (!/^\d+$/.test(first) && isPort(word))) return parsePorts([word])
  // No packet that concerns anybody goes to port 0.
  const [from, to] = [first === '0' ? 1 : parsePorts([first])[0], parsePorts([last])[0]]
  if (from === undefined || to === undefined || from > to)
    throw new BailiffError('config', `"${word}" is no range of ports`)
  return Array.from({ length: to - from + 1 }, (_, index) => from + index)
}

function isPort(word: string): boolean {
  try {
    return parsePorts([word]).length > 0
  } catch {
    return false
  }
}
