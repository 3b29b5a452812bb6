import { addressBytes, formatPrefix, parseAddress, type Address } from '../../address.ts'
import { maskedAddress, NoMask, type MaskedAddress } from '../masked-address.ts'
import type { GroupValue } from './line-hit.ts'

/** The groups by which a failure is known. */
type Identifying = Readonly<Record<string, GroupValue | undefined>>

/** Whom a failure is about. */
export interface FailureId {
  /** What is counted and banned: an address in the spelling of inet_ntop, a network, a name, or any other text. */
  readonly id: string
  /** The address (or name) beside an id of another kind, or the same as the id; null: there is none. */
  readonly ip: string | null
  /** The id is a name that `usedns` may turn into addresses. */
  readonly name: boolean
}

/** A `<F-ID>` that Fail2ban fails to read, and with it the line: an address with a mask that is none. */
export class UnreadableId extends Error {}

/**
 * Whom the groups name: the order is fid, ip4, ip6, dns; a fid beside an address is the id, and the address goes with it.
 * Null: nobody. `raw`: names and ids are kept as they are. Throws an UnreadableId.
 */
export function failureId(groups: Identifying, raw: boolean): FailureId | null {
  const { fid, ip4, ip6, dns } = groups
  const host = ip4 ?? ip6
  if (host === undefined && dns !== undefined && !raw) return { id: text(dns), ip: null, name: true }
  const found = host ?? dns ?? fid
  if (found === undefined) return null
  const address = host === undefined ? anyId(found, raw) : hostId(text(host), groups)
  if (fid === undefined || fid === found) {
    return { id: address, ip: host !== undefined || parseAddress(address) ? address : null, name: false }
  }
  return { id: anyId(fid, raw), ip: address, name: false }
}

/** A value as text; one of several parts as Python writes a tuple. */
export function text(value: GroupValue): string {
  return typeof value === 'string' ? value : `(${value.map(pythonText).join(', ')})`
}

/** An address that was found as one, with the length of its network if the pattern found that as well. */
function hostId(host: string, { ip4, cidr }: Identifying): string {
  const address = parseAddress(host)
  if (address === null || (ip4 !== undefined && !isIPv4(address))) return host
  return typeof cidr === 'string' && cidr !== '' ? network(address, Number(cidr)) : spelled(address)
}

/** An id that was not found as an address may be one all the same, or a network. */
function anyId(value: GroupValue, raw: boolean): string {
  if (raw || typeof value !== 'string') return text(value)
  const bare = value.length > 2 && value.startsWith('[') && value.endsWith(']') ? value.slice(1, -1) : value
  const masked = maskedOf(bare)
  if (masked === null) return spelledOr(bare)
  const address = parseAddress(masked.address)
  return address === null ? masked.address : network(address, masked.length)
}

function spelledOr(given: string): string {
  const address = parseAddress(given)
  return address === null ? given : spelled(address)
}

function maskedOf(text: string): MaskedAddress | null {
  try {
    return maskedAddress(text)
  } catch (error) {
    if (error instanceof NoMask) throw new UnreadableId(error.message)
    throw error
  }
}

/** Longer lengths than there are bits leave the address as it is; a length of 0 is not written. */
function network(address: Address, length: number): string {
  const bytes = addressBytes(address)
  if (length < 0 || length >= bytes.length * 8) return spelled(address)
  const prefix = formatPrefix(bytes, length) ?? address
  return length === 0 ? prefix.replace(/\/0$/, '') : prefix
}

function isIPv4(address: string): boolean {
  return !address.includes(':')
}

/** As inet_ntop writes it, which is RFC 5952 but for what looks like an IPv4-compatible address. */
function spelled(address: Address): string {
  if (!address.startsWith('::') || !/^::[0-9a-f]{1,4}:[0-9a-f]{1,4}$/.test(address)) return address
  return `::${addressBytes(address).slice(12).join('.')}`
}

function pythonText(part: string | null): string {
  if (part === null) return 'None'
  const quoted = part.includes("'") && !part.includes('"') ? '"' : "'"
  const escaped = part.replaceAll('\\', '\\\\').replaceAll(quoted, `\\${quoted}`)
  return quoted + escaped.replaceAll('\n', '\\n').replaceAll('\r', '\\r').replaceAll('\t', '\\t') + quoted
}
