import type { JailFilter } from '../../matching/messages.ts'

/** What is counted, as a thread needs to know it. */
export interface CountSetup {
  readonly jails: readonly JailFilter[]
  /** Only whether lines match is asked, not whom they name. */
  readonly yesNo: boolean
  /** The time at which lines are read, unix milliseconds. */
  readonly now: number
}

/** A file that several threads count: each takes the next range that none has taken. */
export interface SharedFile {
  readonly log: string
  /** Of the whole process; read at places, never moved. */
  readonly fd: number
  /** Where the ranges begin, and at last where the file ends. */
  readonly cuts: readonly number[]
  /** An Int32 that all of them count up: how many ranges were taken. */
  readonly taken: SharedArrayBuffer
}

/** What a further thread is started with. */
export interface CountTask {
  readonly setup: CountSetup
  readonly file: SharedFile
}

/** Sums of what was counted. */
export interface Counts {
  readonly lines: number
  readonly matches: number
  /** Lines that are too long, or at which a matcher failed. */
  readonly skipped: number
  readonly malformed: number
  readonly bytes: number
  /** What a matcher said when it failed the first time; null: none did. */
  readonly failure: string | null
}

/** What a thread has counted: its answer. */
export interface CountedShare extends Counts {
  /** The words of each address once, four of them; null: nobody asked. */
  readonly addresses: Uint32Array | null
}
