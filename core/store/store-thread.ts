/**
 * The thread of the store. It has the only connection to the database and answers one request after
 * the other. A disk that is full or fails is said with each answer and ends nothing: the agent asks again.
 */
import { parentPort, workerData, type MessagePort } from 'node:worker_threads'
import { describeError } from '../errors.ts'
import type { Reply, Request, ThreadData } from './messages.ts'
import { codes, sqliteCode, type Database } from './sqlite.ts'
import { isDamage, openStoreFile, setAside } from './store-file.ts'
import { Tables } from './tables.ts'

class StoreThread {
  readonly #data: ThreadData
  readonly #port: MessagePort
  #database: Database | null = null
  #tables: Tables | null = null
  #last: Promise<void> = Promise.resolve()

  constructor(data: ThreadData, port: MessagePort) {
    this.#data = data
    this.#port = port
  }

  async start(): Promise<void> {
    const refused = await this.#load()
    this.#say(refused ?? { type: 'ready' })
    this.#port.on('message', (request: Request) => (this.#last = this.#last.then(() => this.#answer(request))))
  }

  async #load(): Promise<Reply | null> {
    try {
      const tables = await this.#open()
      if (this.#data.load === null) return null
      const { now, offencesSince } = this.#data.load
      for (const bans of tables.bans(now)) this.#say({ type: 'loaded', part: { bans } })
      for (const offences of tables.offences(offencesSince)) this.#say({ type: 'loaded', part: { offences } })
      for (const pending of tables.pending()) this.#say({ type: 'loaded', part: { pending } })
      for (const positions of tables.positions()) this.#say({ type: 'loaded', part: { positions } })
      return null
    } catch (error) {
      const refused = refusal(this.#data.path, error)
      if (refused === null) this.#alarm(`the store ${this.#data.path} cannot be read now: ${describeError(error)}`)
      return refused
    }
  }

  async #answer(request: Request): Promise<void> {
    try {
      this.#say(await this.#carryOut(request))
    } catch (error) {
      if (isDamage(error)) this.#replace(error)
      this.#say({ type: 'failed', message: describeError(error) })
    }
    if (request.type === 'close') this.#port.close()
  }

  async #carryOut(request: Request): Promise<Reply> {
    let more = false
    if (request.type === 'close') this.#close()
    else {
      const tables = await this.#open()
      if (request.type === 'history') return { type: 'answer', history: tables.history(request.query), more }
      if (request.type === 'commit') tables.commit(request.changes, request.positions)
      else more = tables.purge(request.now, request.before, request.keep)
    }
    return { type: 'answer', history: [], more }
  }

  async #open(): Promise<Tables> {
    if (this.#tables !== null) return this.#tables
    this.#database = await openStoreFile(this.#data.path, (message) => this.#alarm(message))
    this.#tables = new Tables(this.#database)
    return this.#tables
  }

  /** Damage found while running: the next request opens an empty store. */
  #replace(error: unknown): void {
    this.#close()
    try {
      this.#alarm(setAside(this.#data.path, describeError(error)))
    } catch (problem) {
      this.#alarm(`the store ${this.#data.path} is damaged and cannot be set aside: ${describeError(problem)}`)
    }
  }

  #close(): void {
    this.#database?.close()
    this.#database = null
    this.#tables = null
  }

  #alarm(message: string): void {
    this.#say({ type: 'alarm', message })
  }

  #say(reply: Reply): void {
    this.#port.postMessage(reply)
  }
}

/** What somebody has to change before the store can be used; null: it may pass, as a full disk does. */
function refusal(path: string, error: unknown): Reply | null {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (sqliteCode(error) === codes.busy) {
    return {
      type: 'refused',
      message: `the store ${path} is in use by another process`,
      hint: 'Stop the other agent, or give this one another folder for its state.',
    }
  }
  if (!['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'ENOENT', 'ELOOP'].includes(String(code))) return null
  return {
    type: 'refused',
    message: `the store ${path} cannot be opened: ${describeError(error)}`,
    hint: 'The folder of the state has to belong to the user of the agent.',
  }
}

if (parentPort !== null) await new StoreThread(workerData as ThreadData, parentPort).start()
