import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parsePrefix } from '../../core/address.ts'
import { ActionQueue } from '../../core/enforcing/action-queue.ts'
import { Announcer } from '../../core/enforcing/announcer.ts'
import { createHost } from '../../core/host.ts'
import { PluginHosts } from '../../core/plugin-host/plugin-hosts.ts'
import type {
  ActionBan,
  ActionHost,
  ActionPlugin,
  NotifierPlugin,
  SourceHost,
  SourcePlugin,
} from '../../core/plugin.ts'
import type { PluginKind } from '../../core/settings/plugin-use.ts'
import { silent as log } from '../../core/testing/seen-lines.ts'
import type { Figure, Part } from '../part.ts'
import { median } from '../rounds.ts'

const events = 100_000
/** As many bans of an action are under way at once as its queue has, and as many go into one batch. */
const atOnce = 8
const batch = 5000
const line = 'Nov 22 13:41:02 web1 sshd[77]: Failed password for root from 192.0.2.7 port 4711 ssh2\n'

const text = `let count = 0
export default {
  async start(emit, host) {
    if (host === undefined) return
    const line = Buffer.from(${JSON.stringify(line)})
    for (let i = 0; i < ${events}; i++) await emit(line)
    host.ended()
  },
  ban() { count++ }, unban() {},
  banMany(bans) { count += bans.length },
  notify({ type, time }) {
    if (type === 'stop' ? count !== time : time !== count++) throw new Error(count + ' events came before ' + time)
  },
  sync() { const had = count; count = 0; return [{ prefix: '192.0.2.1', reason: String(had) }] },
}`

const ways: Readonly<Record<string, (load: Load) => Promise<Spent>>> = {
  'lines of a source': emitted,
  'bans, from a queue': bannedFromQueue,
  'bans, 8 calls at a time': bannedOneByOne,
  'bans, 5000 a call': bannedMany,
  'events of a notifier': notified,
}

/** What goes through the process of a plugin of others in a second. */
export default {
  name: 'plugin-hosts',
  about: 'plugins of others in processes of their own: what goes through in a second',
  cases: [
    {
      name: 'a flood through each kind of plugin',
      why: 'the agent must not wait for plugins of others',
      corpus: `${events} events, lines of ${line.length} bytes`,
      answer: 'nothing is lost, and all comes in order',
      drawn: 'events/s',
      async measure(folder, rounds) {
        const figures: Figure[] = []
        for (const [subject, round] of Object.entries(ways)) figures.push(await measure(subject, round, folder, rounds))
        return figures
      },
    },
  ],
} satisfies Part

interface Spent {
  readonly ms: number
  readonly hostCpuMs: number
  readonly cpuMs: number
}

/** Loads a plugin of this kind into a host of its own. */
type Load = (kind: PluginKind) => Promise<Loaded>

interface Loaded {
  readonly plugin: unknown
  readonly folder: string
  readonly hosts: PluginHosts
}

async function measure(
  subject: string,
  round: (load: Load) => Promise<Spent>,
  folder: string,
  rounds: number,
): Promise<Figure> {
  const all: Spent[] = []
  for (let index = 0; index < rounds; index++) all.push(await inNewHost(folder, round))
  const cpuUs = (figure: (spent: Spent) => number) => (median(all.map(figure)) * 1000) / events
  return {
    subject,
    values: {
      'events/s': (events / median(all.map(({ ms }) => ms))) * 1000,
      'agent CPU us/event': cpuUs(({ cpuMs }) => cpuMs),
      'host CPU us/event': cpuUs(({ hostCpuMs }) => hostCpuMs),
    },
  }
}

/** Each round has a host of its own, whose answer is checked. */
async function inNewHost(folder: string, round: (load: Load) => Promise<Spent>): Promise<Spent> {
  const hosts = new PluginHosts({ folder, log })
  try {
    return await round(async (kind) => {
      const name = 'flood'
      const file = join(folder, `${name}.mjs`)
      writeFileSync(file, text)
      const use = { kind, plugin: file, options: {}, where: { file }, optionsAt: {} }
      return { plugin: await hosts.load({ name, file, manifest: null }, kind, use), folder, hosts }
    })
  } finally {
    await hosts.stop()
  }
}

