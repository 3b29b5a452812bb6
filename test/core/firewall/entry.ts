/** Entries for tests, from text. */
import type { Entry } from '../../../core/firewall/admission.ts'
import type { WirePorts } from '../../../core/firewall/messages.ts'
import { parsePrefix, prefixParts } from '../../../core/address.ts'
import { must } from './namespace.ts'

export const all: WirePorts = { protocol: 'all', ports: [] }
export const ssh: WirePorts = { protocol: 'tcp', ports: [22] }

/** The entry for a prefix, so many seconds from now; null: for ever. */
export function entry(text: string, ports = all, seconds: number | null = 600): Entry {
  const { bytes, length, family } = prefixParts(must(parsePrefix(text)))
  const endsAt = seconds === null ? null : performance.now() + seconds * 1000
  return { ports, family, length, address: Buffer.from(bytes).toString('hex'), endsAt }
}
