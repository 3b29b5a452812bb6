import { hostname } from 'node:os'
import { addressBytes, parseAddress, parsePrefix } from '../../address.ts'
import type { Failure } from '../../events.ts'

/** A command for `sh`: the script, and what stands for `$0`, `$1` … in it. */
export interface ShellCommand {
  readonly script: string
  readonly values: readonly string[]
}

/** What tags of the surroundings stand for. */
export interface TagSurroundings {
  readonly bantimeSeconds: number
  /** The name of the address, by the name server; asked only where `<ip-host>` stands. */
  readonly hostOf: (ip: string) => Promise<string | null>
}

/** Characters that mean something to a shell, as Fail2ban has them: a value with one never stands in the script itself. */
const special = /[\\#&;`|*?~<>^()[\]{}$'"\n\r]/
const tag = /<([^ <>]+)>/g
const captured = /<F-([A-Z0-9_-]+)>/g

/**
 * Puts the values of a failure in the place of the tags of a command, as Fail2ban does: those with characters that a
 * shell knows are passed as arguments, and the script gets variables; others stand in it bare. Values are never looked
 * at for tags again. Tags that nothing has stay, but `<F-X>` becomes empty.
 */
export async function replaceTags(
  text: string,
  failure: Failure,
  surroundings: TagSurroundings,
): Promise<ShellCommand> {
  const host = text.includes('<ip-host>') ? await surroundings.hostOf(failure.ip ?? failure.id) : null
  return replaceKnownTags(text, failure, surroundings, host)
}

/** As `replaceTags`, where `<ip-host>` does not stand in the text, or its value is known. */
export function replaceKnownTags(
  text: string,
  failure: Failure,
  { bantimeSeconds }: Pick<TagSurroundings, 'bantimeSeconds'>,
  host: string | null = null,
): ShellCommand {
  const variables = new Map<string, string>()
  const safe = (name: string, value: string) => {
    if (!special.test(value)) return value
    const variable = `f2bV_${name.replaceAll(/[^\w]/g, '_')}`
    variables.set(variable, value)
    return `$${variable}`
  }
  const withTags = text.replaceAll(tag, (whole, name: string) => {
    const value = valueOf(name, failure, bantimeSeconds, host)
    if (value !== undefined) return safe(name, value)
    return surroundingValue(name) ?? whole
  })
  const script = withTags.replaceAll(captured, (_, name: string) => {
    const option = optionOf(name)
    const value = failure.groups[option]
    return value === undefined ? '' : safe(`F_${option}`, value)
  })
  if (variables.size === 0) return { script, values: [] }
  const assignments = [...variables.keys()].map((variable, index) => `${variable}=$${index} `).join('')
  return { script: `${assignments}\n${script}`, values: [...variables.values()] }
}

function valueOf(name: string, failure: Failure, bantimeSeconds: number, host: string | null): string | undefined {
  const ip = failure.ip ?? failure.id
  switch (name) {
    case 'ip':
      return ip
    case 'fid':
      return failure.id
    case 'family':
      return familyOf(ip)
    case 'ip-rev':
      return reversed(ip)
    case 'ip-host':
      return host ?? 'None'
    // A failure that is being looked at has counted nothing yet.
    case 'failures':
    case 'bancount':
    case 'restored':
    case 'ipfailures':
    case 'ipjailfailures':
      return '0'
    case 'time':
      return pythonFloat((failure.time ?? 0) / 1000)
    case 'bantime':
      return String(Math.trunc(bantimeSeconds))
    case 'matches':
    case 'ipmatches':
    case 'ipjailmatches':
      return failure.lines.join('\n')
    default:
      return undefined
  }
}

/** These are not escaped there either; nobody writes them from outside. */
function surroundingValue(name: string): string | undefined {
  if (name === 'br') return '\n'
  if (name === 'sp') return ' '
  if (name === 'fq-hostname') return hostname()
  return name === 'sh-hostname' ? hostname().replace(/\..*/, '') : undefined
}

/** The name of the group that a tag `<F-…>` fills. */
function optionOf(name: string): string {
  const option = name.toLowerCase()
  return option === 'id' ? 'fid' : option === 'port' ? 'fport' : option
}

function familyOf(ip: string): string {
  const prefix = parsePrefix(ip)
  return prefix === null ? 'None' : prefix.includes(':') ? 'inet6' : 'inet4'
}

/** For look-ups in the reverse tree: the parts from the last to the first, each followed by a dot. */
function reversed(ip: string): string {
  const address = parseAddress(ip)
  if (address === null) return ''
  const bytes = addressBytes(address)
  const parts = bytes.length === 4 ? [...bytes].map(String) : [...Buffer.from(bytes).toString('hex')]
  return `${parts.toReversed().join('.')}.`
}

function pythonFloat(value: number): string {
  return Number.isInteger(value) ? `${value}.0` : String(value)
}