async function emitted(load: Load): Promise<Spent> {
  const loaded = await load('source')
  const plugin = loaded.plugin as SourcePlugin
  const { host, end } = instance(loaded)
  let bytes = 0
  return timed(
    async () => {
      await new Promise<void>((resolve) => {
        const sourceHost = Object.create(host, { ended: { value: () => resolve() } }) as SourceHost
        const emit = async (piece: Uint8Array) => void (bytes += piece.length)
        void Promise.resolve(plugin.start(emit, sourceHost)).catch(() => {})
      })
      if (bytes !== events * line.length) throw new Error(`${bytes} bytes came`)
    },
    loaded,
    end,
  )
}

function bannedFromQueue(load: Load): Promise<Spent> {
  return banned(load, async (plugin, host) => {
    const { banMany: _, unbanMany: __, ...single } = plugin
    const queue = new ActionQueue(single, host, (subject, message) => console.log(subject, message))
    let done = 0
    await new Promise<void>((resolve) => {
      for (let next = 0; next < events; next++) queue.ban(ban(next), () => ++done === events && resolve())
    })
  })
}

function bannedOneByOne(load: Load): Promise<Spent> {
  return banned(load, async (plugin, host) => {
    let next = 0
    const work = async () => {
      while (next < events) await plugin.ban(ban(next++), host)
    }
    await Promise.all(Array.from({ length: atOnce }, work))
  })
}

function bannedMany(load: Load): Promise<Spent> {
  const bans = Array.from({ length: batch }, (_, each) => ban(each))
  return banned(load, async (plugin, host) => {
    for (let done = 0; done < events; done += batch) await plugin.banMany?.(bans, host)
  })
}

/** What it takes to tell an action of all bans, and to hear that it had them. */
async function banned(load: Load, tell: (plugin: ActionPlugin, host: ActionHost) => Promise<void>): Promise<Spent> {
  const loaded = await load('action')
  const plugin = loaded.plugin as ActionPlugin
  const { host, end } = instance(loaded)
  return timed(
    async () => {
      await tell(plugin, host)
      await check(plugin, host)
    },
    loaded,
    end,
  )
}

async function notified(load: Load): Promise<Spent> {
  const loaded = await load('notifier')
  const plugin = loaded.plugin as NotifierPlugin
  const { host, end } = instance(loaded)
  const announcer = new Announcer()
  await announcer.configure([{ plugin, host, jails: null }])
  const waiting = () => announcer.states[0]?.waiting ?? 0
  return timed(
    async () => {
      for (let done = 0; done < events;) {
        for (; done < events && waiting() < 900; done++)
          announcer.tell({ type: 'ban', time: done, ban: ban(done), reason: 'new', action: 'firewall' })
        await new Promise((resolve) => setImmediate(resolve))
      }
      while (waiting() > 0) await new Promise((resolve) => setImmediate(resolve))
      if (announcer.states[0]?.dropped !== 0) throw new Error('events were dropped')
      await plugin.notify({ type: 'stop', time: events }, host)
    },
    loaded,
    end,
  )
}

async function check(plugin: ActionPlugin, host: ActionHost): Promise<void> {
  const [said] = (await plugin.sync?.([ban(0)], host)) ?? []
  if (said?.reason !== String(events)) throw new Error(`${said?.reason} bans came`)
}

async function timed(work: () => Promise<void>, { hosts }: Loaded, end: () => void): Promise<Spent> {
  const cpu = process.cpuUsage()
  const hostBefore = hostCpuMs(hosts)
  const before = performance.now()
  await work()
  const ms = performance.now() - before
  const { user, system } = process.cpuUsage(cpu)
  const result = { ms, cpuMs: (user + system) / 1000, hostCpuMs: hostCpuMs(hosts) - hostBefore }
  end()
  return result
}

/** Of all hosts that are used; /proc/PID/stat counts in hundredths of a second. */
function hostCpuMs(hosts: PluginHosts): number {
  return hosts.states().reduce((sum, { pid }) => {
    if (pid === null) return sum
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')
    return sum + (Number(fields[11]) + Number(fields[12])) * 10
  }, 0)
}

function instance({ folder }: Loaded) {
  return createHost({ name: 'bench', options: {}, folder, log, firewall: null })
}

function ban(index: number): ActionBan {
  const prefix = parsePrefix(`10.${(index >> 16) & 255}.${(index >> 8) & 255}.${index & 255}`)
  if (prefix === null) throw new Error('no prefix')
  const ports = { protocol: 'tcp', ports: [22] } as const
  return { prefix, jail: 'sshd', ports, since: 1, until: 2, count: 1, failures: 5, lines: [line.trim()], reason: 'new' }
}
