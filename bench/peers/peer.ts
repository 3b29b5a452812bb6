/** Who does the same work as Bailiff, as a whole process, and how it is told from one that does not. */

/** `whole path`: dates, captures, addresses, counters. `yes/no`: which lines match. */
export type Task = 'whole path' | 'yes/no'

export interface Job {
  readonly task: Task
  /** The filter of Bailiff by that name; Fail2ban has one of the same service by the same name. */
  readonly filter: string
  readonly log: string
  readonly lines: number
  /** Lines that the filter must find. */
  readonly failures: number
}

/** A process to measure. */
export interface Command {
  readonly words: readonly [program: string, ...words: string[]]
  /** A file for its standard input. */
  readonly input?: string
  /** What is wrong with what it printed; null: nothing. */
  readonly wrong: (printed: string) => string | null
}

export interface Peer {
  readonly name: string
  /** How much of a log it gets, in MB: enough for some CPU seconds. All are counted by the line. */
  readonly megabytes: number
  /** The command for a job; null where it cannot do that, or is not installed. May write files to `folder`. */
  command(job: Job, folder: string): Command | null
}

/** Wrong unless the output holds the text. */
export function mustSay(text: string): Command['wrong'] {
  return (printed) => (printed.includes(text) ? null : `expected "${text}" in\n${printed.slice(-2000)}`)
}
