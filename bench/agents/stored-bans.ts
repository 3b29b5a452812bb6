import { join } from 'node:path'
import { parsePrefix } from '../../core/address.ts'
import type { Ban } from '../../core/events.ts'
import { openStore } from '../../core/store/store.ts'
import { silent } from '../../core/testing/seen-lines.ts'

const atOnce = 10_000

/** Makes a store in the folder of an agent's state with bans of the jail `sshd` that go on for a day, one for each address. */
export async function storeBans(state: string, addresses: readonly string[]): Promise<void> {
  const path = join(state, 'bailiff.sqlite')
  const store = await openStore({ path, log: silent, historyEntries: 2_000_000 })
  const since = Date.now()
  const ports = { protocol: 'tcp' as const, ports: [22] }
  for (let from = 0; from < addresses.length; from += atOnce) {
    const bans = addresses.slice(from, from + atOnce).map((address, index): Ban => {
      const prefix = parsePrefix(address)
      if (prefix === null) throw new Error(`${address} is no address`)
      const until = since + 86_400_000 + index * 1000
      return { prefix, jail: 'sshd', ports, since, until, count: 1, failures: 5, lines: [] }
    })
    await store.commit({ bans })
  }
  await store.close()
}
