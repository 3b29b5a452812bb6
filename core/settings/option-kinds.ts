/** The kinds of value that options have, as zod schemas: each reads what people write and says what it expects. */
import * as z from 'zod'
import { isHostName, parsePrefix, type Prefix } from '../address.ts'
import { BailiffError, quote, suggest } from '../errors.ts'
import { parseDuration } from './duration.ts'
import { isRecord } from './sourced.ts'

/** How long bans last. */
export interface Bantime {
  /** The length of a first ban in ms; null: for ever. */
  readonly baseMs: number | null
  /** Whether later bans of the same address last longer. */
  readonly increment: boolean
  /** How many times longer each is than the one before. */
  readonly factor: number
  /** No ban lasts longer, in ms; null: no limit. */
  readonly maxMs: number | null
}

/** A plugin as it was named, before its place is known. */
export interface NamedPlugin {
  readonly plugin: string
  readonly options: unknown
}

/** An address or prefix that is never banned, or the name of a host. */
export type Ignored = { readonly prefix: Prefix } | { readonly name: string }

const noHome = '~ is no home folder in YAML, only a character; write the whole path, such as /home/me/some.log'

/** Words of Fail2ban's configuration, and what they are called here. */
const otherWords: Readonly<Record<string, string>> = {
  action: 'actions',
  banaction: 'actions',
  dbpurgeage: 'history',
  destemail: 'notifiers',
  logpath: 'source',
  port: 'ports',
  real_ip_from: 'trusted_proxies',
  set_real_ip_from: 'trusted_proxies',
  socket: 'control',
}

/** A map with exactly these options. An unknown one is refused, each with what was probably meant. */
export function section<Shape extends z.core.$ZodLooseShape>(shape: Shape, elsewhere: Elsewhere = {}) {
  const allowed = Object.keys(shape)
  return z.strictObject(shape, {
    // One line a key, in the order of the keys: `validate` gives each line its place.
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? (issue.keys as string[]).map((key) => unknownOption(key, allowed, elsewhere)).join('\n')
        : undefined,
  })
}

/** A value read by a function that throws a BailiffError for what it does not take. */
export function parsed<T>(parse: (given: unknown) => T, json: Readonly<Record<string, unknown>>) {
  return z
    .unknown()
    .transform((given, context): T => {
      try {
        return parse(given)
      } catch (error) {
        if (!(error instanceof BailiffError)) throw error
        context.addIssue({ code: 'custom', message: error.message })
        return z.NEVER
      }
    })
    .meta(json)
}

/** A list; one value alone is a list of one. */
export function listOf<Item extends z.ZodType>(item: Item) {
  return z
    .preprocess(
      (given) => (Array.isArray(given) || given === null || given === undefined ? given : [given]),
      z.array(item),
    )
    .meta({
      // Made when it is asked for: no agent needs it, and all of them together take 50 ms.
      get anyOf() {
        const json = toJsonSchema(item)
        return [json, { type: 'array', items: json }]
      },
    })
}

/** The JSON Schema of what people may write; where a part has none, anything. */
export function toJsonSchema(schema: z.ZodType): JsonSchema {
  const { $schema: _dialect, ...json } = z.toJSONSchema(schema, {
    io: 'input',
    unrepresentable: 'any',
    // Zod leaves what it knows of the value that is made of the given one beside what `meta` says of that.
    override: ({ jsonSchema }) => {
      if (jsonSchema.anyOf === undefined) return
      delete jsonSchema.type
      delete jsonSchema.items
    },
  })
  return json as JsonSchema
}

/** A JSON Schema, draft 2020-12. */
export type JsonSchema = Readonly<Record<string, unknown>>

export const text = z.string().min(1)

/** The path of a file or folder. */
export const path = text
  .refine((given) => !startsAtHome(given), { error: noHome })
  .meta({ pattern: '^(?!~[\\w.-]*(?:/|$))' })

/** `on` or `off`; also true and false. */
export const toggle = parsed(
  (given) => {
    if (given === true || given === 'on') return true
    if (given === false || given === 'off') return false
    throw new BailiffError('config', `must be on or off, not ${quote(given)}`)
  },
  { title: 'on or off', enum: ['on', 'off', true, false] },
)

/** As `parseDuration` reads it, but for the order of the units. */
const lengthOfTime = [
  { type: 'number', minimum: 1 },
  { type: 'string', pattern: String.raw`^\s*(?:\d+(?:\.\d+)?|(?:\d+(?:\.\d+)?[wdhmsy] *)+)\s*$` },
]

/** A length of time that ends. In ms. */
export const duration = parsed(
  (given) => {
    const ms = parseDuration(given)
    if (ms === null) throw new BailiffError('config', 'cannot be permanent; write a length of time like 10m')
    return ms
  },
  { title: 'a length of time: seconds, or units (s m h d w y)', anyOf: lengthOfTime, examples: ['10m', '1h30m', '1d'] },
)

const lengthOrPermanent = parsed(parseDuration, {
  title: 'a length of time: seconds, units (s m h d w y), or permanent',
  anyOf: [...lengthOfTime, { const: 'permanent' }],
  examples: ['1h', '1w', 'permanent'],
})

const growingBantime = section({
  base: lengthOrPermanent.describe('length of the first ban').optional(),
  increment: toggle.describe('whether bans of the same address grow').optional(),
  factor: z.number().min(1).max(1000).describe('how many times longer each ban is than the one before').optional(),
  max: lengthOrPermanent.describe('no ban is longer').optional(),
})

/** What bans last when nothing is said. */
export const usualBantime: Bantime = { baseMs: 3_600_000, increment: true, factor: 2, maxMs: 604_800_000 }

