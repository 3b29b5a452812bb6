/**
 * A netlink backend in a process of its own, started by the launcher inside a namespace. Run as a
 * program this file is that process: it carries out calls that come over Node's channel.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Entry } from '../../../core/firewall/admission.ts'
import { BackendError, type Backend, type ForeignChange } from '../../../core/firewall/backend.ts'
import type { WirePorts } from '../../../core/firewall/messages.ts'
import { openNetlink, type NetlinkOptions } from '../../../core/firewall/netlink/netlink.ts'
import type { Namespace } from './namespace.ts'

interface Call {
  readonly id: number
  readonly name: 'declare' | 'add' | 'del' | 'sync' | 'list' | 'lacking' | 'around' | 'watch'
  readonly given: readonly Entry[] | readonly WirePorts[]
  /** Those of a sync. */
  readonly ports?: readonly WirePorts[] | undefined
}

type Answer =
  | { readonly id: number; readonly entries: readonly Entry[] }
  | { readonly id: number; readonly failed: string; readonly code?: BackendError['code'] }
  | { readonly heard: ForeignChange }

/** The same calls as a backend; `stop` ends the process. */
export interface BackendProcess extends Backend {
  readonly pid: number
  stop(): Promise<void>
}

const self = fileURLToPath(import.meta.url)
const launcher = fileURLToPath(new URL('../../../../core/firewall/launcher.pl', import.meta.url))

/** Starts one inside the namespace. */
export function startBackend(space: Namespace, options: NetlinkOptions = {}): BackendProcess {
  const node = [process.execPath, '--jitless', self, JSON.stringify(options)]
  const [program = '', ...words] = [...space.inside, '/usr/bin/perl', launcher, 'exec', ...node]
  const child = spawn(program, words, { stdio: ['ignore', 'inherit', 'ignore', 'ipc'], serialization: 'advanced' })
  const waiting = new Map<number, { resolve: (entries: readonly Entry[]) => void; reject: (error: Error) => void }>()
  let heard: (change: ForeignChange) => void = () => {}
  let lastId = 0
  child.on('message', (answer: Answer) => {
    if ('heard' in answer) return heard(answer.heard)
    const { resolve, reject } = waiting.get(answer.id) ?? {}
    waiting.delete(answer.id)
    if ('entries' in answer) resolve?.(answer.entries.map(fromWall))
    else reject?.(answer.code === undefined ? new Error(answer.failed) : new BackendError(answer.code, answer.failed))
  })
  child.on('exit', () => {
    for (const { reject } of waiting.values()) reject(new Error('the process of the backend ended'))
  })
  const call = (name: Call['name'], given: Call['given'] = [], ports?: Call['ports']) =>
    new Promise<readonly Entry[]>((resolve, reject) => {
      const id = ++lastId
      waiting.set(id, { resolve, reject })
      child.send({ id, name, given, ports } satisfies Call)
    })
  return {
    pid: child.pid ?? 0,
    declare: async (ports) => void (await call('declare', ports)),
    add: async (entries) => void (await call('add', entries.map(toWall))),
    del: async (entries) => void (await call('del', entries.map(toWall))),
    sync: async (entries, ports) => void (await call('sync', entries.map(toWall), ports)),
    list: () => call('list'),
    lacking: (entries) => call('lacking', entries.map(toWall)),
    around: (address) => call('around', [{ address }] as unknown as Entry[]),
    watch(callback) {
      heard = callback
      void call('watch')
      return () => (heard = () => {})
    },
    async stop() {
      child.kill('SIGKILL')
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    },
  }
}

/** `performance.now()` is the time of one process, so ends travel as times of the day. */
const toWall = (entry: Entry): Entry => shifted(entry, performance.timeOrigin)
const fromWall = (entry: Entry): Entry => shifted(entry, -performance.timeOrigin)
const shifted = (entry: Entry, by: number): Entry => ({
  ...entry,
  endsAt: entry.endsAt === null ? null : entry.endsAt + by,
})

function serveCalls(backend: Backend | null): void {
  const send = (answer: Answer) => void process.send?.(answer)
  process.on('message', async ({ id, name, given, ports }: Call) => {
    try {
      if (backend === null) throw new Error('there is no netlink')
      const entries = (name === 'declare' ? [] : given).map((entry) => fromWall(entry as Entry))
      if (name === 'declare') await backend.declare(given as readonly WirePorts[])
      else if (name === 'watch') backend.watch?.((change) => send({ heard: change }))
      else if (name === 'sync') await backend.sync(entries, ports)
      else if (name === 'add' || name === 'del') await backend[name](entries)
      const answer =
        name === 'list'
          ? backend.list()
          : name === 'lacking'
            ? backend.lacking?.(entries)
            : name === 'around'
              ? backend.around?.(entries[0]?.address ?? '')
              : []
      send({ id, entries: ((await answer) ?? []).map(toWall) })
    } catch (error) {
      const failed = error instanceof Error ? error.message : String(error)
      send(error instanceof BackendError ? { id, failed, code: error.code } : { id, failed })
    }
  })
}

if (process.argv[1] === self && process.send !== undefined) {
  serveCalls(openNetlink(JSON.parse(process.argv[2] ?? '{}')))
}
