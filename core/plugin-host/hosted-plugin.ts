/** A plugin in a host as the rest of the agent sees it: an object of the same shape as any other plugin. */
import { callEach, type TakesEach } from '../enforcing/call-each.ts'
import type { ActionPlugin, NotifierPlugin, SourcePlugin } from '../plugin.ts'
import { answeredRefusals } from './checked-messages.ts'
import type { HostedModule } from './hosted-module.ts'
import type { Description } from './messages.ts'
import type { PluginHost } from './plugin-host.ts'

/** Who calls the firewall has deadlines of its own, and a first sync may be large. */
const firewallCallMs = 610_000

/** The source that a module is. */
export function hostedSource(host: PluginHost): SourcePlugin {
  return {
    start: (emit, of) => host.runSource(emit, of),
    stop: async (of) => void (await host.call({ kind: 'source', host: of, verb: 'stop', given: null })),
  }
}

/** The notifier that a module is. */
export function hostedNotifier(host: PluginHost): NotifierPlugin & TakesEach {
  const kind = 'notifier'
  return {
    start: async (of) => void (await host.call({ kind, host: of, verb: 'start', given: null })),
    stop: async (of) => void (await host.call({ kind, host: of, verb: 'stop', given: null })),
    notify: async (event, of) => void (await host.call({ kind, host: of, verb: 'notify', given: event })),
    [callEach]: (calls) => host.callEach(kind, calls),
  }
}

/** The action that a module is: with those functions alone that it has, since the agent goes by them. */
export function hostedAction(
  host: PluginHost,
  { functions, firewall, restored }: Description,
  { manifest }: Pick<HostedModule, 'manifest'>,
): ActionPlugin & TakesEach {
  const kind = 'action'
  const mayUseFirewall = firewall && (manifest === null || manifest.capabilities.firewall === true)
  const deadline = mayUseFirewall ? { deadlineMs: firewallCallMs } : {}
  const has = (name: string) => functions.includes(name)
  const one: Pick<ActionPlugin, 'ban' | 'unban' | 'start' | 'stop'> & TakesEach = {
    start: async (of) => void (await host.call({ kind, host: of, verb: 'start', given: null, ...deadline })),
    stop: async (of) => void (await host.call({ kind, host: of, verb: 'stop', given: null })),
    ban: async (ban, of) => void (await host.call({ kind, host: of, verb: 'ban', given: ban, ...deadline })),
    unban: async (ban, of) => void (await host.call({ kind, host: of, verb: 'unban', given: ban, ...deadline })),
    [callEach]: (calls) => host.callEach(kind, calls),
  }
  const many: Required<Pick<ActionPlugin, 'banMany' | 'unbanMany' | 'sync' | 'syncEach'>> = {
    banMany: async (bans, of) =>
      answeredRefusals(
        'banMany',
        await host.call({ kind, host: of, verb: 'banMany', given: bans, ...deadline }),
        bans.length,
      ),
    unbanMany: async (bans, of) =>
      void (await host.call({ kind, host: of, verb: 'unbanMany', given: bans, ...deadline })),
    sync: async (bans, of) =>
      answeredRefusals(
        'sync',
        await host.call({ kind, host: of, verb: 'sync', given: bans, ...deadline }),
        bans.length,
      ),
    syncEach: async (bans, of) =>
      answeredRefusals(
        'syncEach',
        await host.call({ kind, host: of, verb: 'sync', given: bans, ...deadline }),
        mostRefused,
      ),
  }
  const offered = (['banMany', 'unbanMany', 'sync', 'syncEach'] as const).filter(has)
  return {
    ...one,
    ...Object.fromEntries(offered.map((name) => [name, many[name]])),
    ...(restored ? { restored } : {}),
    ...(mayUseFirewall ? { capabilities: ['firewall'] } : {}),
  }
}

const mostRefused = 1_000_000
