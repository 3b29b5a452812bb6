import { defineAction, type ActionBan } from '../../core/plugin.ts'

/** Bans nobody: keeps what a firewall would hold in memory, and says so every time. For trying Bailiff out. */
export default defineAction({
  options: { type: 'object', properties: {}, additionalProperties: false },
  restored: true,
  ban(ban, host) {
    host.log.warn(fields(ban), `${ban.prefix} stands in the in-memory firewall only: nothing is protected`)
  },
  unban(ban, host) {
    host.log.info(fields(ban), `${ban.prefix} left the in-memory firewall`)
  },
})

function fields({ prefix, jail, until }: ActionBan): object {
  return { prefix, jail, until: until === null ? null : new Date(until).toISOString() }
}
