/**
 * What the agent and the firewall helper say to each other: one JSON object a line over a Unix socket.
 * Requests are answered in their order. Nothing in a message names a table, a chain or a set: the
 * helper makes those names from ports. Decoding checks everything, so a decoded message is what its
 * type says, and encoding a decoded message gives the same message.
 */

/** Both sides must have the same. */
export const protocolVersion = 5

/** The longest line, without its newline, in bytes. A longer one ends the connection. */
export const maxFrameBytes = 1024 * 1024

/** How many entries a set of the kernel takes. */
export const maxEntries = 1_048_576

/** Entries in all the parts of one `sync`: named lists beside what jails ban. */
export const maxSyncEntries = 2 * maxEntries

/** Prefixes in one `spare`. */
export const maxSpared = 10_000

/**
 * Different `Ports` that can be declared, ports in one of them, and sets in the table. Each packet is
 * looked up in every set until one has its sender, so these bound what a packet costs.
 */
export const maxDeclared = 256
export const maxSets = 1024
export const maxPortsEach = 1024

/** `Ports` of core/events.ts, which the helper does not import. */
export interface WirePorts {
  /** `tcp+udp`: these ports of both. */
  readonly protocol: 'tcp' | 'udp' | 'tcp+udp' | 'all'
  /** Ascending, each once; empty exactly when the protocol is `all`. */
  readonly ports: readonly number[]
}

/** The agent numbers what it declares; entries then name the number. */
export type Declaration = readonly [index: number, protocol: WirePorts['protocol'], ports: readonly number[]]

/**
 * Index of declared ports; the address as 8 or 32 lower-case hexadecimal digits; the prefix length;
 * and how many seconds it stays from now (null: for ever), which `del` does not look at.
 */
export type WireEntry = readonly [index: number, address: string, length: number, seconds: number | null]

/** As in an entry. */
export type WirePrefix = readonly [address: string, length: number]

export type Request =
  | { readonly type: 'declare'; readonly id: number; readonly ports: readonly Declaration[] }
  /** `load` is as `add`, for whole lists that people load: as a sync it is not limited in its rate. */
  | { readonly type: 'add' | 'load' | 'del'; readonly id: number; readonly entries: readonly WireEntry[] }
  /** Whom nobody bans for a time, in place of those of the last `spare`. It only takes bans away. */
  | { readonly type: 'spare'; readonly id: number; readonly prefixes: readonly WirePrefix[] }
  /**
   * A sync comes in parts with the same id, counted from 0. A long one is entered while it comes; what was
   * there before goes only after the part without `more`.
   */
  | {
      readonly type: 'sync'
      readonly id: number
      readonly part: number
      readonly entries: readonly WireEntry[]
      readonly more: boolean
    }
  /**
   * What the kernel holds, but for sets that are long (a million takes a minute) and hold no more than `known`, some
   * few apart: whoever wants so many knows what is in there.
   */
  | { readonly type: 'list'; readonly id: number; readonly known: number }
  /** What the kernel holds of one address: itself, and prefixes around it. Answered as `list`. */
  | { readonly type: 'around'; readonly id: number; readonly address: string }

/** Why the helper does not enforce an entry: for good, except those of `passing`. */
export const refusalReasons = {
  undeclared: 'its ports were not declared to the firewall helper',
  'host-bits': 'bits beyond the length of the prefix are set',
  length: 'the length of the prefix does not fit its family',
  wide: 'the prefix is wider than the firewall helper bans (/8 for IPv4, /19 for IPv6)',
  broad:
    'with it all bans together would hold more than a quarter of all IPv4 addresses, more than 131072 /32s of IPv6 (a quarter of what is in use), or be more than 131072 prefixes wider than /24 (/40 for IPv6)',
  translated:
    'more than a /8 of IPv4 is behind it: it holds a prefix that stands for IPv4 (64:ff9b::/96, 64:ff9b:1::/48, ::ffff:0:0:0/96 or 2002::/16) or a large part of one',
  unsynced:
    'other prefixes than /32, /128 and /64 wait until the firewall helper knows all bans: it has just begun, or a sync has failed',
  sets: 'it needs one more firewall set: a set for each port list and prefix length, 512 beside those for single addresses; use `ports: all` for jails that ban networks',
  time: 'the time is not between 1 second and 10 years',
  special: 'it holds an address that nobody outside has (loopback, unspecified, link-local, multicast or mapped)',
  own: 'it holds an address of this machine',
  broadcast: 'it holds the broadcast address of a network of this machine',
  gateway: 'it holds a gateway of this machine',
  resolver: 'it holds a name server of this machine',
  'never-ban': 'it holds an address that /etc/bailiff/firewall.conf says is never banned',
  allowed: 'it holds an address that somebody allowed for a time',
  full: 'its firewall set is full; it goes in as soon as there is room',
} as const

