/** Reads what a filter asks of the fields of structured lines: conditions, and the fields of address, time and user. */
import { BailiffError, quote } from '../errors.ts'
import type { FieldCheck, FieldPath, FieldRule, Structure } from '../plugin.ts'
import { inWords, unknownOption } from './option-kinds.ts'
import type { PatternText } from './filter-file.ts'
import { isRecord, type Sourced } from './sourced.ts'

/** What a filter says of fields, beside its rules. */
export interface RawStructure {
  readonly format?: 'json' | 'logfmt' | undefined
  readonly match?: unknown
  readonly ignore?: unknown
  readonly address?: string[] | undefined
  readonly forwarded?: string[] | undefined
  readonly time?: string[] | undefined
  readonly user?: string[] | undefined
}

const ofFields = ['match', 'ignore', 'address', 'forwarded', 'time', 'user'] as const
const ofText = ['prefregex', 'failregex', 'ignoreregex']

/**
 * The structure of a filter with a format, with the rules that hold in all modes; null for one of plain text.
 * Options that belong to the other kind are a problem, in modes too.
 */
export function readStructure(
  raw: RawStructure,
  given: Sourced,
  problems: BailiffError[],
): Structure<PatternText> | null {
  const isPlain = raw.format === undefined
  const places = [
    given,
    ...given
      .at('modes')
      .keys()
      .map((mode) => given.at('modes', mode)),
  ]
  const foreign = places.flatMap((place) =>
    (isPlain ? ofFields : ofText).flatMap((key) => (place.at(key).value === undefined ? [] : [place.whereKey(key)])),
  )
  const [only, instead] = isPlain
    ? ['fields of structured lines', 'add format: json or format: logfmt']
    : ['lines of plain text', 'a filter with a format has match and ignore: { field: { regex: … } }']
  for (const where of foreign)
    problems.push(new BailiffError('config', `is only for ${only}`, { where, hint: instead }))
  if (raw.format === undefined) return null
  const fields = separated((raw.address ?? []).map(fieldPath), (raw.forwarded ?? []).map(fieldPath))
  return {
    format: raw.format,
    match: readRules(given.at('match'), problems),
    ignore: readRules(given.at('ignore'), problems),
    ...fields,
    time: (raw.time ?? []).map(fieldPath),
    user: (raw.user ?? []).map(fieldPath),
  }
}

/** Names of headers in which proxies say whom they speak for, and any client can say so, too; `-` and `_` are the same. */
const forwardingHeader =
  /(?:^|[-.$])(?:(?:x-)?(?:original-|envoy-)?forwarded(?:-for)?|xff|(?:x-)?real-ip|x-client-ip|http-client-ip|true-client-ip|(?:x-)?cluster-client-ip|(?:cf-|do-)?connecting-ip|fastly-client-ip|x-originating-ip|x-remote-(?:ip|addr)|x-azure-(?:client|socket)ip|x-envoy-external-address)$/

/**
 * What a client can write counts only behind a trusted proxy, wherever it was named. Such a header is read whole:
 * which of its elements is to be believed is not for an index to say, for a client may send the first.
 */
function separated(
  address: readonly FieldPath[],
  forwarded: readonly FieldPath[],
): Pick<Structure, 'address' | 'forwarded'> {
  const whole = address.map((path) => (isHeader(path) ? withoutIndex(path) : path))
  const peers = whole.filter((path) => !isHeader(path))
  // Where there is nothing else, the service is reached through the proxy alone, and the header has to do.
  return {
    address: peers.length > 0 ? peers : whole,
    forwarded: [...forwarded.map(withoutIndex), ...(peers.length > 0 ? whole.filter(isHeader) : [])],
  }
}

/** Whether a field is a header in which proxies say whom they speak for, and any client can, too. */
export function isHeader(path: FieldPath): boolean {
  const name = withoutIndex(path).steps.join('.').toLowerCase().replaceAll('_', '-')
  return forwardingHeader.test(name)
}

function withoutIndex(path: FieldPath): FieldPath {
  const last = path.steps.at(-1) ?? ''
  if (path.steps.length < 2 || !/^[0-9]+$/.test(last)) return path
  return { key: path.key.slice(0, -last.length - 1), steps: path.steps.slice(0, -1) }
}

/** The operators of a condition that is a map. */
const operators = ['equal', 'prefix', 'suffix', 'contains', 'regex', 'min', 'max', 'not', 'exists']

/**
 * The rules of `match` or `ignore`: a map of fields to conditions, or a list of such maps. What is wrong goes to
 * `problems`, each at its place.
 */
export function readRules(given: Sourced, problems: BailiffError[]): FieldRule<PatternText>[] {
  const { value } = given
  if (value === undefined) return []
  const maps = Array.isArray(value) ? value.map((_, index) => given.at(index)) : [given]
  return maps.flatMap((map) => {
    const keys = map.keys()
    if (keys.length > 0)
      return [
        { text: oneLine(map.value), conditions: keys.flatMap((key) => readCondition(key, map.at(key), problems)) },
      ]
    const what = isRecord(map.value) ? 'an empty map, which every line would match' : inWords(map.value)
    wrong(`must be a map of fields to what they must be, like { status: 401 }, but is ${what}`, map, problems)
    return []
  })
}

/** The way to a field: keys and indexes with dots between them; `\.` is a dot in a key, `\\` a backslash. */
export function fieldPath(text: string): FieldPath {
  const steps = ['']
  let key = ''
  for (let at = 0; at < text.length; at++) {
    const escaped = text[at] === '\\' && (text[at + 1] === '.' || text[at + 1] === '\\')
    const character = text[escaped ? ++at : at] ?? ''
    key += character
    if (character === '.' && !escaped) steps.push('')
    else steps[steps.length - 1] += character
  }
  return { key, steps }
}

