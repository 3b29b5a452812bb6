/** Every option of `bailiff.yaml`, declared once: check, defaults' places, manual and JSON Schema come from here. */
import * as z from 'zod'
import { parseLoopback } from './loopback.ts'
import {
  bantime,
  duration,
  ignored,
  listOf,
  parsed,
  path,
  pluginOf,
  section,
  type Elsewhere,
  text,
  toggle,
  trustedProxy,
} from './option-kinds.ts'
import { parseReleaseAge } from './release-age.ts'
import { parsePorts } from './port-names.ts'
import { parseTimezone } from './timezone.ts'

/** A number, a name of services(5) or a range. */
const port = {
  anyOf: [
    { type: 'integer', minimum: 1, maximum: 65_535 },
    { type: 'string', pattern: String.raw`^(?:\d{1,5}(?:-\d{1,5})?|(?=.*[A-Za-z])[\w.+*/-]+)$` },
  ],
}

const ports = parsed(parsePorts, {
  title: 'all, or numbers from 1 to 65535, names of services and short ranges, one or a list',
  anyOf: [port, { type: 'array', minItems: 1, items: port }],
  examples: ['all', ['ssh', 8080], ['6000-6010']],
})

const sources = listOf(pluginOf('source'))
const actions = listOf(pluginOf('action'))
const notifiers = listOf(pluginOf('notifier'))

const loopback = parsed(parseLoopback, {
  title: 'a port, or a loopback address with one',
  type: ['string', 'integer'],
  examples: ['127.0.0.1:9120'],
})

const releaseAge = parsed(parseReleaseAge, {
  title: 'a length of time, or off',
  type: ['string', 'integer'],
  examples: ['3d', 'off'],
})

const ipv6prefix = z.literal([64, 128], { error: 'must be 64 or 128' })

/** Where no pattern is written, all usual forms are read. */
const datepattern = listOf(text)
  .describe('how dates look, in the tokens of Fail2ban; {NONE}: lines have none')
  .optional()

const timezone = parsed(parseTimezone, {
  title: 'the name of a zone or an offset from UTC',
  type: 'string',
  examples: ['Europe/Berlin', '+01:00'],
})
  .describe("the zone of dates that name none; unless said, this host's")
  .optional()

const judging = {
  findtime: duration.describe('how long a failure counts').optional(),
  maxretry: z.int().min(1).max(100_000).describe('so many failures within findtime lead to a ban').optional(),
  bantime: bantime.describe('how long a ban lasts').optional(),
  ipv6prefix: ipv6prefix
    .describe('64: IPv6 networks are banned when several of their addresses fail; 128: never')
    .optional(),
  timezone,
  actions: actions.describe('what carries out the bans').optional(),
  notifiers: notifiers.describe('who is told of what the jail does').optional(),
  ignoreip: listOf(ignored).describe('never banned, beside the ones of the top').optional(),
  trusted_proxies: listOf(trustedProxy).describe('proxies in front, beside the ones of the top').optional(),
}

const oneOrMore = { type: ['string', 'number', 'boolean', 'array'] }

/** What a field must be, for editors; `structure.ts` reads it and knows the places of what is wrong. */
const condition = {
  anyOf: [
    oneOrMore,
    {
      type: 'object',
      minProperties: 1,
      additionalProperties: false,
      properties: {
        equal: oneOrMore,
        prefix: oneOrMore,
        suffix: oneOrMore,
        contains: oneOrMore,
        regex: { type: ['string', 'array'] },
        min: { type: 'number' },
        max: { type: 'number' },
        not: {},
        exists: { type: 'boolean' },
      },
    },
  ],
}

const rule = { type: 'object', minProperties: 1, additionalProperties: condition }
const rules = z.unknown().meta({ anyOf: [rule, { type: 'array', items: rule }] })

