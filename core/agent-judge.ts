import type { Prefix } from './address.ts'
import type { Agent } from './agent.ts'
import type { LogChunk } from './events.ts'
import { endIgnoredBans } from './ignored-bans.ts'
import type { BannedLine } from './judging/judge-options.ts'
import { Judge } from './judging/judge.ts'

/** The judge of an agent: what it asks the other stages, and which of them hears what it notices beside its bans. */
export function agentJudge(agent: Agent): Judge {
  return new Judge({
    offences: agent.store.loaded.offences,
    isBanned: (prefix, jail) => agent.wanted.has(prefix, jail) || agent.observed.has(prefix, jail),
    isBannedKey: (words, bits, jail) =>
      agent.wanted.hasKey(words, bits, jail) || agent.observed.hasKey(words, bits, jail),
    banStamp: (words, bits) => {
      const [wanted, observed] = [agent.wanted.stampOf(words, bits), agent.observed.stampOf(words, bits)]
      // Each set has stamps of its own; nobody is in both but for some time after a reload.
      return wanted === 0 ? -observed : observed === 0 ? wanted : Number.NaN
    },
    banOf: (prefix, jail) => agent.wanted.get(prefix, jail) ?? agent.observed.get(prefix, jail),
    onCounting: (news) => {
      agent.ownLog.counting(news)
      agent.warnings.counting(news)
    },
    onKept: (kept) => agent.storing.commit({ kept: [kept], counted: true }),
    onBanned: (line, prefix, chunk) => lookAtBanned(agent, line, prefix, chunk),
    vital: () => agent.firewall.vital(),
    allowed: (prefix) => agent.allowing.list.sparing(prefix),
    allowsAny: () => agent.allowing.list.size > 0,
    onSpared: (jail, address, why) =>
      agent.options.log.warn(
        { jail },
        `failures of ${address} are ignored: ${why}; if it is a proxy, let the service log the true address`,
      ),
    onNamesChanged: () => {
      endIgnoredBans(agent)
      agent.lists.screen()
    },
    onNameFailure: (name, error) => agent.alarm('ignoreip', `the name ${name} cannot be looked up: ${error.message}`),
  })
}

/** Bans in force should keep their address away: lines that are new are looked at. */
function lookAtBanned(
  { wanted, enforcing, jails }: Agent,
  line: BannedLine,
  prefix: () => Prefix,
  { arrivedAt, live }: Pick<LogChunk, 'arrivedAt' | 'live'>,
): void {
  // Lines of a backlog are many, and no sign of anything.
  if (!live) return
  const { written } = line
  for (const jail of line.jails) {
    const ban = wanted.get(prefix(), jail)
    if (ban === undefined || !enforcing.isEnforced(ban)) continue
    // The in-memory firewall keeps nobody away, and says so itself.
    const protects = jails.get(jail)?.actions.some(({ name }) => name !== 'memory') ?? true
    if (protects) enforcing.bite.line(ban, written === null ? arrivedAt : Math.min(written, arrivedAt), line.line)
  }
}
