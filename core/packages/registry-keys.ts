/**
 * Signatures of a registry by its own keys, as npm documents them (docs.npmjs.com, "About registry signatures"): ECDSA
 * with P-256 over `NAME@VERSION:INTEGRITY`, keys at `/-/npm/v1/keys`. For where npm cannot ask sigstore for the keys.
 */
import { verify } from 'node:crypto'
import { BailiffError, printable } from '../errors.ts'
import { isRecord } from '../settings/sourced.ts'

const deadlineMs = 20_000
const longestAnswer = 4 << 20

/** A package of which the registry is asked. */
export interface Signed {
  readonly name: string
  readonly version: string
  /** SHA-512 of the tarball that was unpacked, as npm writes it. */
  readonly integrity: string
}

/** What the registry says of it: `none` has no signature, `unknown` could not be asked. */
export type KeyAnswer = { readonly state: 'signed' | 'none' } | { readonly state: 'unknown'; readonly why: string }

/** Asks a registry. Throws a BailiffError where a signature is wrong, by a key that it does not have, or one that had expired. */
export async function askRegistryKeys(registry: string, one: Signed): Promise<KeyAnswer> {
  const base = registry.endsWith('/') ? registry : `${registry}/`
  const keys = await answerOf(`${base}-/npm/v1/keys`)
  if (keys === null) return { state: 'unknown', why: 'the registry tells no keys' }
  const packument = await answerOf(`${base}${one.name.replace('/', '%2f')}`)
  const versions = isRecord(packument?.versions) ? packument.versions : {}
  const version = Object.hasOwn(versions, one.version) ? versions[one.version] : null
  const dist = isRecord(version) && isRecord(version.dist) ? version.dist : {}
  const signatures = records(dist.signatures)
  if (signatures.length === 0) return { state: 'none' }
  const time = isRecord(packument?.time) ? Date.parse(String(packument.time[one.version])) : Number.NaN
  for (const signature of signatures) checkSignature(signature, records(keys.keys), one, time)
  return { state: 'signed' }
}

function checkSignature(
  { keyid, sig }: Readonly<Record<string, unknown>>,
  keys: readonly Readonly<Record<string, unknown>>[],
  { name, version, integrity }: Signed,
  publishedAt: number,
): void {
  const key = keys.find((each) => each.keyid === keyid)
  const what = printable(`${name}@${version}`)
  if (key === undefined) throw wrong(`${what} is signed with a key that the registry does not have`)
  const expires = typeof key.expires === 'string' ? Date.parse(key.expires) : Number.POSITIVE_INFINITY
  // One that expired since was right when it was used; where nobody knows when that was, it was not.
  if (expires !== Number.POSITIVE_INFINITY && !(publishedAt < expires))
    throw wrong(`${what} is signed with a key that had expired`)
  if (!holds(String(key.key), String(sig), `${name}@${version}:${integrity}`))
    throw wrong(`the signature of ${what} is wrong: somebody has changed the package`)
}

function holds(key: string, signature: string, text: string): boolean {
  const pem = `-----BEGIN PUBLIC KEY-----\n${key}\n-----END PUBLIC KEY-----`
  try {
    return verify('sha256', Buffer.from(text), pem, Buffer.from(signature, 'base64'))
  } catch {
    // No key, or no signature.
    return false
  }
}

/** A JSON object of the registry; null where it gives none. */
async function answerOf(url: string): Promise<Readonly<Record<string, unknown>> | null> {
  try {
    const answer = await fetch(url, {
      signal: AbortSignal.timeout(deadlineMs),
      headers: { accept: 'application/json' },
    })
    if (!answer.ok || answer.body === null) return null
    const parts: Uint8Array[] = []
    let length = 0
    for await (const part of answer.body) {
      length += (part as Uint8Array).length
      if (length > longestAnswer) return null
      parts.push(part as Uint8Array)
    }
    const read: unknown = JSON.parse(Buffer.concat(parts).toString('utf8'))
    return isRecord(read) ? read : null
  } catch {
    return null
  }
}

function records(list: unknown): Record<string, unknown>[] {
  return Array.isArray(list) ? (list as unknown[]).slice(0, 100).filter(isRecord) : []
}

function wrong(message: string): BailiffError {
  return new BailiffError('data', message, {
    hint: 'do not install it; tell who runs the registry, and try again later',
  })
}
