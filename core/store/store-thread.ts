/**
 * The thread of the store. It has the only connection to the database and answers one request after
 * the other. A disk that is full or fails is said with each answer and ends nothing: the agent asks again.
 */
import { parentPort, workerData, type MessagePort } from 'node:worker_threads'
import { describeError } from '../errors.ts'
import { StoreFiles } from './file-check.ts'
import type { Reply, Request, ThreadData } from './messages.ts'
import { purge } from './purge.ts'
import { rollBack } from './schema.ts'
import { codes, freeClosed, sqliteCode, type Database } from './sqlite.ts'
import { checkPages, isDamage, openStoreFile, setAside } from './store-file.ts'
import { Tables } from './tables.ts'

/** The store while it is open. */
interface Opened {
  readonly database: Database
  readonly tables: Tables
  readonly files: StoreFiles
}

class StoreThread {
  readonly #data: ThreadData
  readonly #port: MessagePort
  #opened: Opened | null = null
  /** Whether what is stored was given to the agent, or need not be. */
  #loaded: boolean
  /** Whether the file is not the one the agent knows: it takes nothing until everything is written anew. */
  #needsAll = false
  /** Whether a transaction that writes everything anew is under way. */
  #anew = false
  #last: Promise<void> = Promise.resolve()

  constructor(data: ThreadData, port: MessagePort) {
    this.#data = data
    this.#port = port
    this.#loaded = data.load === null
  }

  async start(): Promise<void> {
    const refused = await this.#tryOpen()
    this.#say(refused ?? { type: 'ready' })
    this.#port.on('message', (request: Request) => (this.#last = this.#last.then(() => this.#answer(request))))
  }

  async #tryOpen(): Promise<Reply | null> {
    try {
      await this.#open(true)
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
      this.#anew = false
      if (isDamage(error)) this.#replace(error)
      this.#say({ type: 'failed', message: describeError(error), needsAll: this.#needsAll })
    }
    if (request.type === 'close') this.#port.close()
  }

  async #carryOut(request: Request): Promise<Reply> {
    if (request.type === 'close') {
      this.#close()
      return answer()
    }
    const opened = await this.#open()
    const { tables, database } = opened
    if (request.type === 'history') return answer(tables.history(request.query))
    if (request.type === 'latest') return answer(tables.latest(request.of))
    if (request.type === 'purge') return answer([], !this.#anew && purge(database, request.limits))
    if (request.type === 'check') this.#check(opened, request.pages)
    else if (request.type === 'commit') {
      this.#refuseIfEmpty()
      tables.commit(request.writing)
    } else if (request.type === 'anew') this.#begin(opened, request.everythingAt)
    else if (request.type === 'more') tables.write(request.writing)
    else {
      tables.finish(request.writing)
      this.#anew = false
      this.#needsAll = false
    }
    return answer()
  }

  /**
   * Opens the store where it is not open, and gives the agent what it holds, once. What comes later
   * than at the start is not all that counts: lines were counted meanwhile.
   */
  async #open(starting = false): Promise<Opened> {
    if (this.#opened !== null) return this.#opened
    const { path } = this.#data
    if (!starting) await freeClosed()
    const { database, version } = await openStoreFile(path, (message) => this.#alarm(message))
    try {
      const tables = new Tables(database)
      if (!starting && (version === 0 || !this.#loaded)) this.#needsAll = true
      if (!this.#loaded) this.#load(tables)
      this.#loaded = true
      return (this.#opened = { database, tables, files: new StoreFiles(path) })
    } catch (error) {
      database.close()
      if (!isDamage(error)) throw error
      this.#replace(error)
      return this.#open()
    }
  }

  #load(tables: Tables): void {
    if (this.#data.load === null) return
    const { now, since } = this.#data.load
    for (const bans of tables.bans(now, since)) this.#say({ type: 'loaded', part: { bans } })
    for (const failures of tables.failures()) this.#say({ type: 'loaded', part: { failures } })
    for (const positions of tables.positions()) this.#say({ type: 'loaded', part: { positions } })
    for (const kept of tables.kept()) this.#say({ type: 'loaded', part: { kept } })
  }

  #begin({ database, tables }: Opened, everythingAt: number | null): void {
    if (everythingAt === null) this.#refuseIfEmpty()
    if (this.#anew) rollBack(database)
    tables.begin()
    tables.forgetFailures()
    if (everythingAt !== null) tables.forgetAll(everythingAt)
    this.#anew = true
  }

  #refuseIfEmpty(): void {
    if (this.#needsAll) throw new Error('the store is empty, and waits for everything')
  }

  #check({ database, files }: Opened, pages: boolean): void {
    files.check()
    if (!pages || this.#anew) return
    // What SQLite has in memory would hide what the disk has become.
    database.prepare('PRAGMA wal_checkpoint(TRUNCATE)').all()
    database.exec('PRAGMA shrink_memory')
    checkPages(database)
  }

  /** Damage found while running: the next request opens an empty store. */
  #replace(error: unknown): void {
    this.#close()
    this.#needsAll = true
    try {
      this.#alarm(setAside(this.#data.path, describeError(error)))
    } catch (problem) {
      this.#alarm(`the store ${this.#data.path} is damaged and cannot be set aside: ${describeError(problem)}`)
    }
  }

  #close(): void {
    const opened = this.#opened
    this.#opened = null
    this.#anew = false
    opened?.database.close()
    opened?.files.close()
  }

  #alarm(message: string): void {
    this.#say({ type: 'alarm', message })
  }

  #say(reply: Reply): void {
    this.#port.postMessage(reply)
  }
}

function answer(history: Extract<Reply, { type: 'answer' }>['history'] = [], more = false): Reply {
  return { type: 'answer', history, more }
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
