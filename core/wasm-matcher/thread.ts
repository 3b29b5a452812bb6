/** Runs in a thread of its own: one matcher in WebAssembly, for all jails that use it. It may be stopped at any time. */
import { parentPort, workerData } from 'node:worker_threads'
import type { CompiledFilter } from '../plugin.ts'
import { ProgressCell } from '../matching/messages.ts'
import { threadNumber } from '../matching/processor-time.ts'
import { createRowScanner } from '../matching/scan.ts'
import { createModuleScanner, inPieces, RunningModule, type Piece } from './module-scanner.ts'
import { firstPlace, startingPlace, type ModuleAnswer, type ModuleSetup, type ModuleTask } from './thread-messages.ts'

/** A chunk in which it fails more often is passed over from there on. */
const faultsOfChunk = 8

class ModuleThread {
  readonly #scanner: ReturnType<typeof createRowScanner>
  readonly #number = threadNumber()
  /** There is one module here, whatever its jails ask of dates. */
  readonly #running: RunningModule
  #isStarted = false
  #task: Pick<ModuleTask, 'how' | 'without'> = { how: 'whole', without: [] }
  #cell = new ProgressCell()
  #place = firstPlace
  #faults: string[] = []
  #passedOver = 0

  constructor({ jails, sessionSeed }: ModuleSetup) {
    const [first] = jails
    if (!first?.filter.module) throw new Error('a thread of no module')
    this.#running = new RunningModule(first.filter.module)
    const compile = (filters: readonly CompiledFilter[]) =>
      createModuleScanner(filters, {
        instanceOf: () => this.#running,
        cut: (block) => this.#cut(block),
        spare: (error) => this.#spare(error),
      })
    this.#scanner = createRowScanner({ jails, engines: [{ compile }] }, sessionSeed)
  }

  answer({ chunk, how, without, progress }: ModuleTask): ModuleAnswer {
    this.#cell = new ProgressCell(progress)
    this.#task = { how, without }
    this.#place = firstPlace
    this.#faults = []
    this.#passedOver = without.length
    this.#note(startingPlace)
    this.#cell.begin(this.#number)
    const refused = how === 'none' ? null : this.#startOnce()
    if (refused !== null) return { refused }
    this.#running.allow(faultsOfChunk)
    try {
      const { slow, ms, memories: _, broken: __, ...result } = this.#scanner.scan(chunk)
      const faults = [...this.#faults, ...slow.flatMap(({ failure }) => failure ?? [])]
      const passedOver = how === 'none' ? result.lines - result.skipped : this.#passedOver
      const counted = { ...result, skipped: result.skipped + passedOver }
      return { result: counted, ms, faults, memoryBytes: this.#running.memoryBytes }
    } catch (error) {
      return { failed: error instanceof Error ? error.message : String(error) }
    }
  }

  /** Why it cannot be started; null: it was. */
  #startOnce(): string | null {
    if (this.#isStarted) return null
    try {
      this.#running.start()
      this.#isStarted = true
      return null
    } catch (error) {
      return error instanceof Error ? error.message : String(error)
    }
  }

  /** Line by line each stands for itself; else the scanner tries what failed once more, line by line. */
  #spare(error: unknown): boolean {
    if (this.#task.how !== 'by line') return false
    this.#passedOver++
    this.#faults.push(error instanceof Error ? error.message : String(error))
    return true
  }

  *#cut(block: Uint8Array): Iterable<Piece> {
    const { how } = this.#task
    if (how === 'whole') {
      for (const piece of inPieces(block)) {
        this.#note(this.#place++)
        yield piece
      }
    } else if (how === 'by line') yield* this.#lines(block)
  }

  *#lines(block: Uint8Array): Iterable<Piece> {
    for (let start = 0; start < block.length;) {
      const end = block.indexOf(newline, start) + 1
      const number = this.#place++ - firstPlace
      if (!this.#task.without.includes(number)) {
        this.#note(number + firstPlace)
        yield { bytes: block.subarray(start, end), start }
      }
      start = end
    }
  }

  #note(place: number): void {
    this.#cell.line(place, place + 1)
  }
}

const newline = 0x0a
const thread = new ModuleThread(workerData as ModuleSetup)
parentPort?.on('message', (task: ModuleTask) => {
  const answer = thread.answer(task)
  parentPort?.postMessage(answer)
})
