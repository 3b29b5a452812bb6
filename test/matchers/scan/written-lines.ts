/** Lines for comparing engines: made from patterns, put behind heads of all kinds, and spoiled. */
import { readRegex, type RegexNode } from '../../../matchers/scan/regex-syntax.ts'
import type { CompiledFilter, Pattern } from '../../../core/plugin.ts'
import type { Seeded } from './seeded.ts'

const addresses = ['192.0.2.7', '203.0.113.250', '2001:db8::7', '::ffff:192.0.2.7', '999.1.1.1', '::1', '1.2.3.4:80']
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec', 'Foo', 'may']
const days = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Son']
const zones = ['Z', '+00:00', '-05:30', '+0100', '+25:00', '', '+01']

/** A text that the expression of a pattern was led by; it need not match. */
export function textOf(pattern: Pattern, random: Seeded): string {
  return written(readRegex(pattern.ascii), random)
}

/** What the patterns of a filter see, more or less. */
export function messageOf({ failregex, prefregex, ignoreregex }: CompiledFilter, random: Seeded): string {
  const pattern = random.of(random.once(8) ? ignoreregex : failregex) ?? random.of(failregex)
  const text = pattern === undefined ? 'x' : textOf(pattern, random)
  if (prefregex === null) return text
  const before = textOf(prefregex, random)
  // What the prefregex leaves stands most often at its end.
  const at = random.below(before.length + 1)
  return random.once(3) ? before : before.slice(0, at) + text
}

/** So many lines for a filter, some behind heads of all kinds, some spoiled; none is so long that looking at it takes V8 long. */
export function linesOf(filter: CompiledFilter, count: number, random: Seeded): string[] {
  return Array.from({ length: count }, () => {
    const message = messageOf(filter, random)
    const plain = `Nov 22 13:41:02 h sshd[1]: ${message}`
    const line = random.once(3) ? plain : lineOf(message, filter.programs, random)
    return (random.once(2) ? spoiled(line, message, random) : line).replaceAll('\n', ' ').slice(0, 200)
  })
}

/** A message behind a date and a header, as services write them, or nearly. */
export function lineOf(message: string, programs: readonly string[] | null, random: Seeded): string {
  const program = (random.of(programs ?? ['cron']) ?? 'x').replace('*', random.once(2) ? '' : 'x')
  const head = `${random.once(12) ? 'h:' : 'web1'} ${random.once(9) ? 'cron' : program}${pid(random)} `
  const [hour, minute, second] = [two(random, 26), two(random, 61), two(random, 62)]
  const clock = `${hour}:${minute}:${second}`
  const year = random.of(['2026', '2024', '1969', '0999']) ?? ''
  const month = random.below(13) + (random.once(20) ? 0 : 1)
  const name = random.of(months) ?? ''
  const day = two(random, 33)
  const fraction = random.of(['', '.5', '.123456', ',123', '.']) ?? ''
  switch (random.below(9)) {
    case 0:
      return message
    case 1:
      return `${year}-${String(month).padStart(2, '0')}-${day}T${clock}${fraction}${random.of(zones)} ${head}${message}`
    case 2:
      return withAccessDate(message, `${day}/${name}/${year}:${clock} ${random.of(['+0000', '-0730', '+2500', 'UTC'])}`)
    case 3:
      return `${year}/${String(month).padStart(2, '0')}/${day} ${clock} ${message}`
    case 4:
      return `[${random.of(days)} ${name} ${day} ${clock}${fraction} ${year}]${message.replace(/^\[\]/, '')}`
    case 5:
      return `<38>${name} ${day} ${clock} ${head}${message}`
    case 6:
      return `${name} ${day} ${clock} web1 ${program}: message repeated ${random.below(9)} times: [ ${message}]`
    default:
      return `${name} ${day.replace(/^0/, random.once(3) ? '0' : ' ')} ${clock} ${head}${message}`
  }
}

/** A line with some small things changed, so that it may match no more, or another pattern. */
export function spoiled(line: string, other: string, random: Seeded): string {
  let text = line
  for (let times = random.below(4); times > 0; times--) {
    const at = random.below(text.length + 1)
    const end = at + random.below(6)
    const from = random.below(other.length + 1)
    switch (random.below(9)) {
      case 0:
        text = text.slice(0, at) + text.slice(end)
        break
      case 1:
        text = text.slice(0, at) + other.slice(from, from + random.below(40)) + text.slice(at)
        break
      case 2:
        text =
          text.slice(0, at) +
          (random.of(['é', '\u{1f600}', '\xff', '\0', '\t', '"', '] "', ': ', '  ']) ?? '') +
          text.slice(end)
        break
      case 3:
        text = text.slice(0, at) + String.fromCharCode(32 + random.below(95)) + text.slice(at + 1)
        break
      case 4:
        text = text.slice(0, at) + (random.of(addresses) ?? '') + text.slice(at)
        break
      case 5:
        text = text.slice(0, at) + text.slice(at, end).repeat(1 + random.below(80)) + text.slice(end)
        break
      case 6:
        text += random.of(['\r', ' ', 'x', '\r\r', ' [preauth]', ' ssh2']) ?? ''
        break
      case 7:
        text = text.slice(0, at) + 'a'.repeat(random.below(500)) + text.slice(at)
        break
      default:
        text = text.slice(0, at) + text.slice(at, end).toUpperCase() + text.slice(end)
    }
  }
  return text.replaceAll('\n', ' ')
}

function withAccessDate(message: string, date: string): string {
  return message.includes('[]')
    ? message.replace('[]', `[${date}]`)
    : `192.0.2.9 - - [${date}] "GET / HTTP/1.1" ${message}`
}

function pid(random: Seeded): string {
  return random.of(['[77]:', ':', '[1234567]:', '[]:', '[7]', '']) ?? ''
}

function two(random: Seeded, limit: number): string {
  return String(random.below(limit)).padStart(2, '0')
}

function written(node: RegexNode, random: Seeded): string {
  switch (node.type) {
    case 'set':
      return byteOf(node.ranges, random)
    case 'sequence':
      return node.items.map((item) => written(item, random)).join('')
    case 'alternation':
      return written(random.of(node.branches) ?? node, random)
    case 'group':
      return isAddress(node.item) && !random.once(10) ? (random.of(addresses) ?? '') : written(node.item, random)
    case 'repeat': {
      const more = Math.min(node.max - node.min, random.once(30) ? 300 : 6)
      return Array.from({ length: node.min + random.below(more + 1) }, () => written(node.item, random)).join('')
    }
    default:
      return ''
  }
}

/** What addresses are made of would hardly ever be one. */
function isAddress(node: RegexNode): boolean {
  const text = JSON.stringify(node)
  return text.length > 200 && text.includes('[48,57,65,70,97,102]')
}

/** Letters and digits are what most sets are meant for. */
function byteOf(ranges: readonly number[], random: Seeded): string {
  for (let tries = 0; tries < 6; tries++) {
    const at = 2 * random.below(ranges.length / 2 || 1)
    const [from = 120, to = 120] = [ranges[at], ranges[at + 1]]
    const code = from + random.below(to - from + 1)
    if (tries === 5 || /[\w ./:-]/.test(String.fromCharCode(code))) return code === 10 ? ' ' : String.fromCharCode(code)
  }
  return ''
}
