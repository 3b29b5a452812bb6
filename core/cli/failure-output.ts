import { printable } from '../errors.ts'
import { addressBytes, parseAddress } from '../address.ts'
import { text } from '../fail2ban/lines/failure-id.ts'
import type { GroupValue } from '../fail2ban/lines/line-hit.ts'
import type { RawFailure } from '../fail2ban/lines/raw-failure.ts'
import type { TestedFailure } from './tested-filter.ts'

/** A failure, perhaps with all names of groups that its patterns have. */
type PrintedFailure = RawFailure & Partial<Pick<TestedFailure, 'names' | 'isWhole'>>

/** The lines that `-o FORMAT` prints for one failure: control characters of the log are escaped. */
export type FailureOutput = (failure: PrintedFailure) => readonly string[]

/**
 * The formats of `fail2ban-regex -o`: `id` (or `fid`), `ip`, `msg`, `row`, the name of a group, or any text with tags:
 * `<ip>`, `<fid>`, `<family>`, `<ip-rev>`, `<time>`, `<failures>`, `<matches>`, `<msg>`, `<F-USER>` and all other groups.
 */
export function failureOutput(format: string): FailureOutput {
  if (format === 'row') return rowOf
  const write = outputs[format]
  if (write !== undefined) return (failure) => write(failure).map(printable)
  return format.includes('<') ? tagged(format) : (failure) => grouped(format)(failure).map(printable)
}

const outputs: Readonly<Record<string, FailureOutput>> = {
  id: ({ id }) => [String(id)],
  fid: ({ id }) => [String(id)],
  ip: ({ id, ip }) => [String(ip ?? id)],
  msg: ({ lines }) => lines,
}

/** Its tabs are meant. */
function rowOf(failure: PrintedFailure): readonly string[] {
  const parts = [python(failure.id), pythonTime(failure), pythonGroups(failure)]
  return [`[${parts.map(printable).join(',\t')}],`]
}

function grouped(name: string): FailureOutput {
  return ({ groups, users, lines }) => {
    if (name === 'users') return [`{${users.map(python).join(', ')}}`]
    if (name === 'matches') return [`[${lines.map(python).join(', ')}]`]
    const value = groups[name]
    return [value === undefined ? 'None' : text(value)]
  }
}

function tagged(format: string): FailureOutput {
  const filled = (failure: RawFailure, message: string) =>
    format.replace(/<([\w.-]+)>/g, (tag: string, name: string) =>
      name === 'msg' ? printable(message) : (tagValue(failure, name) ?? tag),
    )
  return (failure) => {
    const messages = format.includes('<msg>') ? failure.lines : failure.lines.slice(0, 1)
    return (messages.length === 0 ? [''] : messages).map((message) => filled(failure, message))
  }
}

function tagValue(failure: PrintedFailure, name: string): string | null {
  const group = /^F-([A-Z0-9_-]+)$/.exec(name)?.[1]
  if (group !== undefined) return printable(groupValue(failure, group.toLowerCase()))
  const ip = printable(failure.ip ?? failure.id ?? '')
  const address = parseAddress(ip)
  const values: Readonly<Record<string, () => string>> = {
    ip: () => ip,
    fid: () => printable(failure.id ?? ''),
    family: () => (address === null ? '' : address.includes(':') ? 'inet6' : 'inet4'),
    'ip-rev': () => (address === null ? '' : `${reversed(addressBytes(address))}.`),
    time: () => pythonTime(failure),
    failures: () => '0',
    restored: () => '0',
    matches: () => failure.lines.map(printable).join('\n'),
    br: () => '\n',
    sp: () => ' ',
  }
  return values[name]?.() ?? null
}

function groupValue({ groups, users }: RawFailure, name: string): string {
  if (name === 'users') return users.join(', ')
  const value = groups[name]
  return value === undefined ? '' : text(value)
}

function reversed(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.toReversed().join('.')
  return [...Buffer.from(bytes).toString('hex')].toReversed().join('.')
}

/** A time as Python writes it: a float, but for those of dates with a zone. */
function pythonTime({ time, isWhole = false }: PrintedFailure): string {
  if (time === null) return 'None'
  return Number.isInteger(time) && !isWhole ? `${time}.0` : String(time)
}

/** Groups as Python's dictionary of them; those of `names` that captured nothing are None. */
export function pythonDictionary(groups: Readonly<Record<string, GroupValue>>, names: readonly string[]): string {
  const all = { ...Object.fromEntries(names.map((name) => [name, null])), ...groups }
  return `{${Object.entries(all)
    .map(([name, value]) => `${python(name)}: ${python(value)}`)
    .join(', ')}}`
}

function python(value: GroupValue | null): string {
  return value === null ? 'None' : typeof value === 'string' ? text([value]).slice(1, -1) : text(value)
}

function pythonGroups({ groups, users, names = [] }: PrintedFailure): string {
  const written = pythonDictionary(groups, names)
  if (users.length === 0) return written
  const more = `'users': {${users.map(python).join(', ')}}`
  return `${written.slice(0, -1)}${written === '{}' ? '' : ', '}${more}}`
}
