import { BailiffError } from '../../core/errors.ts'
import { defineAction, type ActionBan, type FirewallEntry, type Ports } from '../../core/plugin.ts'

/** Bans in this machine's firewall, through the firewall helper. */
export default defineAction({
  options: { type: 'object', properties: {}, additionalProperties: false },
  capabilities: ['firewall'],
  async sync(bans, host) {
    await host.firewall.declare(portsOf(bans))
    return host.firewall.sync(bans.map(entry))
  },
  async banMany(bans, host) {
    await host.firewall.declare(portsOf(bans))
    return host.firewall.add(bans.map(entry))
  },
  async unbanMany(bans, host) {
    await host.firewall.del(bans.map(entry))
  },
  async ban(ban, host) {
    await host.firewall.declare([ban.ports])
    const [refusal] = await host.firewall.add([entry(ban)])
    if (refusal)
      throw new BailiffError('no-permission', `the firewall helper refuses ${refusal.prefix}: ${refusal.reason}`)
  },
  async unban(ban, host) {
    await host.firewall.del([entry(ban)])
  },
})

function entry({ prefix, ports, until }: ActionBan): FirewallEntry {
  return { prefix, ports, until }
}

function portsOf(bans: readonly ActionBan[]): Ports[] {
  return [...new Map(bans.map(({ ports }) => [JSON.stringify(ports), ports])).values()]
}