function readCondition(
  key: string,
  given: Sourced,
  problems: BailiffError[],
): { field: FieldPath; check: FieldCheck<PatternText> }[] {
  const check = readCheck(given, problems)
  return check === null ? [] : [{ field: fieldPath(key), check }]
}

function readCheck(given: Sourced, problems: BailiffError[]): FieldCheck<PatternText> | null {
  const { value } = given
  if (Array.isArray(value)) return readOneOf(given, value, problems)
  if (!isRecord(value)) {
    const text = scalar(given, problems)
    return text === null ? null : { type: 'equal', texts: [text] }
  }
  const keys = given.keys()
  for (const key of keys) {
    if (!operators.includes(key))
      problems.push(new BailiffError('config', unknownOption(key, operators), { where: given.whereKey(key) }))
  }
  if (keys.length === 0) wrong(`is an empty map; it may have ${operators.join(', ')}`, given, problems)
  const range = readRange(given, problems)
  const checks = keys.flatMap((key) => readOperator(key, given.at(key), problems) ?? [])
  const [first, ...others] = range === null ? checks : [range, ...checks]
  if (first === undefined) return null
  return others.length === 0 ? first : { type: 'all', of: [first, ...others] }
}

/** A list: one of its values. */
function readOneOf(given: Sourced, list: readonly unknown[], problems: BailiffError[]): FieldCheck<PatternText> | null {
  if (list.length === 0) wrong('is an empty list, so no line would match', given, problems)
  const isPlain = (value: unknown) => !isRecord(value) && !Array.isArray(value)
  const texts = list.flatMap((value, index) => (isPlain(value) ? (scalar(given.at(index), problems) ?? []) : []))
  const others = list.flatMap((value, index) => (isPlain(value) ? [] : (readCheck(given.at(index), problems) ?? [])))
  const equal: FieldCheck<PatternText>[] = texts.length > 0 ? [{ type: 'equal', texts }] : []
  return others.length === 0 ? (equal[0] ?? null) : { type: 'any', of: [...equal, ...others] }
}

function readOperator(key: string, given: Sourced, problems: BailiffError[]): FieldCheck<PatternText> | null {
  switch (key) {
    case 'equal':
    case 'prefix':
    case 'suffix':
    case 'contains': {
      const texts = textsOf(given, problems)
      return texts.length === 0 ? null : { type: key, texts }
    }
    case 'regex': {
      const patterns = patternsOf(given, problems)
      const checks = patterns.map((pattern): FieldCheck<PatternText> => ({ type: 'regex', pattern }))
      return checks.length > 1 ? { type: 'any', of: checks } : (checks[0] ?? null)
    }
    case 'not': {
      const check = readCheck(given, problems)
      return check === null ? null : { type: 'not', of: check }
    }
    case 'exists':
      if (typeof given.value === 'boolean') return { type: 'exists', exists: given.value }
      wrong(`must be true or false, but is ${inWords(given.value)}`, given, problems)
      return null
    default:
      return null
  }
}

function readRange(given: Sourced, problems: BailiffError[]): FieldCheck<PatternText> | null {
  const bound = (key: string) => {
    const { value } = given.at(key)
    if (value === undefined || (typeof value === 'number' && !Number.isNaN(value))) return value ?? null
    wrong(`must be a number, but is ${inWords(value)}`, given.at(key), problems)
    return null
  }
  const [min, max] = [bound('min'), bound('max')]
  if (min !== null && max !== null && min > max) wrong(`is less than min, ${min}`, given.at('max'), problems)
  return min === null && max === null ? null : { type: 'range', min, max }
}

/** One value or several. */
function each(given: Sourced): Sourced[] {
  return Array.isArray(given.value) ? given.value.map((_, index) => given.at(index)) : [given]
}

function textsOf(given: Sourced, problems: BailiffError[]): string[] {
  const texts = each(given).flatMap((one) => scalar(one, problems) ?? [])
  if (Array.isArray(given.value) && given.value.length === 0) wrong('is an empty list', given, problems)
  if (!texts.includes('') || given.path.at(-1) === 'equal') return texts
  wrong('is empty, so every text would do', given, problems)
  return []
}

function patternsOf(given: Sourced, problems: BailiffError[]): PatternText[] {
  return each(given).flatMap((one) => {
    if (typeof one.value === 'string' && one.value !== '') return [{ text: one.value, where: one.where() }]
    wrong(`must be a pattern, but is ${inWords(one.value)}`, one, problems)
    return []
  })
}

/** The text of a value, as the fields of lines are compared; null where it is none. */
function scalar(given: Sourced, problems: BailiffError[]): string | null {
  const { value } = given
  if (typeof value === 'string' || typeof value === 'boolean') return String(value)
  if (typeof value === 'number' && (!Number.isInteger(value) || Number.isSafeInteger(value))) return String(value)
  if (typeof value === 'number') wrong(`${value} has too many digits: write it in quotes`, given, problems)
  else if (value === null) wrong('is empty; a field that is missing or null is { exists: false }', given, problems)
  else wrong(`must be a text or a number, but is ${inWords(value)}`, given, problems)
  return null
}

function wrong(message: string, given: Sourced, problems: BailiffError[]): void {
  problems.push(new BailiffError('config', message, { where: given.where() }))
}

/** A rule as people see it in reports. */
function oneLine(value: unknown): string {
  return quote(value).slice(1, -1)
}
