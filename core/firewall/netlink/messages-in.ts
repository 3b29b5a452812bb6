/** Reading netlink messages: headers, attributes, errors. Whatever the bytes are, this ends, and throws `MalformedError` alone. */
import { endianness } from 'node:os'
import { attribute, control, flag, subsystem } from './kernel-numbers.ts'

/** Bytes that are no netlink message. */
export class MalformedError extends Error {
  constructor(what: string) {
    super(`the kernel's answer cannot be read: ${what}`)
    this.name = 'MalformedError'
  }
}

/** One message of a datagram. Its bytes are those of the datagram, not a copy. */
export interface InMessage {
  /** Subsystem and message, or a control message. */
  readonly type: number
  readonly flags: number
  readonly sequence: number
  /** The port of the socket that it answers, or whose change it tells. */
  readonly port: number
  /** What is behind the header. */
  readonly body: Buffer
}

/** The attributes of a message or of a nest, by their types; of a type that comes twice the last one. */
export type Attributes = ReadonlyMap<number, Buffer>

/** What the kernel said to a request: 0 where it did it, else the positive number of an error. */
export interface Verdict {
  readonly errno: number
  /** The kernel's words about it, often none. */
  readonly text: string
}

const little = endianness() === 'LE'
const headerBytes = 16
/** A message of netfilter has its family, a version and a number before its attributes. */
const familyBytes = 4
/** Upper bits of an attribute's type that say what it holds. */
const typeMask = 0x3fff

/** The messages of a datagram, one after the other. */
export function* readMessages(datagram: Buffer): Generator<InMessage, void> {
  for (let at = 0; at < datagram.length;) {
    if (datagram.length - at < headerBytes) throw new MalformedError('a header is cut')
    const length = host32(datagram, at)
    if (length < headerBytes || length > datagram.length - at) throw new MalformedError('a length is wrong')
    yield {
      type: host16(datagram, at + 4),
      flags: host16(datagram, at + 6),
      sequence: host32(datagram, at + 8),
      port: host32(datagram, at + 12),
      body: datagram.subarray(at + headerBytes, at + length),
    }
    at += align(length)
  }
}

/** Which message of nf_tables it is; null where it is none. */
export function nftablesMessage({ type }: InMessage): number | null {
  return type >> 8 === subsystem.nftables ? type & 0xff : null
}

/** The family of netfilter that a message speaks of. */
export function familyOf({ body }: InMessage): number {
  if (body.length < familyBytes) throw new MalformedError('a message is cut')
  return body.readUInt8(0)
}

/** The attributes of a message of netfilter. */
export function attributesOf({ body }: InMessage): Attributes {
  if (body.length < familyBytes) throw new MalformedError('a message is cut')
  return readAttributes(body.subarray(familyBytes))
}

/** The attributes of a nest. */
export function readAttributes(bytes: Buffer): Attributes {
  const attributes = new Map<number, Buffer>()
  eachAttribute(bytes, (type, value) => attributes.set(type, value))
  return attributes
}

/** Calls back for each attribute, in their order. */
export function eachAttribute(bytes: Buffer, take: (type: number, value: Buffer) => void): void {
  for (let at = 0; bytes.length - at >= 4;) {
    const length = host16(bytes, at)
    if (length < 4 || length > bytes.length - at) throw new MalformedError('the length of an attribute is wrong')
    take(host16(bytes, at + 2) & typeMask, bytes.subarray(at + 4, at + length))
    at += align(length)
  }
}

/** One attribute of a message of netfilter, without reading the others; undefined where there is none. */
export function attributeOf({ body }: InMessage, wanted: number): Buffer | undefined {
  for (let at = familyBytes; body.length - at >= 4;) {
    const length = host16(body, at)
    if (length < 4 || length > body.length - at) throw new MalformedError('the length of an attribute is wrong')
    if ((host16(body, at + 2) & typeMask) === wanted) return body.subarray(at + 4, at + length)
    at += align(length)
  }
  return undefined
}

/** The nest behind an attribute; empty where there is none. */
export function nest(attributes: Attributes, type: number): Attributes {
  const value = attributes.get(type)
  return value === undefined ? new Map() : readAttributes(value)
}