export type RefusalReason = keyof typeof refusalReasons

/** The reasons that pass: the entry is to be tried again. */
export const passing: ReadonlySet<RefusalReason> = new Set(['full', 'unsynced'])

/** Address and length of the entry, and why. */
export type WireRefusal = readonly [address: string, length: number, reason: RefusalReason]

/** Why a whole request failed; nothing of it was done, except perhaps after `timeout`. */
export const failureCodes = ['bad-message', 'no-nft', 'no-permission', 'set-full', 'timeout', 'busy', 'failed'] as const
export type FailureCode = (typeof failureCodes)[number]

export type Reply =
  /** Said first, by the process of that number. */
  | { readonly type: 'hello'; readonly version: number; readonly pid: number }
  /** The kernel holds it. With `more`, further refusals of the same request follow. */
  | { readonly type: 'done'; readonly id: number; readonly refused: readonly WireRefusal[]; readonly more: boolean }
  /** Index in an entry means the place in `ports` of the same message. */
  | {
      readonly type: 'listed'
      readonly id: number
      readonly ports: readonly (readonly [WirePorts['protocol'], readonly number[]])[]
      readonly entries: readonly WireEntry[]
      readonly more: boolean
    }
  /** Others changed the table; it is as it should be again, for which `count` entries had to be put back. */
  | { readonly type: 'repaired'; readonly count: number }
  /** What somebody should look at, for people. */
  | { readonly type: 'alarm'; readonly message: string }
  /** `id` is null where the request could not be read. */
  | { readonly type: 'failed'; readonly id: number | null; readonly code: FailureCode; readonly message: string }

/** What the helper says without being asked, between the answers: bans put back that others took away, troubles. */
export type Told = Extract<Reply, { readonly type: 'repaired' | 'alarm' }>

/** A line that is no message. The text says what is wrong with it and quotes nothing of it. */
export class MessageError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'MessageError'
  }
}

/** The line, with its newline. */
export const encode = (message: Request | Reply): string => `${JSON.stringify(message)}\n`

/** Reads a line from the agent; throws `MessageError`. */
export function decodeRequest(line: string): Request {
  const fields = parse(line)
  const { type } = fields
  const id = whole(fields.id, 'id', Number.MAX_SAFE_INTEGER)
  if (type === 'list') return exactly(fields, { type, id, known: whole(fields.known, 'known', maxSyncEntries) })
  if (type === 'around') return exactly(fields, { type, id, address: digits(fields.address) })
  if (type === 'declare') return exactly(fields, { type, id, ports: items(fields.ports, 'ports', declaration) })
  if (type === 'spare') return exactly(fields, { type, id, prefixes: spared(fields.prefixes) })
  if (type !== 'add' && type !== 'load' && type !== 'del' && type !== 'sync')
    throw new MessageError('type is none of the known ones')
  const entries = items(fields.entries, 'entries', entry)
  if (type !== 'sync') return exactly(fields, { type, id, entries })
  const part = whole(fields.part, 'part', maxSyncEntries)
  return exactly(fields, { type, id, part, entries, more: bool(fields.more, 'more') })
}

/** Reads a line from the helper; throws `MessageError`. */
export function decodeReply(line: string): Reply {
  const fields = parse(line)
  const { type } = fields
  if (type === 'hello') {
    const version = whole(fields.version, 'version', 1_000_000)
    return exactly(fields, { type, version, pid: whole(fields.pid, 'pid', 1 << 30) })
  }
  if (type === 'failed') {
    const id = fields.id === null ? null : whole(fields.id, 'id', Number.MAX_SAFE_INTEGER)
    const code = oneOf(fields.code, 'code', failureCodes)
    return exactly(fields, { type, id, code, message: text(fields.message, 'message') })
  }
  if (type === 'repaired')
    return exactly(fields, { type, count: whole(fields.count, 'count', Number.MAX_SAFE_INTEGER) })
  if (type === 'alarm') return exactly(fields, { type, message: text(fields.message, 'message') })
  const id = whole(fields.id, 'id', Number.MAX_SAFE_INTEGER)
  const more = bool(fields.more, 'more')
  if (type === 'done') return exactly(fields, { type, id, refused: items(fields.refused, 'refused', refusal), more })
  if (type !== 'listed') throw new MessageError('type is none of the known ones')
  const ports = items(fields.ports, 'ports', somePorts)
  return exactly(fields, { type, id, ports, entries: items(fields.entries, 'entries', entry), more })
}

