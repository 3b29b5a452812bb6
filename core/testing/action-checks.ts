import type { Prefix } from '../address.ts'
import type { ActionBan, ActionHost, ActionPlugin, Refused } from '../plugin.ts'
import { abortRemedy, endsWhenAborted, ensureFunctions, untilTaken } from './call-checks.ts'
import { ensure, ensureSame, type Check } from './check.ts'
import { FakeFirewall } from './fake-firewall.ts'
import { hostileBans } from './hostile-inputs.ts'
import { optionChecks, readOptions } from './option-checks.ts'
import { actionBan, frozen, samplePrefixes } from './sample-bans.ts'
import { testHost, type TestHost } from './test-host.ts'

/** What the action under test works on. */
export interface ActionSubject {
  /** As they would stand in the configuration. */
  readonly options?: unknown
  /** The host of the action; unless given, one that the suite makes, with a firewall that remembers. */
  readonly host?: ActionHost
  /**
   * Answers the prefixes that the other side keeps out now. Without it the suite sees only whether calls succeed; an
   * action of the firewall helper is looked at by itself.
   */
  readonly holds?: () => Promise<readonly string[]> | readonly string[]
}

/** How many bans come at once when a whole network attacks. */
const crowd = 200

/**
 * What every action keeps: it bans and unbans every kind of prefix, each call may come twice, whatever stands in a ban,
 * many at once too; `sync` makes the other side hold exactly what it is given; and a call ends when it is told to.
 */
export function actionChecks(plugin: ActionPlugin, subject: ActionSubject = {}): Check[] {
  const state = new ActionUnderTest(plugin, subject)
  const retry = 'throw an error where the other side did not take it; the agent calls again'
  return [
    {
      name: 'it has the functions of an action',
      remedy: 'export default { async ban(ban, host) {…}, async unban(ban, host) {…} }',
      run: async () => ensureActionShape(plugin),
    },
    ...optionChecks(plugin, subject.options ?? {}),
    { name: 'it starts', remedy: 'start() gets the checked options as host.options', run: () => state.start() },
    {
      name: 'a ban is carried out, and once more is the same as once',
      remedy: `after a crash the agent hands the same ban over again: that is no error. ${retry}`,
      run: async () => {
        for (const prefix of [...samplePrefixes, ...samplePrefixes]) await state.ban(actionBan(prefix))
        await state.ensureHolds(samplePrefixes)
      },
    },
    {
      name: 'an unban is carried out, also of what is not banned',
      remedy: 'who removes what is not there has succeeded',
      run: async () => {
        for (const prefix of [...samplePrefixes, ...samplePrefixes, '203.0.113.1']) await state.unban(actionBan(prefix))
        await state.ensureHolds([])
      },
    },
    {
      name: 'a ban for ever and one without ports are bans',
      remedy: 'ban.until may be null (for ever) and ban.ports.ports empty (all traffic)',
      run: async () => {
        const ban = actionBan('192.0.2.8', { until: null, ports: { protocol: 'all', ports: [] }, lines: [] })
        await state.ban(ban)
        await state.ensureHolds(['192.0.2.8'])
        await state.unban(ban)
        await state.ensureHolds([])
      },
    },
    {
      name: 'whatever stands in a ban, it is carried out',
      remedy:
        'treat ban.jail and ban.lines as text of an enemy: never a part of a command, a path or a query; change nothing in a ban',
      run: async () => {
        for (const ban of hostileBans) await state.ban(ban)
        for (const ban of hostileBans) await state.unban(ban)
        await state.ensureHolds([])
      },
    },
    {
      name: 'many bans at once are carried out',
      remedy: 'up to 8 calls run at the same time, or one of banMany with up to 5000: keep each apart from the others',
      run: () => state.crowd(),
    },
    ...((plugin.sync ?? plugin.syncEach) ? [state.syncCheck()] : []),
    {
      name: 'a call ends when host.signal is aborted',
      remedy: abortRemedy,
      run: async () => {
        await endsWhenAborted(state.host, () => plugin.ban(frozen(actionBan('192.0.2.9')), state.host))
        await endsWhenAborted(state.host, () => plugin.unban(frozen(actionBan('192.0.2.9')), state.host))
      },
    },
    { name: 'it stops', remedy: 'stop() is called once, also while the other side is away', run: () => state.stop() },
  ]
}

function ensureActionShape(plugin: ActionPlugin): void {
  ensureFunctions(plugin, ['ban', 'unban'], ['start', 'stop', 'banMany', 'unbanMany', 'sync', 'syncEach'])
  const unknown = (plugin.capabilities ?? []).filter((one) => one !== 'firewall')
  ensure(unknown.length === 0, `its capabilities may be ['firewall'], but are ${JSON.stringify(plugin.capabilities)}`)
}

