/** Asks the kernel what Bailiff's table holds of an address, where the helper cannot be asked. */
import { execFile } from 'node:child_process'
import { formatPrefix, prefixParts, type Prefix } from '../address.ts'
import type { AddressExplanation, BanStanding } from '../control/api.ts'
import { readSetName, setName } from '../firewall/set-names.ts'

const withinMs = 10_000
const longestList = 256 * 1024 * 1024

/** What the kernel holds of an address now. */
export type Held = NonNullable<AddressExplanation['kernel']>

/** Null where it cannot be asked: no rights, no nft. No table at all holds nothing. */
export async function askKernel(prefix: Prefix): Promise<Held | null> {
  const listed = await listTable()
  return listed === null ? null : listed.flatMap(({ name, elements }) => heldBy(name, elements, prefix))
}

/** The report with what the kernel said. `uses`: whether a ban of this jail goes to the firewall. */
export function withKernel(
  report: AddressExplanation,
  held: Held,
  uses: (ban: BanStanding) => boolean,
): AddressExplanation {
  const bans = report.bans.map((ban): BanStanding => {
    if (ban.observed || !uses(ban)) return ban
    const { family, length } = prefixParts(ban.prefix)
    const name = setName({ ports: ban.ports, family, length })
    const sets = held.filter((each) => each.set === name && each.prefix === ban.prefix).map(({ set }) => set)
    return { ...ban, sets, missingSince: sets.length > 0 ? null : report.at }
  })
  return { ...report, bans, kernel: held, kernelFailure: null }
}

interface ListedSet {
  readonly name: string
  readonly elements: readonly unknown[]
}

function listTable(): Promise<readonly ListedSet[] | null> {
  const words = ['--json', '--numeric', 'list', 'table', 'inet', 'bailiff']
  const options = {
    timeout: withinMs,
    maxBuffer: longestList,
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' },
  }
  return new Promise((resolve) => {
    execFile('nft', words, options, (error, stdout, stderr) => {
      if (error !== null) resolve(/No such file or directory/.test(stderr) && error.code === 1 ? [] : null)
      else resolve(setsIn(stdout))
    })
  })
}

function setsIn(text: string): readonly ListedSet[] | null {
  try {
    const { nftables } = JSON.parse(text) as { nftables: { set?: { name: string; elem?: unknown[] } }[] }
    return nftables.flatMap(({ set }) => (set === undefined ? [] : [{ name: set.name, elements: set.elem ?? [] }]))
  } catch {
    return null
  }
}

/** The sets hold the first address of each prefix; its length is in their name. */
function heldBy(name: string, elements: readonly unknown[], prefix: Prefix): Held {
  const key = readSetName(name)
  const { bytes, family, length } = prefixParts(prefix)
  if (key === null || key.family !== family || key.length > length) return []
  const around = formatPrefix(bytes, key.length)
  const found = elements.find((element) => valueOf(element) === around?.replace(/\/.*/, ''))
  return found === undefined || around === null ? [] : [{ set: name, prefix: around, until: null }]
}

/** An element of `nft --json`: the address, or `elem.val` beside its time. */
function valueOf(element: unknown): unknown {
  return typeof element === 'object' && element !== null && 'elem' in element
    ? (element.elem as { readonly val?: unknown }).val
    : element
}
