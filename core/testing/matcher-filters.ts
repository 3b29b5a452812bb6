/** Filters and lines that matchers are tried with. */
import { compileFilter, type FilterSource } from '../matching/filters.ts'
import type { CompiledFilter, FieldCheck, Structure } from '../plugin.ts'

/** Filters with every feature of the language that a matcher has to get right. */
export const matcherFilters: readonly CompiledFilter[] = [
  filter({ programs: ['sshd'], failregex: ['^Failed .* from <HOST>$', '^(?:Bad|Very bad) thing from <HOST>$'] }),
  filter({ programs: ['mail*/smtpd', '-'], failregex: ['^bye <HOST>$'] }),
  filter({ failregex: ['"GET <F-PATH>\\S+</F-PATH>" from <HOST>$'], ignoreregex: ['/ok"'] }),
  filter({ failregex: ['(?i)alarm.*<HOST>', '^<HOST> knocks'] }),
  filter({ prefregex: '^app: <F-CONTENT>.*</F-CONTENT>$', failregex: ['<HOST>', '^no <ADDR>'] }),
  filter({ failregex: ['^\\w+ <F-USER>[^"]{0,5}?</F-USER> by \\[?<ADDR>\\]?(?: twice)?\\b'] }),
  fields({ a: { type: 'equal', texts: ['x', '1'] } }),
  fields({ 'b.c': { type: 'contains', texts: ['GET'] }, a: { type: 'not', of: { type: 'equal', texts: ['x'] } } }),
]
/** What lines are made of: each filter's words, and what may stand where it does not belong. */
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

/** Blocks of some lines of chance, the same for the same seed (mulberry32). */
export function linesOfChance(seed: number): () => string[] {
  let state = seed
  const below = (limit: number): number => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit)
  }
  const line = () => Array.from({ length: below(7) }, () => pieces[below(pieces.length)] ?? '').join('')
  return () => Array.from({ length: 1 + below(8) }, line)
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
