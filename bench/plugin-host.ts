/**
 * What goes through a plugin host in a second: lines of a source; bans of an action that takes one at a time, as its queue
 * hands them over and by calls alone; bans of one that takes many; events of a notifier, as the announcer tells them. `node dist/bench/plugin-host.js [EVENTS]`, by default 100000; the medians of five rounds, beside the CPU
 * time of both processes.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parsePrefix } from '../core/address.ts'
import { ActionQueue } from '../core/enforcing/action-queue.ts'
import { Announcer } from '../core/enforcing/announcer.ts'
import { createHost } from '../core/host.ts'
import { PluginHosts } from '../core/plugin-host/plugin-hosts.ts'
import type { ActionBan, ActionHost, ActionPlugin, NotifierPlugin, SourceHost, SourcePlugin } from '../core/plugin.ts'
import type { PluginKind } from '../core/settings/plugin-use.ts'

const events = Number(process.argv[2] ?? 100_000)
const rounds = 5
/** As many bans of an action are under way at once as its queue has, and as many go into one batch. */
const atOnce = 8
const batch = 5000
const line = 'Nov 22 13:41:02 web1 sshd[77]: Failed password for root from 192.0.2.7 port 4711 ssh2\n'
const nothing = () => {}
const log = { debug: nothing, info: nothing, warn: nothing, error: nothing }
const folder = mkdtempSync(join(tmpdir(), 'bailiff-bench-'))
const hosts = new PluginHosts({ folder, log })

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

console.log(`${new Date().toISOString().slice(0, 10)}, Node ${process.version}, ${cpus()[0]?.model}, ${events} events`)
try {
  await measure('lines of a source, emitted one by one', emitted)
  await measure('bans of an action that takes one, from its queue', bannedFromQueue)
  await measure('bans of an action, eight calls at a time', bannedOneByOne)
  await measure('bans of an action, 5000 a call', bannedMany)
  await measure('events of a notifier, from the announcer, in order', notified)
} finally {
  await hosts.stop()
  rmSync(folder, { recursive: true, force: true })
}

/** Each round has a host of its own, whose answer is checked: nothing was lost. */
async function measure(
  what: string,
  round: (index: number) => Promise<{ ms: number; hostCpuMs: number; cpuMs: number }>,
) {
  const all = []
  for (let index = 0; index < rounds; index++) all.push(await round(index))
  const { ms, hostCpuMs, cpuMs } = all.toSorted((a, b) => a.ms - b.ms)[rounds >> 1] ?? { ms: 0, hostCpuMs: 0, cpuMs: 0 }
  const perSecond = Math.round((events / ms) * 1000)
  console.log(
    `${what}: ${perSecond} a second (agent ${Math.round(cpuMs)} ms, host ${Math.round(hostCpuMs)} ms of a processor)`,
  )
}

async function emitted(index: number) {
  const plugin = (await load('source', `source-${index}`)) as SourcePlugin
  const { host, end } = instance()
  let bytes = 0
  return timed(async () => {
    await new Promise<void>((resolve) => {
      const sourceHost = Object.create(host, { ended: { value: () => resolve() } }) as SourceHost
      const emit = async (piece: Uint8Array) => void (bytes += piece.length)
      void Promise.resolve(plugin.start(emit, sourceHost)).catch(nothing)
    })
    if (bytes !== events * line.length) throw new Error(`${bytes} bytes came`)
  }, end)
}

async function bannedFromQueue(index: number) {
  const plugin = (await load('action', `queue-${index}`)) as ActionPlugin
  const { host, end } = instance()
  const { banMany: _, unbanMany: __, ...single } = plugin
  const queue = new ActionQueue(single, host, (subject, message) => console.log(subject, message))
  return timed(async () => {
    let done = 0
    await new Promise<void>((resolve) => {
      for (let next = 0; next < events; next++) queue.ban(ban(next), () => ++done === events && resolve())
    })
    await check(plugin, host)
  }, end)
}

async function bannedOneByOne(index: number) {
  const plugin = (await load('action', `one-${index}`)) as ActionPlugin
  const { host, end } = instance()
  return timed(async () => {
    let next = 0
    const work = async () => {
      while (next < events) await plugin.ban(ban(next++), host)
    }
    await Promise.all(Array.from({ length: atOnce }, work))
    await check(plugin, host)
  }, end)
}

async function bannedMany(index: number) {
  const plugin = (await load('action', `many-${index}`)) as ActionPlugin
  const { host, end } = instance()
  const bans = Array.from({ length: batch }, (_, each) => ban(each))
  return timed(async () => {
    for (let done = 0; done < events; done += batch) await plugin.banMany?.(bans, host)
    await check(plugin, host)
  }, end)
}

async function notified(index: number) {
  const plugin = (await load('notifier', `notifier-${index}`)) as NotifierPlugin
  const { host, end } = instance()
  const announcer = new Announcer()
  await announcer.configure([{ plugin, host, jails: null }])
  const waiting = () => announcer.states[0]?.waiting ?? 0
  return timed(async () => {
    for (let done = 0; done < events;) {
      for (; done < events && waiting() < 900; done++)
        announcer.tell({ type: 'ban', time: done, ban: ban(done), reason: 'new', action: 'firewall' })
      await new Promise((resolve) => setImmediate(resolve))
    }
    while (waiting() > 0) await new Promise((resolve) => setImmediate(resolve))
    if (announcer.states[0]?.dropped !== 0) throw new Error('events were dropped')
    await plugin.notify({ type: 'stop', time: events }, host)
  }, end)
}

async function check(plugin: ActionPlugin, host: ActionHost): Promise<void> {
  const [said] = (await plugin.sync?.([ban(0)], host)) ?? []
  if (said?.reason !== String(events)) throw new Error(`${said?.reason} bans came`)
}

async function timed(work: () => Promise<void>, end: () => void) {
  const cpu = process.cpuUsage()
  const hostBefore = hostCpuMs()
  const before = performance.now()
  await work()
  const ms = performance.now() - before
  const { user, system } = process.cpuUsage(cpu)
  const result = { ms, cpuMs: (user + system) / 1000, hostCpuMs: hostCpuMs() - hostBefore }
  end()
  return result
}

/** Of all hosts that are used; /proc/PID/stat counts in hundredths of a second. */
function hostCpuMs(): number {
  return hosts.states().reduce((sum, { pid }) => {
    if (pid === null) return sum
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')
    return sum + (Number(fields[11]) + Number(fields[12])) * 10
  }, 0)
}

async function load(kind: PluginKind, name: string) {
  const file = join(folder, `${name}.mjs`)
  writeFileSync(file, text)
  const use = { kind, plugin: file, options: {}, where: { file }, optionsAt: {} }
  return hosts.load({ name, file, manifest: null }, kind, use)
}

function instance() {
  return createHost({ name: 'bench', options: {}, folder, log, firewall: null })
}

function ban(index: number): ActionBan {
  const prefix = parsePrefix(`10.${(index >> 16) & 255}.${(index >> 8) & 255}.${index & 255}`)
  if (prefix === null) throw new Error('no prefix')
  const ports = { protocol: 'tcp', ports: [22] } as const
  return { prefix, jail: 'sshd', ports, since: 1, until: 2, count: 1, failures: 5, lines: [line.trim()], reason: 'new' }
}
