/** Keeps an eye on the memory of this process, and asks for relief before somebody ends it for it. */
import { readFileSync } from 'node:fs'
import { getHeapStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { smallHeap } from './small-heap.ts'

/**
 * How scarce memory is. 0: enough. 1 (60 % of the cap): do without what is only nice to have. 2 (80 %):
 * give up what can be counted anew. 3 (95 %): grow no more.
 */
export type Scarcity = 0 | 1 | 2 | 3

const shares = [0.6, 0.8, 0.95]
/** A level is left again when this much less than what led to it is in use, so that it does not flutter. */
const slack = 0.05
const lookEveryMs = 500
const relieveAgainMs = 5000
const alarmAgainMs = 10 * 60_000
/** From 40 % of the cap on, garbage is collected whenever so much may have gathered. V8 alone may wait for more. */
const collectFrom = 0.4
const garbageBytes = 12 * 1024 * 1024
/** And where memory is scarce whenever it is so much. */
const scarceGarbageBytes = 10 * 1024 * 1024
/** And now and then whenever it is more than that: what was long in use, as all bans at a start, is garbage without growth. */
const littleGarbageBytes = 1024 * 1024
/**
 * A collection stops everything for 20 to 150 ms, bans as well. So one that gave back little puts the next
 * for little garbage off, twice as long each time: under a steady load V8's own, in small steps, do as well.
 */
const collectAgainMs = 10_000
const collectAgainAtMostMs = 320_000
const mib = 1024 * 1024

export interface MemoryWatchOptions {
  /** Bytes; the limit of the cgroup holds where that is lower. */
  readonly cap: number
  readonly alarm: (message: string) => void
  /** Called when it changes, and every five seconds while it is 2 or 3. Garbage is collected after it. */
  readonly relieve: (scarcity: Scarcity) => void
  /** Bytes in use; for tests. */
  readonly resident?: () => number
  /** Bytes of V8's heap in use, garbage among them; for tests. */
  readonly heap?: () => number
  readonly collect?: () => void
  readonly now?: () => number
}

/** Looks twice a second once started. */
export class MemoryWatch {
  readonly cap: number
  readonly #options: Required<MemoryWatchOptions>
  #scarcity: Scarcity = 0
  #timer: NodeJS.Timeout | null = null
  #heapBefore = 0
  #collectedAt = Number.NEGATIVE_INFINITY
  #collectAgainMs = collectAgainMs
  #relievedAt = Number.NEGATIVE_INFINITY
  #alarmedAt = Number.NEGATIVE_INFINITY

  constructor(options: MemoryWatchOptions) {
    const defaults = {
      resident: () => process.memoryUsage.rss(),
      heap: () => getHeapStatistics().used_heap_size,
      collect: collector(),
      now: () => performance.now(),
    }
    this.#options = { ...defaults, ...options }
    this.cap = Math.min(options.cap, cgroupLimit())
  }

  get scarcity(): Scarcity {
    return this.#scarcity
  }

  start(): void {
    this.#options.collect()
    this.#timer = setInterval(() => this.look(), lookEveryMs).unref()
  }

  stop(): void {
    if (this.#timer) clearInterval(this.#timer)
  }

  look(): void {
    // Each thread that starts sets them back (Node 20 and 22), and then the youngest objects take up to 32 MiB.
    smallHeap()
    if (this.#options.resident() > this.cap * collectFrom) this.#collect()
    const share = this.#options.resident() / this.cap
    const reached = shares.filter((step, index) => share >= step - (this.#scarcity > index ? slack : 0))
      .length as Scarcity
    const again = reached >= 2 && this.#options.now() - this.#relievedAt >= relieveAgainMs
    if (reached === this.#scarcity && !again) return
    this.#scarcity = reached
    this.#relievedAt = this.#options.now()
    if (reached >= 2) this.#tell(reached)
    this.#options.relieve(reached)
    this.#options.collect()
  }

  #collect(): void {
    const used = this.#options.heap()
    const now = this.#options.now()
    const much = this.#scarcity === 0 ? garbageBytes : scarceGarbageBytes
    const isLong = now - this.#collectedAt >= this.#collectAgainMs
    if (used < this.#heapBefore + (isLong ? littleGarbageBytes : much)) return
    this.#options.collect()
    this.#heapBefore = this.#options.heap()
    this.#collectedAt = now
    const paid = used - this.#heapBefore >= scarceGarbageBytes
    this.#collectAgainMs = paid ? collectAgainMs : Math.min(2 * this.#collectAgainMs, collectAgainAtMostMs)
  }

  #tell(scarcity: Scarcity): void {
    if (this.#options.now() - this.#alarmedAt < alarmAgainMs) return
    this.#alarmedAt = this.#options.now()
    const used = Math.round(this.#options.resident() / mib)
    const what = scarcity === 3 ? 'no table grows any more' : 'the least dangerous addresses are forgotten'
    this.#options.alarm(
      `${used} MiB of ${Math.round(this.cap / mib)} are in use, so excerpts of lines are dropped and ${what}; ` +
        'bans go on. Raise "memory:" in the configuration (or MemoryHigh= of the unit), or shorten findtime',
    )
  }
}

/** What the cgroup (version 2) of this process allows, in bytes; infinite where it says nothing. */
export function cgroupLimit(root = '/sys/fs/cgroup', own = '/proc/self/cgroup'): number {
  const path = /^0::(\/.*)$/m.exec(textOf(own))?.[1] ?? '/'
  const limits = ['memory.high', 'memory.max'].map((name) => Number.parseInt(textOf(`${root}${path}/${name}`), 10))
  return Math.min(Infinity, ...limits.filter((limit) => limit > 0))
}

/**
 * A call that collects all garbage at once (about 20 ms). A flag of the command line would do it, too, but
 * who starts `bailiff` gives none.
 */
function collector(): () => void {
  setFlagsFromString('--expose-gc')
  return runInNewContext('gc') as () => void
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
