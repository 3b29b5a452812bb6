import {
  type ActionBan,
  type ActionHost,
  BailiffError,
  defineAction,
  type FirewallEntry,
  listOfJail,
  type Ports,
  type Refusal,
} from '../../core/plugin.ts'

/** Which ports each instance has declared: declaring rewrites the rules, which takes longer than a ban. */
const declared = new WeakMap<ActionHost, Set<string>>()

/** Bans in this machine's firewall, through the firewall helper. */
export default defineAction({
  options: { type: 'object', properties: {}, additionalProperties: false },
  capabilities: ['firewall'],
  async syncEach(bans, host) {
    // Also puts rules back that others have removed.
    declared.delete(host)
    await declare(bans, host)
    return host.firewall.sync({ [Symbol.iterator]: () => entriesOf(bans) })
  },
  banMany: add,
  async unbanMany(bans, host) {
    await host.firewall.del(bans.map(entry))
  },
  async ban(ban, host) {
    const [refusal] = await add([ban], host)
    if (refusal) {
      throw new BailiffError('no-permission', `the firewall helper refuses ${refusal.prefix}: ${refusal.reason}`)
    }
  },
  async unban(ban, host) {
    await host.firewall.del([entry(ban)])
  },
})

async function add(bans: readonly ActionBan[], host: ActionHost): Promise<readonly Refusal[]> {
  try {
    await declare(bans, host)
    const listed = bans.filter(({ jail }) => listOfJail(jail) !== null)
    const others = listed.length === 0 ? bans : bans.filter(({ jail }) => listOfJail(jail) === null)
    const refused = others.length === 0 ? [] : await host.firewall.add(others.map(entry))
    return listed.length === 0 ? refused : [...refused, ...(await host.firewall.load(listed.map(entry)))]
  } catch (error) {
    // The table may be gone: the next try declares everything anew.
    declared.delete(host)
    throw error
  }
}

async function declare(bans: Iterable<ActionBan>, host: ActionHost): Promise<void> {
  const known = declared.get(host) ?? new Set<string>()
  const fresh = new Map<string, Ports>()
  // A million bans share some few.
  const seen = new Set<Ports>()
  for (const { ports } of bans) {
    if (seen.has(ports)) continue
    seen.add(ports)
    const key = JSON.stringify(ports)
    if (!known.has(key)) fresh.set(key, ports)
  }
  if (fresh.size === 0) return
  await host.firewall.declare([...fresh.values()])
  declared.set(host, new Set([...known, ...fresh.keys()]))
}

function* entriesOf(bans: Iterable<ActionBan>): Generator<FirewallEntry> {
  for (const ban of bans) yield entry(ban)
}

function entry({ prefix, ports, until }: ActionBan): FirewallEntry {
  return { prefix, ports, until }
}
