import { parseAddress } from '../address.ts'
import { BailiffError, quote } from '../errors.ts'

/** A port of an address that only this machine reaches. */
export interface Loopback {
  readonly host: string
  readonly port: number
}

const allowed = 'write a port alone (9120), 127.0.0.1:9120 or "[::1]:9120"'

/** Reads `9120`, `127.0.0.1:9120`, `localhost:9120` or `[::1]:9120`. Throws a BailiffError for anything that others reach. */
export function parseLoopback(given: unknown): Loopback {
  const text = typeof given === 'number' ? `127.0.0.1:${given}` : given
  const found = typeof text === 'string' ? /^(?:(\[[^\]]*\]|[^:]*):)?(\d{1,5})$/.exec(text.trim()) : null
  const port = Number(found?.[2])
  if (found === null || !Number.isInteger(port) || port < 1 || port > 65_535)
    throw new BailiffError('config', `${quote(given)} is no address with a port; ${allowed}`)
  const name = (found[1] ?? '').replace(/^\[|\]$/g, '')
  if (name === '' || name === 'localhost') return { host: '127.0.0.1', port }
  const host = parseAddress(name)
  if (host !== null && (host.startsWith('127.') || host === '::1')) return { host, port }
  throw new BailiffError('config', `metrics are served to this machine only, and ${quote(name)} is not it; ${allowed}`)
}
