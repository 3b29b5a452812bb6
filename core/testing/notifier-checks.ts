import type { AgentEvent } from '../events.ts'
import type { Host, NotifierPlugin } from '../plugin.ts'
import { abortRemedy, endsWhenAborted, ensureFunctions, inTime } from './call-checks.ts'
import { ensure, type Check } from './check.ts'
import { hostileEvents } from './hostile-inputs.ts'
import { optionChecks, readOptions } from './option-checks.ts'
import { everyEvent, frozen } from './sample-bans.ts'
import { testHost, type TestHost } from './test-host.ts'

/** Whom the notifier under test tells. */
export interface NotifierSubject {
  /** As they would stand in the configuration. */
  readonly options?: unknown
  /** The host of the notifier; unless given, one that the suite makes. */
  readonly host?: Host
  /** Answers all that has arrived on the other side, as one text. Without it the suite sees only whether calls succeed. */
  readonly told?: () => Promise<string> | string
}

/** What every notifier keeps: it takes every event, whatever stands in it, and ends when it is told to. */
export function notifierChecks(plugin: NotifierPlugin, subject: NotifierSubject = {}): Check[] {
  let made: TestHost | null = null
  const host = (): Host => {
    const one = subject.host ?? made?.host
    if (one === undefined) throw new Error('it did not start')
    return one
  }
  const tell = (event: AgentEvent) => inTime(host(), () => plugin.notify(frozen(event), host()))
  return [
    {
      name: 'it has the functions of a notifier',
      remedy: 'export default { async notify(event, host) {…} }',
      run: async () => ensureFunctions(plugin, ['notify'], ['start', 'stop']),
    },
    ...optionChecks(plugin, subject.options ?? {}),
    {
      name: 'it starts',
      remedy: 'start() gets the checked options as host.options',
      run: async () => {
        if (subject.host === undefined) made = testHost(await readOptions(plugin.options, subject.options ?? {}))
        await inTime(host(), () => plugin.start?.(host()))
      },
    },
    {
      name: 'it takes every event, and a ban arrives with its address and jail',
      remedy: 'event.type is start, stop, ban, unban, would-ban or alarm; pass over those that are of no interest',
      run: async () => {
        for (const event of everyEvent) await tell(event)
        const told = await subject.told?.()
        if (told === undefined) return
        for (const word of ['192.0.2.7', 'sshd', 'the set is full'])
          ensure(told.includes(word), `${JSON.stringify(word)} did not arrive`)
      },
    },
    {
      name: 'whatever stands in an event, it is told',
      remedy: 'treat every text of an event as written by an enemy; change nothing in it',
      run: async () => {
        for (const event of hostileEvents) await tell(event)
      },
    },
    {
      name: 'a call ends when host.signal is aborted',
      remedy: abortRemedy,
      run: async () => {
        for (const event of everyEvent) await endsWhenAborted(host(), () => plugin.notify(frozen(event), host()))
      },
    },
    {
      name: 'it stops',
      remedy: 'stop() is called once, also while the other side is away',
      run: async () => {
        const one = host()
        made?.end()
        await plugin.stop?.(one)
      },
    },
  ]
}