/** The action with what the suite knows of it. */
class ActionUnderTest {
  readonly #plugin: ActionPlugin
  readonly #subject: ActionSubject
  readonly #firewall = new FakeFirewall()
  #made: TestHost | null = null

  constructor(plugin: ActionPlugin, subject: ActionSubject) {
    this.#plugin = plugin
    this.#subject = subject
  }

  get host(): ActionHost {
    const host = this.#subject.host ?? this.#made?.host
    if (host === undefined) throw new Error('it did not start')
    return host
  }

  async start(): Promise<void> {
    if (this.#subject.host === undefined) {
      const usesFirewall = this.#plugin.capabilities?.includes('firewall') ?? false
      const options = await readOptions(this.#plugin.options, this.#subject.options ?? {})
      this.#made = testHost(options, usesFirewall ? { firewall: this.#firewall } : {})
    }
    await untilTaken(this.host, () => this.#plugin.start?.(this.host))
  }

  async stop(): Promise<void> {
    const host = this.host
    this.#made?.end()
    await this.#plugin.stop?.(host)
  }

  async ban(ban: ActionBan): Promise<void> {
    await untilTaken(this.host, () => this.#plugin.ban(frozen(ban), this.host))
  }

  async unban(ban: ActionBan): Promise<void> {
    await untilTaken(this.host, () => this.#plugin.unban(frozen(ban), this.host))
  }

  async crowd(): Promise<void> {
    const bans = Array.from({ length: crowd }, (_, i) => frozen(actionBan(`203.0.113.${i}`)))
    const { banMany, unbanMany } = this.#plugin
    if (banMany)
      this.#ensureAllTaken(await untilTaken(this.host, () => banMany.call(this.#plugin, bans, this.host)), 'banMany')
    else await this.#eightAtOnce(bans, (ban) => this.#plugin.ban(ban, this.host))
    await this.ensureHolds(bans.map(({ prefix }) => prefix))
    if (unbanMany) await untilTaken(this.host, () => unbanMany.call(this.#plugin, bans, this.host))
    else await this.#eightAtOnce(bans, (ban) => this.#plugin.unban(ban, this.host))
    await this.ensureHolds([])
  }

  syncCheck(): Check {
    return {
      name: 'a sync makes the other side hold exactly what it is given',
      remedy: 'remove what is not among the bans, add what is missing; no bans at all are right, too',
      run: async () => {
        await this.ban(actionBan('192.0.2.10'))
        await this.#sync([actionBan('192.0.2.11'), actionBan('2001:db8::11')])
        await this.ensureHolds(['192.0.2.11', '2001:db8::11'])
        await this.#sync([])
        await this.ensureHolds([])
      },
    }
  }

  /** Nothing is said where nobody can look. */
  async ensureHolds(expected: readonly string[]): Promise<void> {
    const usesFirewall = this.#subject.host === undefined && (this.#plugin.capabilities?.includes('firewall') ?? false)
    const holds = this.#subject.holds ?? (usesFirewall ? () => this.#firewall.held : undefined)
    if (holds === undefined) return
    ensureSame([...new Set(await holds())].toSorted(), expected.toSorted(), 'what the other side keeps out')
  }

  async #sync(bans: readonly ActionBan[]): Promise<void> {
    const { sync, syncEach } = this.#plugin
    const given = bans.map(frozen)
    // Each walk makes the bans anew, as the agent does.
    const walked = { [Symbol.iterator]: () => given[Symbol.iterator]() }
    const refused = syncEach
      ? await untilTaken(this.host, () => syncEach.call(this.#plugin, walked, this.host))
      : await untilTaken(this.host, () => sync?.call(this.#plugin, given, this.host))
    this.#ensureAllTaken(refused, 'sync')
  }

  #ensureAllTaken(refused: Refused, verb: string): void {
    if (refused === undefined || refused === null) return
    ensure(Array.isArray(refused), `${verb} must answer nothing, or a list of refusals, but answers ${typeof refused}`)
    for (const one of refused as readonly { prefix?: Prefix; reason?: unknown }[])
      ensure(
        typeof one?.prefix === 'string' && typeof one.reason === 'string',
        `a refusal of ${verb} needs prefix and reason`,
      )
    ensureSame(refused, [], `what ${verb} refuses`)
  }

  async #eightAtOnce(bans: readonly ActionBan[], call: (ban: ActionBan) => void | Promise<void>): Promise<void> {
    const rest = [...bans]
    const work = async () => {
      for (let ban = rest.shift(); ban !== undefined; ban = rest.shift()) await untilTaken(this.host, () => call(ban))
    }
    await Promise.all(Array.from({ length: 8 }, work))
  }
}