type Fields = Readonly<Record<string, unknown>>

function parse(line: string): Fields {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    throw new MessageError('the line is no JSON')
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new MessageError('it is no object')
  return value as Fields
}

function declaration(item: unknown): Declaration {
  const [index, protocol, ports] = tuple(item, 3)
  return [whole(index, 'index', maxDeclared - 1), ...somePorts([protocol, ports])]
}

function somePorts(item: unknown): readonly [WirePorts['protocol'], readonly number[]] {
  const [given, list] = tuple(item, 2)
  const protocol = oneOf(given, 'protocol', ['tcp', 'udp', 'tcp+udp', 'all'] as const)
  const ports = items(list, 'ports', (port) => whole(port, 'port', 65_535))
  if (ports.length > maxPortsEach) throw new MessageError(`more than ${maxPortsEach} ports`)
  if ((ports.length === 0) !== (protocol === 'all')) throw new MessageError('ports are given exactly for tcp and udp')
  if (ports.some((port, place) => port <= (ports[place - 1] ?? -1))) throw new MessageError('ports must ascend')
  return [protocol, ports]
}

function entry(item: unknown): WireEntry {
  const [index, address, length, seconds] = tuple(item, 4)
  const time = seconds === null ? null : whole(seconds, 'seconds', Number.MAX_SAFE_INTEGER)
  return [whole(index, 'index', maxDeclared - 1), digits(address), whole(length, 'length', 255), time]
}

function spared(list: unknown): WirePrefix[] {
  const prefixes = items(list, 'prefixes', (item): WirePrefix => {
    const [address, length] = tuple(item, 2)
    const text = digits(address)
    return [text, whole(length, 'length', text.length * 4)]
  })
  if (prefixes.length > maxSpared) throw new MessageError(`more than ${maxSpared} prefixes`)
  return prefixes
}

function digits(address: unknown): string {
  if (typeof address === 'string' && /^(?:[0-9a-f]{8}|[0-9a-f]{32})$/.test(address)) return address
  throw new MessageError('an address is 8 or 32 lower-case hexadecimal digits')
}

function refusal(item: unknown): WireRefusal {
  const [address, length, reason] = tuple(item, 3)
  const reasons = Object.keys(refusalReasons) as RefusalReason[]
  return [digits(address), whole(length, 'length', 255), oneOf(reason, 'reason', reasons)]
}

/** The message, if the line had no other keys. */
function exactly<Message extends object>(fields: Fields, message: Message): Message {
  for (const key of Object.keys(fields)) {
    if (!Object.hasOwn(message, key)) throw new MessageError(`a ${String(fields.type)} message has an unknown key`)
  }
  return message
}

function items<Item>(value: unknown, what: string, read: (item: unknown) => Item): Item[] {
  if (!Array.isArray(value)) throw new MessageError(`${what} is no list`)
  return value.map(read)
}

function tuple(value: unknown, length: number): readonly unknown[] {
  if (!Array.isArray(value) || value.length !== length) throw new MessageError(`an item is no list of ${length}`)
  return value
}

function whole(value: unknown, what: string, max: number): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= max) return value + 0
  throw new MessageError(`${what} is no whole number from 0 to ${max}`)
}

function bool(value: unknown, what: string): boolean {
  if (typeof value !== 'boolean') throw new MessageError(`${what} is neither true nor false`)
  return value
}

function text(value: unknown, what: string): string {
  if (typeof value !== 'string') throw new MessageError(`${what} is no text`)
  return value
}

function oneOf<Word extends string>(value: unknown, what: string, words: readonly Word[]): Word {
  const found = words.find((word) => word === value)
  if (found === undefined) throw new MessageError(`${what} is none of ${words.join(', ')}`)
  return found
}
