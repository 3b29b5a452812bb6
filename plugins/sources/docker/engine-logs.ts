import { setTimeout } from 'node:timers/promises'
import { BailiffError, describeError, type Host } from '../../../core/plugin.ts'
import type { ContainerLog } from './container-log.ts'
import { Engine } from './engine.ts'
import { entriesOf, type Entry } from './entry.ts'
import { Multiplexed } from './multiplexed.ts'
import { selects, type Container, type Selection } from './selection.ts'

/** Containers that are followed at once. */
export const maxContainers = 200
/** Looked at although the engine told of nothing. */
const lookEveryMs = 60_000
const gatherMs = 50
const firstPauseMs = 1000
const longestPauseMs = 60_000

/** What makes the log of a container: `fresh` where it came while we watched. */
export type OpenLog = (container: Container, fresh: boolean) => ContainerLog

interface Listed extends Container {
  readonly running: boolean
}

/** Follows the logs of containers over the API of the engine. */
export class EngineLogs {
  readonly #engine: Engine
  readonly #selection: Selection
  readonly #host: Host
  readonly #openLog: OpenLog
  readonly #followed = new Map<string, Promise<void>>()
  /** Those that have ended and were read to their end. */
  readonly #ended = new Set<string>()
  #first = true
  #full = false

  constructor(socket: string, selection: Selection, host: Host, openLog: OpenLog) {
    this.#engine = new Engine(socket)
    this.#selection = selection
    this.#host = host
    this.#openLog = openLog
  }

