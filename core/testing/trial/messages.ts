/** What a trial of a plugin, in a process of its own, is asked and tells. Plain data, one message at a time, in order. */
import type { Where } from '../../errors.ts'
import type { ProvidedPlugin } from '../../packages/manifest.ts'
import type { Call } from '../recorded-calls.ts'

export type TriedKind = ProvidedPlugin['kind']

/** What is to be tried. */
export interface TrialRequest {
  /** The absolute path of the module. */
  readonly file: string
  /** Null: what its default export looks like. */
  readonly kind: TriedKind | null
  /** As they would stand in the configuration. */
  readonly options: Readonly<Record<string, unknown>>
  /** Variables that its manifest names as secrets, where it lies in a package. */
  readonly secrets: readonly string[]
  /** What variables are set to; the plugin gets those of them that it would get in the agent. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** `dev`: calls as the agent makes them. `test`: the conformance suite. */
  readonly mode: 'dev' | 'test'
  /** How long a source runs, at most, in milliseconds. */
  readonly sourceMs: number
  /** For a matcher: lines that it is given, and the failregexes by which. */
  readonly lines: readonly string[]
  readonly failregex: readonly string[]
  /** For the suite of a source: a file to which lines are appended that the source is to bring. */
  readonly append: string | null
}

/** What went wrong in the plugin, in words, and where in its files. */
export interface Failure {
  /** Printable. */
  readonly message: string
  readonly where?: Where
  /** The next step. */
  readonly hint?: string
}

export type TrialEvent =
  | { readonly type: 'loaded'; readonly kind: TriedKind; readonly name: string; readonly options: unknown }
  /** What is done next: when nothing comes any more, this is what it hangs in. */
  | { readonly type: 'doing'; readonly what: string }
  /** Sent twice a second while the thread is free. */
  | { readonly type: 'alive' }
  | (Omit<Call, 'error'> & { readonly type: 'call'; readonly failure?: Failure })
  /** The queue of the agent calls again after so many milliseconds. */
  | { readonly type: 'again'; readonly inMs: number }
  | { readonly type: 'log'; readonly level: string; readonly message: string; readonly fields: object }
  /** What an action of the firewall would have the kernel hold. */
  | { readonly type: 'firewall'; readonly held: readonly string[] }
  /** A line that a source brought. */
  | { readonly type: 'line'; readonly log: string; readonly line: string }
  /** What a matcher found in a line; null: nothing. */
  | { readonly type: 'found'; readonly line: string; readonly found: object | null }
  | {
      readonly type: 'check'
      readonly name: string
      readonly ok: boolean
      readonly ms: number
      readonly failure: Failure | null
      readonly remedy: string | null
    }
  /** Something that is no outcome of a call: it does not load, an error that nobody caught. */
  | { readonly type: 'failure'; readonly failure: Failure }
  /** What it printed itself, a line. */
  | { readonly type: 'printed'; readonly stream: 'stdout' | 'stderr'; readonly line: string }
  /** The last event. `config`: it did not load, or its options are not accepted. `crashed`: the process is gone. */
  | { readonly type: 'end'; readonly outcome: 'ok' | 'failed' | 'config' | 'crashed' }

export type Tell = (event: TrialEvent) => void