/** The list behind an attribute: the values of its items. */
export function items(attributes: Attributes, type: number): Buffer[] {
  const found: Buffer[] = []
  const value = attributes.get(type)
  if (value !== undefined) eachAttribute(value, (kind, item) => kind === attribute.list.element && found.push(item))
  return found
}

/** A number of 32 bits in network order; undefined where there is none of that size. */
export function number(attributes: Attributes, type: number): number | undefined {
  const value = attributes.get(type)
  return value?.length === 4 ? value.readUInt32BE(0) : undefined
}

/** A number of 64 bits in network order, exact up to 2^53; undefined where there is none of that size. */
export function largeNumber(attributes: Attributes, type: number): number | undefined {
  const value = attributes.get(type)
  return value?.length === 8 ? value.readUInt32BE(0) * 2 ** 32 + value.readUInt32BE(4) : undefined
}

/** A text, without the zero that ends it; undefined where there is none. */
export function text(attributes: Attributes, type: number): string | undefined {
  const value = attributes.get(type)
  if (value === undefined) return undefined
  const end = value.indexOf(0)
  return value.toString('latin1', 0, end < 0 ? value.length : end)
}

/**
 * The items of a list of elements that are addresses, with the milliseconds that they still have (null:
 * no end): what `eachAttribute` would find, read at once because there are many.
 */
export function* readAddresses(list: Buffer): Generator<{ address: string; leftMs: number | null }, void> {
  const view = new DataView(list.buffer, list.byteOffset, list.length)
  for (let at = 0; list.length - at >= 4;) {
    const end = at + attributeLength(view, at, list.length)
    let address = ''
    let timeout: number | null = null
    let left: number | null = null
    for (let inner = at + 4; end - inner >= 4;) {
      const length = attributeLength(view, inner, end)
      const type = view.getUint16(inner + 2, little) & typeMask
      if (type === attribute.element.key) address = digits(view, inner + 8, inner + length)
      else if (type === attribute.element.timeout && length === 12) timeout = large(view, inner + 4)
      else if (type === attribute.element.expiration && length === 12) left = large(view, inner + 4)
      inner += align(length)
    }
    yield { address, leftMs: timeout === null ? null : (left ?? timeout) }
    at += align(end - at)
  }
}

/** What an error message, which also tells of success, or the end of a dump says; null for other messages. */
export function verdictOf({ type, flags, body }: InMessage): Verdict | null {
  if (type === control.done) return { errno: body.length >= 4 ? -hostSigned(body, 0) : 0, text: '' }
  if (type !== control.error) return null
  if (body.length < 4 + headerBytes) throw new MalformedError('an error is cut')
  const errno = -hostSigned(body, 0)
  const copied = (flags & flag.capped) === 0 ? host32(body, 4) : headerBytes
  const explained = (flags & flag.explained) !== 0 && 4 + align(copied) <= body.length
  const said = explained ? readAttributes(body.subarray(4 + align(copied))) : new Map()
  return { errno, text: text(said, attribute.error.text) ?? '' }
}

/** The length of the attribute there, which must be inside. */
function attributeLength(view: DataView, at: number, end: number): number {
  const length = view.getUint16(at, little)
  if (length < 4 || length > end - at) throw new MalformedError('the length of an attribute is wrong')
  return length
}

/** Whole groups of four bytes as hexadecimal digits. */
function digits(view: DataView, from: number, to: number): string {
  let text = ''
  for (let at = from; at + 4 <= to; at += 4) text += view.getUint32(at).toString(16).padStart(8, '0')
  return text
}

const large = (view: DataView, at: number) => view.getUint32(at) * 2 ** 32 + view.getUint32(at + 4)

const align = (length: number) => (length + 3) & ~3

const host16 = (bytes: Buffer, at: number) => (little ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at))
const host32 = (bytes: Buffer, at: number) => (little ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at))
const hostSigned = (bytes: Buffer, at: number) => (little ? bytes.readInt32LE(at) : bytes.readInt32BE(at))