/** A length of time, or `{ base, increment, factor, max }`. A length alone never grows. */
export const bantime = z
  .unknown()
  .transform((given, context): Bantime => {
    const result = isRecord(given) ? growingBantime.safeParse(given) : lengthOrPermanent.safeParse(given)
    if (!result.success) {
      for (const { path, message, ...issue } of result.error.issues)
        context.issues.push({ ...issue, path: [...path], message, input: given } as z.core.$ZodRawIssue)
      return z.NEVER
    }
    if (!isRecord(result.data)) return { ...usualBantime, baseMs: result.data, increment: false, maxMs: null }
    const { base = usualBantime.baseMs, increment = true, factor = usualBantime.factor } = result.data
    const { max = Math.max(usualBantime.maxMs ?? 0, base ?? 0) } = result.data
    if (max !== null && base !== null && max < base)
      context.addIssue({ code: 'custom', message: 'is shorter than base', path: ['max'] })
    return { baseMs: base, increment, factor, maxMs: max }
  })
  .meta({
    get anyOf() {
      return [toJsonSchema(lengthOrPermanent), toJsonSchema(growingBantime)]
    },
  })

const addressPattern = String.raw`^[\w.:-]+(?:/\d{1,3})?$`

/** An address, a prefix or a host name. */
export const ignored = parsed(parseIgnored, {
  title: 'an address, a prefix or a host name',
  type: 'string',
  pattern: addressPattern,
  examples: ['192.0.2.0/24', '2001:db8::/48', 'home.example.net'],
})

/** An address or prefix whose word is taken for whom it speaks. */
export const trustedProxy = parsed(parseProxy, {
  title: 'an address or a prefix',
  type: 'string',
  pattern: addressPattern,
  examples: ['192.0.2.1', '2001:db8::/48'],
})

/**
 * A plugin: its name, the path of its file, or a map of one of these to its options. Its JSON Schema depends on
 * the plugins that there are, and refers to a definition.
 */
export function pluginOf(kind: 'source' | 'action' | 'notifier') {
  return parsed(parsePluginUse, { $ref: `#/$defs/${kind}` })
}

/** What a value is, in words: `the number 5`, `a list`, `empty`. */
export function inWords(value: unknown): string {
  if (value === null) return 'empty'
  if (Array.isArray(value)) return 'a list'
  const colon = isRecord(value) ? Object.entries(value).find(([, part]) => part === null)?.[0] : undefined
  // YAML takes `- 2001:db8::` for a map with the key `2001:db8:`.
  if (colon?.includes(':')) return `a map, since YAML takes a colon at the end for one: write "${colon}:" in quotes`
  if (isRecord(value)) return 'a map'
  return typeof value === 'string' ? `the text ${quote(value)}` : `the ${typeof value} ${String(value)}`
}

/** Options that have their place further down, and where: `below "defaults:"`. */
export type Elsewhere = Readonly<Record<string, string>>

/** What is said of an option that there is not: with what was probably meant, else with all there are. */
export function unknownOption(key: string, allowed: readonly string[], elsewhere: Elsewhere = {}): string {
  const other = otherWords[key]
  const meant = other !== undefined && allowed.includes(other) ? other : suggest(key, allowed)
  const below = Object.hasOwn(elsewhere, key) || meant === undefined ? suggest(key, Object.keys(elsewhere)) : undefined
  if (below !== undefined) {
    const right = below === key ? '' : `did you mean ${below}? `
    return `unknown option ${quote(key)} here; ${right}${below} stands ${elsewhere[below]}`
  }
  const jails = allowed.includes('jails') ? '; a jail stands below "jails:"' : ''
  return `unknown option ${quote(key)}; ${meant ? `did you mean ${meant}?` : `there are ${allowed.join(', ')}${jails}`}`
}

function parseIgnored(given: unknown): Ignored {
  if (typeof given !== 'string')
    throw new BailiffError('config', `must be an address, a prefix or a host name, but is ${inWords(given)}`)
  const prefix = parsePrefix(given)
  if (prefix !== null) return { prefix }
  if (isHostName(given)) return { name: given.toLowerCase() }
  throw new BailiffError(
    'config',
    `${quote(given)} is neither an address (192.0.2.1), a prefix (192.0.2.0/24, 2001:db8::/32) nor a host name`,
  )
}

function parseProxy(given: unknown): Prefix {
  const prefix = typeof given === 'string' ? parsePrefix(given) : null
  if (prefix === null) {
    const what = typeof given === 'string' ? quote(given) : inWords(given)
    throw new BailiffError('config', `must be an address or a prefix (192.0.2.1, 192.0.2.0/24), not ${what}`)
  }
  if (!prefix.endsWith('/0')) return prefix
  throw new BailiffError('config', `${prefix} would trust everybody, and nobody would ever be banned`)
}

/** `~` and `~user`, alone or at the head of a path: only a shell knows what they mean. */
const startsAtHome = (given: string) => /^~[\w.-]*(?:\/|$)/.test(given)

function parsePluginUse(given: unknown): NamedPlugin {
  const named = namedPlugin(given)
  if (startsAtHome(named.plugin)) throw new BailiffError('config', noHome)
  return named
}

function namedPlugin(given: unknown): NamedPlugin {
  if (typeof given === 'string' && given !== '') return { plugin: given, options: {} }
  const entries = isRecord(given) ? Object.entries(given) : []
  const [only] = entries
  if (only === undefined || entries.length > 1)
    throw new BailiffError(
      'config',
      entries.length > 1
        ? `one plugin an item, but this names ${entries.map(([key]) => key).join(', ')}; indent the options of the first below it`
        : `must be the name of a plugin or a map of its name to its options, but is ${inWords(given)}`,
    )
  return { plugin: only[0], options: only[1] ?? {} }
}