const patterns = {
  failregex: listOf(text).describe('patterns of lines that tell of a failure').optional(),
  ignoreregex: listOf(text).describe('patterns of lines that tell of none').optional(),
  match: rules.describe('what fields of lines that tell of a failure are; a list: one of them').optional(),
  ignore: rules.describe('what fields of lines that tell of none are').optional(),
}

const samples = section({
  match: z
    .array(
      section({
        line: text.describe('a line that must match'),
        address: text.describe('the address it must tell of'),
        user: z.string().describe('the user it must tell of').optional(),
        modes: listOf(text).describe('the modes in which it must match; all unless said').optional(),
      }),
    )
    .describe('lines that must match')
    .optional(),
  pass: z.array(text).describe('lines that must match in no mode').optional(),
  hostile: z
    .array(
      section({
        line: text.describe('the line'),
        address: text.nullable().describe('the address it may tell of; null: it must not match'),
      }),
    )
    .describe('lines by which somebody tries to have another banned')
    .optional(),
})

/** A filter: a file of `filters`, or written into its jail. */
export const filterSchema = section({
  description: text.describe('what it finds, in a sentence').optional(),
  programs: listOf(text)
    .describe('the programs whose syslog lines it reads; * is any text; - a log of its own')
    .optional(),
  sources: sources.describe('where its lines usually are, the best first').optional(),
  forgeable: z
    .record(text, text)
    .describe('logs into which a peer can write whole lines, by the end of their path, and what to do about it')
    .optional(),
  ports: ports.describe('the ports of the service').optional(),
  ipv6prefix: ipv6prefix
    .describe('what jails ban of IPv6 that do not say; 128 where many users share a network')
    .optional(),
  format: z.enum(['json', 'logfmt']).describe('lines hold fields; unless said, they are plain text').optional(),
  address: listOf(text).describe('the field of the address, or several, the first that has one').optional(),
  forwarded: listOf(text).describe('the fields in which proxies say whom they speak for').optional(),
  time: listOf(text).describe('the field of the date').optional(),
  user: listOf(text).describe('the field of the user').optional(),
  matcher: text
    .describe('a matcher in WebAssembly that finds the lines: its path, or the name of its package')
    .optional(),
  options: z
    .record(text, z.union([z.string(), z.number(), z.boolean()]))
    .describe('what the matcher is given')
    .optional(),
  counts: z.literal('bans').describe('bans: it reads no lines and counts the bans of other jails').optional(),
  usual: section({ findtime: judging.findtime, maxretry: judging.maxretry, bantime: judging.bantime })
    .describe('with what jails count that do not say, before the defaults')
    .optional(),
  datepattern,
  prefregex: text.describe('must match, and gives the patterns its <F-CONTENT>').optional(),
  ...patterns,
  modes: z
    .record(
      z.string(),
      section({ ...patterns, include: listOf(text).describe('modes whose patterns it has as well').optional() }),
    )
    .describe('what each mode adds; normal is used unless said')
    .optional(),
  samples: samples.describe('lines that must and must not match').optional(),
})

/** A filter by name, with its mode. A map with one of these keys is a choice; any other is a filter. */
export const filterChoice = section({
  name: text.describe('the name or path of the filter; unless said, that of the jail').optional(),
  mode: text.describe('the mode of the filter').optional(),
})

/** A jail that is a map. */
export const jailSchema = section({
  enabled: toggle.describe('off: as if it were not there').optional(),
  from: text
    .describe('the jail of an installed package that it begins with: PACKAGE/JAIL, or PACKAGE where that has one')
    .optional(),
  mode: z.enum(['enforce', 'observe']).describe('observe: counts and tells, bans nobody').optional(),
  filter: z
    .unknown()
    .meta({ anyOf: [{ type: 'string', minLength: 1 }, { $ref: '#/$defs/filterChoice' }, { $ref: '#/$defs/filter' }] })
    .describe('the name or path of a filter, the path of a matcher (.wasm), { name, mode }, or the filter itself')
    .optional(),
  source: pluginOf('source').describe('where the lines come from').optional(),
  sources: sources.describe('where the lines come from, when there are several').optional(),
  jails: listOf(text)
    .describe('whose bans it counts, where its filter counts bans; unless said, those of all jails that read lines')
    .optional(),
  ports: ports.describe('the ports that a ban covers; all: everything').optional(),
  datepattern: datepattern.describe('how dates look, in place of what the filter says'),
  protocol: z.enum(['tcp', 'udp', 'tcp+udp']).describe('the protocol of the ports').optional(),
  also: actions.describe('actions beside the default ones').optional(),
  ...judging,
})

