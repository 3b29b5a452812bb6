import { statSync, watch, type FSWatcher } from 'node:fs'
import { open, readdir, readFile, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { BailiffError, describeError, type Host, quote } from '../../../core/plugin.ts'
import { attributesOfJson } from './entry.ts'
import { maxContainers, type OpenLog } from './engine-logs.ts'
import { JsonLog } from './json-log.ts'
import { selects, type Container, type Selection } from './selection.ts'

const lookEveryMs = 5000
const firstPauseMs = 1000
const longestPauseMs = 60_000
const maxConfigBytes = 4 * 1024 * 1024

/** What dockerd says of a container in its folder. */
interface Described {
  readonly container: Container
  readonly log: string
  /** The driver of its log. */
  readonly driver: string
}

/** Follows the JSON files in which dockerd keeps the logs of its containers, a folder each. */
export class JsonFiles {
  readonly #folder: string
  readonly #selection: Selection
  readonly #host: Host
  readonly #openLog: OpenLog
  readonly #followed = new Map<string, Promise<void>>()
  /** What was read of folders, by the stamp of their configuration. */
  readonly #known = new Map<string, { readonly stamp: number; readonly described: Described | null }>()
  readonly #told = new Set<string>()
  #first = true

  constructor(folder: string, selection: Selection, host: Host, openLog: OpenLog) {
    this.#folder = folder
    this.#selection = selection
    this.#host = host
    this.#openLog = openLog
  }

  /** Runs until the signal aborts; rejects where the folder cannot be read. */
  async run(): Promise<void> {
    const { signal } = this.#host
    const ending = new AbortController()
    const all = AbortSignal.any([signal, ending.signal])
    let changed = () => {}
    const watcher = watched(this.#folder, () => changed())
    try {
      while (!signal.aborted) {
        const change = new Promise<void>((resolve) => (changed = resolve))
        const complete = await this.#reconcile(all)
        // The folder of a container is there before what it says of it.
        await Promise.race([change, pause(complete ? lookEveryMs : 200, all)])
      }
    } finally {
      watcher?.close()
      ending.abort()
      await Promise.allSettled(this.#followed.values())
    }
  }

  /** False where a folder does not say yet what it is. */
  async #reconcile(signal: AbortSignal): Promise<boolean> {
    const ids = (await this.#ids()).filter((id) => !this.#followed.has(id))
    let complete = true
    for (const id of ids) {
      const described = await this.#describe(id)
      if (described === null) complete = complete && this.#told.has(id)
      if (described === null || !selects(this.#selection, described.container)) continue
      if (described.driver !== 'json-file') {
        this.#tell(
          id,
          `${described.container.name} has a log of the driver ${quote(described.driver)}, which only "socket" can read`,
        )
        continue
      }
      if (this.#followed.size >= maxContainers) {
        this.#tell('full', `more than ${maxContainers} containers are meant, and no more are followed; name fewer`)
        break
      }
      const following = this.#follow(described, signal).finally(() => this.#followed.delete(id))
      this.#followed.set(id, following)
    }
    this.#first = false
    return complete
  }

  async #follow({ container, log: path }: Described, signal: AbortSignal): Promise<void> {
    const log = this.#openLog(container, !this.#first)
    const folder = join(this.#folder, container.id)
    const isOver = () => statSync(folder, { throwIfNoEntry: false }) === undefined
    for (let failures = 0; !signal.aborted; failures++) {
      try {
        return await new JsonLog(path, log, signal).follow(isOver)
      } catch (error) {
        if (signal.aborted) return
        this.#tell(container.id, `the log of ${container.name} cannot be read: ${describeError(error)}; ${howToRead()}`)
        await pause(Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(failures, 10)), signal)
      }
    }
  }

  async #ids(): Promise<string[]> {
    try {
      return (await readdir(this.#folder)).filter((name) => /^[0-9a-f]{64}$/.test(name))
    } catch (error) {
      throw new BailiffError(
        'no-input',
        `the folder of containers ${this.#folder} cannot be read: ${describeError(error)}`,
        {
          hint: howToRead(),
          cause: error,
        },
      )
    }
  }

  /** What the folder says of its container; null where it says nothing yet, or may not be read. */
  async #describe(id: string): Promise<Described | null> {
    const folder = join(this.#folder, id)
    const file = join(folder, 'config.v2.json')
    try {
      const { mtimeMs, size } = await stat(file)
      const known = this.#known.get(id)
      if (known?.stamp === mtimeMs) return known.described
      if (size > maxConfigBytes) throw new BailiffError('data', `${file} has more than 4 MiB`)
      const text = await readFile(file, 'utf8')
      const options = await readFile(join(folder, 'hostconfig.json'), 'utf8').catch(() => '{}')
      const described = describe(id, folder, text, options)
      if (this.#known.size > 10_000) this.#known.clear()
      this.#known.set(id, { stamp: mtimeMs, described })
      return described
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined
      if (code !== 'EACCES') return null
      const described = await describeByLog(id, folder)
      if (described === null)
        this.#tell(
          id,
          `${file} may not be read by this user, and the log says nothing of the container; ${howToRead()}`,
        )
      return described
    }
  }

  #tell(what: string, message: string): void {
    if (this.#told.has(what)) return
    if (this.#told.size > 1000) this.#told.clear()
    this.#told.add(what)
    this.#host.log.warn({ source: this.#host.name }, message)
  }
}

/** What dockerd's configuration of a container says; null where it is not complete. */
function describe(id: string, folder: string, text: string, options: string): Described | null {
  const { Name, Config, LogPath } = JSON.parse(text) as {
    Name?: unknown
    Config?: { Labels?: Readonly<Record<string, unknown>> | null }
    LogPath?: unknown
  }
  const { LogConfig } = JSON.parse(options) as { LogConfig?: { Type?: unknown } }
  if (typeof Name !== 'string' || Name === '') return null
  const labels = Object.entries(Config?.Labels ?? {}).filter(
    (one): one is [string, string] => typeof one[1] === 'string',
  )
  const named = typeof LogPath === 'string' && LogPath !== '' ? basename(LogPath) : `${id}-json.log`
  const driver = typeof LogConfig?.Type === 'string' && LogConfig.Type !== '' ? LogConfig.Type : 'json-file'
  const container = { id, name: Name.replace(/^\//, ''), labels: Object.fromEntries(labels) }
  return { container, log: join(folder, named), driver }
}

/** What the first line of the log says, where dockerd was told to write labels or a tag into it; else null. */
async function describeByLog(id: string, folder: string): Promise<Described | null> {
  const log = join(folder, `${id}-json.log`)
  const file = await open(log).catch(() => null)
  if (file === null) return null
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(128 * 1024), 0, 128 * 1024, 0)
    const { tag, ...labels } = attributesOfJson(buffer.toString('utf8', 0, bytesRead).split('\n')[0] ?? '') ?? {}
    // Its id alone is a name, too.
    return { container: { id, name: tag ?? id.slice(0, 12), labels }, log, driver: 'json-file' }
  } finally {
    await file.close()
  }
}

function howToRead(): string {
  return 'only root may: as a service, give it AmbientCapabilities=CAP_DAC_READ_SEARCH, or ask the engine by "socket"'
}

function watched(folder: string, heard: () => void): FSWatcher | null {
  try {
    const watcher = watch(folder, { persistent: false }, heard)
    watcher.on('error', heard)
    return watcher
  } catch {
    return null
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await setTimeout(ms, undefined, { signal }).catch(() => {})
}
