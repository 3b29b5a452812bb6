import { printable } from '../errors.ts'
import { duration } from './output.ts'
import { cutToWidth } from './text-width.ts'

/** Drawn this often, so that drawing costs nothing beside the work. */
const drawEveryMs = 100
/** Short work shows nothing: a line that only flashes up is no help. */
const firstAfterMs = 300
/** The rate is that of so long, so that a pause shows soon and a hiccup does not. */
const rateOverMs = 5000
/** ECMA-48: to the begin of the line, and erase it to its end. */
const erase = '\r\u001b[K'

/** What is counted: bytes are shown as `1.2 GB`, everything else as a number and this word, `12 000 lines`. */
export type ProgressUnit = 'bytes' | 'lines' | 'entries'

export interface ProgressOptions {
  /** What is being done, in a word or two: `reading auth.log`. May come from a file name. */
  readonly label: string
  /** How much there is; null: nobody knows, so neither a share nor the time left is shown. */
  readonly total: number | null
  readonly unit: ProgressUnit
  /** Where it is drawn; by default standard error. */
  readonly stream?: ProgressStream
  /** Milliseconds that only go on. */
  readonly now?: () => number
}

/** The part of a terminal's stream that is used. */
export interface ProgressStream {
  readonly isTTY?: boolean | undefined
  readonly columns?: number | undefined
  write(text: string): unknown
}

/**
 * One line about long work, drawn again and again at its place: how much is done, how fast, and how long
 * it will take. Only on a terminal; elsewhere every call does nothing. Cheap enough for each chunk, not
 * for each line.
 */
export interface Progress {
  /** So much is done in all. */
  at(done: number): void
  /** What is done now, where that changes: the next file. */
  label(text: string): void
  /** Takes the line away while something else is written; the next `at` draws it again. */
  hide(): void
  /** Takes the line away for good. */
  end(): void
}

/** Begins to count; nothing is shown before 0.3 s are over. */
export function startProgress(options: ProgressOptions): Progress {
  const stream = options.stream ?? process.stderr
  return stream.isTTY ? new ProgressLine(options, stream) : silent
}

const silent: Progress = { at() {}, label() {}, hide() {}, end() {} }

class ProgressLine implements Progress {
  readonly #options: ProgressOptions
  readonly #stream: ProgressStream
  readonly #now: () => number
  #label: string
  #done = 0
  #drawnAt: number
  #shown = false
  #ended = false
  /** Some times of the last seconds, the oldest first, and how much was done then. */
  readonly #past: { readonly at: number; readonly done: number }[]

  constructor(options: ProgressOptions, stream: ProgressStream) {
    this.#options = options
    this.#stream = stream
    this.#now = options.now ?? (() => performance.now())
    this.#label = printable(options.label)
    const at = this.#now()
    this.#past = [{ at, done: 0 }]
    this.#drawnAt = at + firstAfterMs - drawEveryMs
  }

  at(done: number): void {
    this.#done = done
    const now = this.#now()
    if (this.#ended || now - this.#drawnAt < drawEveryMs) return
    this.#drawnAt = now
    this.#past.push({ at: now, done })
    while (this.#past.length > 2 && now - (this.#past[1]?.at ?? now) > rateOverMs) this.#past.shift()
    const columns = this.#stream.columns ?? 80
    // A line that fills the last column makes some terminals go to the next.
    this.#stream.write(erase + cutToWidth(this.#text(now), columns - 1))
    this.#shown = true
  }

  label(text: string): void {
    this.#label = printable(text)
  }

  hide(): void {
    if (this.#shown) this.#stream.write(erase)
    this.#shown = false
  }

  end(): void {
    this.hide()
    this.#ended = true
  }

  #text(now: number): string {
    const { total, unit } = this.#options
    const oldest = this.#past[0] ?? { at: now, done: 0 }
    const perSecond = now > oldest.at ? ((this.#done - oldest.done) * 1000) / (now - oldest.at) : 0
    const speed = `${amount(perSecond, unit)}/s`
    if (total === null || total <= 0) return `${this.#label}  ${amount(this.#done, unit)}  ${speed}`
    const share = `${Math.min(100, Math.floor((this.#done / total) * 100))} %`
    const left = perSecond > 0 ? `${duration(((total - this.#done) / perSecond) * 1000)} left` : 'no end in sight'
    return `${this.#label}  ${share}  ${amount(this.#done, unit)} of ${amount(total, unit)}  ${speed}  ${left}`
  }
}

/** `1.2 GB` in powers of ten, as disks are sold; `12 345 lines`. */
export function amount(count: number, unit: ProgressUnit): string {
  if (unit !== 'bytes') return `${Math.round(count).toLocaleString('en').replaceAll(',', ' ')} ${unit}`
  const names = ['B', 'kB', 'MB', 'GB', 'TB']
  let [value, at] = [Math.max(0, count), 0]
  for (; value >= 999.5 && at < names.length - 1; at++) value /= 1000
  return `${value < 9.95 && at > 0 ? value.toFixed(1) : Math.round(value)} ${names[at]}`
}