/** A jail of a package, which names neither code nor whom to spare: jails of the configuration may begin with it. */
export const packedJailSchema = section({
  description: text.describe('what it is for, in a sentence').optional(),
  filter: z.union([text, filterChoice.required({ name: true })]).describe('the name of a filter, or { name, mode }'),
  mode: jailSchema.shape.mode,
  source: jailSchema.shape.source,
  sources: jailSchema.shape.sources,
  ports: jailSchema.shape.ports,
  protocol: jailSchema.shape.protocol,
  datepattern: jailSchema.shape.datepattern,
  findtime: judging.findtime,
  maxretry: judging.maxretry,
  bantime: judging.bantime,
  ipv6prefix: judging.ipv6prefix,
  timezone,
})

/** Options of jails that people write at the top of the file. */
const furtherDown: Elsewhere = Object.fromEntries([
  ...Object.keys(jailSchema.shape).map((key) => [key, 'below the name of a jail, below "jails:"']),
  ...Object.keys(judging).map((key) => [key, 'below "defaults:", or below the name of a jail']),
])

/** The whole file. What stands in a jail is checked jail by jail, with `jailSchema`. */
export const fileSchema = section(
  {
    defaults: section(judging).describe('what holds for jails that do not say otherwise').optional(),
    ignoreip: listOf(ignored).describe('addresses, prefixes and host names that no jail bans').optional(),
    trusted_proxies: listOf(trustedProxy)
      .describe('proxies in front of services: the client behind them is meant, and they are never banned')
      .optional(),
    ignoreself: toggle.describe('whether this machine, its gateways and its name servers are never banned').optional(),
    jails: z
      .record(z.string(), z.unknown())
      .meta({ additionalProperties: { $ref: '#/$defs/jail' } })
      .describe('the jails by name')
      .optional(),
    notifiers: notifiers.describe('who is told of everything').optional(),
    observe: toggle.describe('whether nothing is enforced and everything shown').optional(),
    state: path.describe('the folder of bans, history and positions').optional(),
    plugins: path.describe('the folder of installed packages of plugins').optional(),
    plugin_memory: z
      .int()
      .min(64)
      .max(65_536)
      .describe('MiB of memory that the process of a plugin may take; counts from the next start')
      .optional(),
    release_age: releaseAge.describe('how long a version must be in the registry before it is installed').optional(),
    control: path.describe('the socket of the command line').optional(),
    user: text.describe('the user that the agent becomes when root starts it; root: it stays root').optional(),
    groups: listOf(text)
      .describe('groups of that user beside its own; unless said, those that may read logs')
      .optional(),
    firewall: section({
      socket: path.describe('where a firewall helper listens that somebody else runs').optional(),
      user: text.describe('the user that the helper becomes when root starts the agent').optional(),
    })
      .describe('the firewall helper')
      .optional(),
    workers: z.int().min(1).max(64).describe('threads that match lines, at most').optional(),
    memory: z.int().min(192).max(1_048_576).describe('MiB of memory that the agent makes do with').optional(),
    metrics: loopback.describe('where Prometheus reads metrics on this machine: a port of loopback').optional(),
    fail2ban_log: path.describe("a file that gets what happens as lines of Fail2ban's own log").optional(),
    history: duration.describe('how long bans are remembered after they ended').optional(),
  },
  furtherDown,
)
