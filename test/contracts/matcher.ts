import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { parseAddress } from '../../core/address.ts'
import { compileFilter, type FilterSource } from '../../core/matching/filters.ts'
import { LineReader } from '../../core/matching/lines.ts'
import type { CompiledFilter, FieldCheck, LineHead, MatcherPlugin, Pattern, Structure } from '../../core/plugin.ts'
import { suite } from '../suite.ts'
import { holdsPlainly, parsed, valueAt } from './fields-of-json.ts'

/** Filters with every feature of the language that a matcher has to get right. */
const filters = [
  filter({ programs: ['sshd'], failregex: ['^Failed .* from <HOST>$', '^(?:Bad|Very bad) thing from <HOST>$'] }),
  filter({ programs: ['mail*/smtpd', '-'], failregex: ['^bye <HOST>$'] }),
  filter({ failregex: ['"GET <F-PATH>\\S+</F-PATH>" from <HOST>$'], ignoreregex: ['/ok"'] }),
  filter({ failregex: ['(?i)alarm.*<HOST>', '^<HOST> knocks'] }),
  filter({ prefregex: '^app: <F-CONTENT>.*</F-CONTENT>$', failregex: ['<HOST>', '^no <ADDR>'] }),
  filter({ failregex: ['^\\w+ <F-USER>[^"]{0,5}?</F-USER> by \\[?<ADDR>\\]?(?: twice)?\\b'] }),
  fields({ a: { type: 'equal', texts: ['x', '1'] } }),
  fields({ 'b.c': { type: 'contains', texts: ['GET'] }, a: { type: 'not', of: { type: 'equal', texts: ['x'] } } }),
]
const pieces = [
  'Failed ',
  'x from ',
  '192.0.2.1',
  '2001:db8::1',
  '[::1]',
  '1.2.3.4.5',
  'Bad thing from ',
  '"GET /a"',
  '"GET /ok"',
  ' from ',
  'aLArm ',
  ' knocks',
  'app: ',
  'no ',
  '{"ip":"192.0.2.7",',
  '"a":"x",',
  '"a":1,',
  '"b":{"c":"\\u0047ET"},',
  '"b":{"c":["no","GET /"]},',
  '"z":0}',
  'é',
  'é b by ',
  'w b by ',
  ' twice',
  ' ',
  'Nov 22 13:41:02 h sshd[1]: ',
  'Nov 22 13:41:02 h cron[1]: ',
  'Nov 22 13:41:02 h mail-in/smtpd[1]: ',
  'bye ',
  '2026-11-22T13:41:02Z ',
  '\0',
  '\r',
]

/** What every matcher keeps: of the filters it takes it finds exactly what the plain patterns find, line by line. */
export function matcherContract(name: string, plugin: MatcherPlugin): void {
  const test = suite(`matcher ${name} keeps the contract`)

  test('what it took and what it left are all filters, each once', () => {
    const { took, left = [] } = plugin.compile(filters)
    assert.equal([...took, ...left.map((one) => one.filter)].toSorted(), [...filters.keys()])
    for (const { reason } of left) assert.ok(reason.length > 0)
    assert.equal(plugin.compile([]).took, [])
  })

  test('it finds what the plain patterns find, whatever stands in the lines', () => {
    const line = fc.array(fc.constantFrom(...pieces), { maxLength: 6 }).map((some) => some.join(''))
    fc.assert(
      fc.property(fc.array(line, { minLength: 1, maxLength: 8 }), (lines) => {
        assert.equal(foundBy(plugin, lines), foundPlainly(plugin, lines))
      }),
      { seed: 11, numRuns: 2000 },
    )
  })

  test('a scanner may be used again and again, and after another', () => {
    const [one, two] = [plugin.compile(filters), plugin.compile(filters.slice(0, 1))]
    const lines = [
      'Nov 22 13:41:02 h sshd[1]: Failed x from 192.0.2.1',
      'Nov 22 13:41:02 h sshd[1]: Failed x from 192.0.2.2',
      '{"ip":"192.0.2.7","a":"x"}',
      '{"ip":"192.0.2.8","a":"x"}',
    ]
    const first = foundBy({ compile: () => one }, lines)
    foundBy({ compile: () => two }, ['', ...lines])
    assert.equal(foundBy({ compile: () => one }, lines), first)
    assert.ok(first.length === 2)
    one.dispose?.()
    two.dispose?.()
  })
  test.run()
}