  /** Runs until the signal aborts; rejects when the engine ends. */
  async run(): Promise<void> {
    const ending = new AbortController()
    const signal = AbortSignal.any([this.#host.signal, ending.signal])
    try {
      // Listened to before the first list, so that nothing comes between.
      const filters = { type: ['container'], event: ['create', 'start', 'die', 'destroy', 'rename'] }
      const events = await this.#engine.open(`/events?filters=${encode(filters)}`, signal)
      let changed = () => {}
      let over = false
      events.on('data', () => changed())
      for (const name of ['end', 'error', 'close'])
        events.on(name, () => {
          over = true
          changed()
        })
      while (!signal.aborted) {
        const change = new Promise<void>((resolve) => (changed = resolve))
        await this.#reconcile(signal)
        if (over) break
        await Promise.race([change, pause(lookEveryMs, signal)])
        await pause(gatherMs, signal)
      }
      if (!this.#host.signal.aborted) throw new BailiffError('unavailable', 'the engine has ended')
    } finally {
      ending.abort()
      await Promise.allSettled(this.#followed.values())
    }
  }

  async #reconcile(signal: AbortSignal): Promise<void> {
    const all = await this.#list(signal)
    for (const id of this.#ended) if (!all.some((one) => one.id === id)) this.#ended.delete(id)
    for (const container of all) {
      if (!container.running && this.#ended.has(container.id)) continue
      if (this.#followed.has(container.id)) continue
      if (this.#followed.size >= maxContainers) {
        this.#tellFull(all.length)
        break
      }
      const log = this.#openLog(container, !this.#first)
      const following = this.#follow(container, log, signal).finally(() => this.#followed.delete(container.id))
      this.#followed.set(container.id, following)
    }
    this.#first = false
  }

  async #list(signal: AbortSignal): Promise<Listed[]> {
    const { labels } = this.#selection
    const filters = labels.length === 0 ? '' : `&filters=${encode({ label: labels })}`
    const answer = await this.#engine.ask(`/containers/json?all=1${filters}`, signal)
    const all = Array.isArray(answer) ? answer.flatMap(listed) : []
    return all.filter((container) => selects(this.#selection, container))
  }

  /** Reads the log to its end, again after a failure; ends with the container. */
  async #follow(container: Listed, log: ContainerLog, signal: AbortSignal): Promise<void> {
    for (let failures = 0; !signal.aborted; failures++) {
      try {
        await this.#read(container, log, signal)
        this.#ended.add(container.id)
        // It may run again already, and that have been told while it was still followed.
        await pause(gatherMs, signal)
        if (!(await this.#runs(container, signal))) return
        failures = -1
      } catch (error) {
        if (signal.aborted) return
        if (failures === 0)
          this.#host.log.warn(
            { container: container.name },
            `the log of a container cannot be read: ${describeError(error)}`,
          )
        await pause(Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(failures, 10)), signal)
        if (!(await this.#exists(container, signal))) return
      }
    }
  }

  async #read(container: Listed, log: ContainerLog, signal: AbortSignal): Promise<void> {
    log.again()
    const { since } = log.place
    const terminal = await this.#hasTerminal(container, signal)
    const start = `${since / 1_000_000_000n}.${String(since % 1_000_000_000n).padStart(9, '0')}`
    const words = `follow=1&stdout=1&stderr=1&timestamps=1&since=${start}`
    const answer = await this.#engine.open(`/containers/${container.id}/logs?${words}`, signal)
    const cut = terminal ? terminalLines() : framedLines()
    for await (const bytes of answer as AsyncIterable<Buffer>) await log.take(cut(bytes))
  }

  async #hasTerminal({ id }: Listed, signal: AbortSignal): Promise<boolean> {
    const answer = (await this.#engine.ask(`/containers/${id}/json`, signal)) as { Config?: { Tty?: unknown } } | null
    return answer?.Config?.Tty === true
  }

  async #runs({ id }: Listed, signal: AbortSignal): Promise<boolean> {
    const all = await this.#list(signal).catch(() => [])
    return all.some((one) => one.id === id && one.running)
  }

  async #exists({ id }: Listed, signal: AbortSignal): Promise<boolean> {
    const all = await this.#list(signal).catch(() => null)
    return all === null || all.some((one) => one.id === id)
  }

  #tellFull(count: number): void {
    if (!this.#full)
      this.#host.log.warn({}, `${count} containers are meant, and only ${maxContainers} are followed; name fewer`)
    this.#full = true
  }
}

/** Frames of the streams, each with lines that have their time before them. */
function framedLines(): (bytes: Buffer) => Entry[] {
  const frames = new Multiplexed()
  const times = new Map<number, bigint>()
  return (bytes) =>
    frames.push(bytes).flatMap(({ stream, bytes: piece }) => {
      const entries = entriesOf(piece, stream, times.get(stream) ?? 0n)
      times.set(stream, entries.at(-1)?.time ?? 0n)
      return entries
    })
}

/** A terminal has one stream without frames: only at a newline is there an end. */
function terminalLines(): (bytes: Buffer) => Entry[] {
  const maxRest = 256 * 1024
  let rest: Buffer = Buffer.alloc(0)
  let time = 0n
  return (bytes) => {
    const data = Buffer.concat([rest, bytes])
    const end = data.lastIndexOf(0x0a) + 1
    rest = data.length - end > maxRest ? Buffer.alloc(0) : Buffer.from(data.subarray(end))
    const entries = entriesOf(data.subarray(0, end), 1, time)
    time = entries.at(-1)?.time ?? time
    return entries
  }
}

function listed(item: unknown): Listed[] {
  const { Id, Names, Labels, State } = (item ?? {}) as Readonly<Record<string, unknown>>
  const [name] = Array.isArray(Names) ? Names : []
  if (typeof Id !== 'string' || !/^[0-9a-f]{64}$/.test(Id) || typeof name !== 'string') return []
  const labels = Object.entries(Labels ?? {}).filter((label): label is [string, string] => typeof label[1] === 'string')
  return [{ id: Id, name: name.replace(/^\//, ''), labels: Object.fromEntries(labels), running: State === 'running' }]
}

const encode = (filters: object) => encodeURIComponent(JSON.stringify(filters))

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await setTimeout(ms, undefined, { signal }).catch(() => {})
}
