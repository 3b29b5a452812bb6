/** Lists of what is never banned that depend on nothing of the machine the tests run on. */
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import type { NetworkInterfaceInfo } from 'node:os'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { NeverBanned } from '../../../core/firewall/never-banned.ts'

/** The machine has these addresses, each with the length of its network, and nothing else. */
export function withAddresses(read: () => readonly string[]): NeverBanned {
  const nowhere = '/nonexistent'
  const places = { routes4: nowhere, routes6: nowhere, resolvers: [], conf: nowhere }
  return new NeverBanned({ ...places, interfaces: () => ({ eth0: read().map(interfaceWith) }) })
}

export interface Files {
  /** The list that is read from the files. */
  readonly neverBanned: NeverBanned
  /** What it complained of. */
  readonly warnings: string[]
  readonly folder: string
  /** Puts one of `route`, `ipv6_route`, `resolv.conf`, `upstream.conf`, `firewall.conf` in place; returns its path. */
  write(name: string, text: string): string
  remove(): void
}

/** A list that is read from files of the test's own. */
export function withFiles(): Files {
  const folder = mkdtempSync(join(tmpdir(), 'bailiff-never-banned-'))
  const warnings: string[] = []
  const at = (name: string) => join(folder, name)
  const neverBanned = new NeverBanned(
    {
      routes4: at('route'),
      routes6: at('ipv6_route'),
      resolvers: [at('resolv.conf'), at('upstream.conf')],
      conf: at('firewall.conf'),
      owner: process.getuid?.() ?? 0,
      interfaces: () => ({}),
    },
    (message) => warnings.push(message),
  )
  const write = (name: string, text: string) => {
    // A reader sees the old text or the new one, never half of it.
    writeFileSync(at('written'), text, { mode: 0o644 })
    renameSync(at('written'), at(name))
    return at(name)
  }
  return { neverBanned, warnings, folder, write, remove: () => rmSync(folder, { recursive: true }) }
}

function interfaceWith(cidr: string): NetworkInterfaceInfo {
  const address = cidr.replace(/\/.*/, '')
  const rest = { netmask: '', mac: '', internal: false, cidr }
  return address.includes(':') ? { address, family: 'IPv6', scopeid: 0, ...rest } : { address, family: 'IPv4', ...rest }
}