function filter(source: Partial<FilterSource>): CompiledFilter {
  return compileFilter({ name: 'test', programs: null, prefregex: null, failregex: [], ignoreregex: [], ...source })
}

/** Every condition must hold of its field. */
function fields(checks: Readonly<Record<string, FieldCheck>>): CompiledFilter {
  const path = (key: string) => ({ key, steps: key.split('.') })
  const conditions = Object.entries(checks).map(([key, check]) => ({ field: path(key), check }))
  const structure: Structure = {
    format: 'json',
    match: [{ text: '', conditions }],
    ignore: [],
    address: [path('ip')],
    forwarded: [],
    time: [],
    user: [],
  }
  return { ...filter({}), structure }
}

type Found = [line: number, filter: number, rule: number, address: string]

function foundBy(plugin: MatcherPlugin, lines: readonly string[]): Found[] {
  const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''))
  const found: Found[] = []
  const scanner = plugin.compile(filters)
  scanner.scan(
    new LineReader().block(bytes, bytes.toString('latin1'), 0),
    ({ filter: index, rule, start, address }) => {
      const number = bytes.subarray(0, start).filter((byte) => byte === 10).length
      if (parseAddress(address) !== null) found.push([number, index, rule, address])
    },
  )
  return found.toSorted(byPlace)
}

/** The same, line by line and pattern by pattern, as the language says it. */
function foundPlainly(plugin: MatcherPlugin, lines: readonly string[]): Found[] {
  const { took } = plugin.compile(filters)
  const found: Found[] = []
  for (const [number, line] of lines.entries()) {
    const bytes = Buffer.from(`${line}\n`)
    const head = new LineReader().block(bytes, bytes.toString('latin1'), 0).head(0, bytes.length - 1)
    for (const index of took) {
      const hit = plainly(filters[index]!, head)
      if (hit !== null && parseAddress(hit[1]) !== null) found.push([number, index, ...hit])
    }
  }
  return found.toSorted(byPlace)
}

function plainly(
  { programs, prefregex, failregex, ignoreregex, structure }: CompiledFilter,
  head: LineHead,
): [rule: number, address: string] | null {
  if (structure !== null) return plainlyByField(structure, head)
  const syslog = programs?.some((name) => isNamed(name, head.syslog?.program)) ? head.syslog : null
  if (programs !== null && syslog === null && head.time !== null && !programs.includes('-')) return null
  const text = syslog === null ? head.undated : syslog.message
  const match = (pattern: Pattern, on: string) =>
    new RegExp(head.ascii ? pattern.ascii : pattern.unicode, pattern.flags + (head.ascii ? '' : 'u')).exec(on)
  const group = (pattern: Pattern, result: RegExpExecArray | null, tag: string) =>
    pattern.groups
      .map((each, index) => (each === tag ? result?.[index + 1] : undefined))
      .find((value) => value !== undefined && value !== '')
  if (ignoreregex.some((pattern) => match(pattern, text))) return null
  const before = prefregex && match(prefregex, text)
  if (prefregex && !before) return null
  const content = prefregex?.groups.includes('content') ? (group(prefregex, before, 'content') ?? '') : text
  for (const [rule, pattern] of failregex.entries()) {
    const result = match(pattern, content)
    if (result) return [rule, group(pattern, result, 'addr') ?? (prefregex && group(prefregex, before, 'addr')) ?? '']
  }
  return null
}

/** Whether the name, in which a `*` is any text, is that of the program. */
function isNamed(name: string, program: string | undefined): boolean {
  if (program === undefined) return false
  const [start = '', end] = name.split('*')
  if (end === undefined) return name === program
  return program.length >= start.length + end.length && program.startsWith(start) && program.endsWith(end)
}

function plainlyByField(structure: Structure, head: LineHead): [rule: number, address: string] | null {
  const { undated, syslog } = head
  const text = undated.startsWith('{') ? undated : (syslog?.message ?? '')
  const rule = structure.match.findIndex((one) => holdsPlainly(one, text))
  const ip = rule < 0 ? undefined : valueAt(parsed(text) ?? {}, { key: 'ip', steps: ['ip'] })
  return typeof ip === 'string' ? [rule, ip] : null
}

function byPlace(a: Found, b: Found): number {
  return a[0] - b[0] || a[1] - b[1]
}
