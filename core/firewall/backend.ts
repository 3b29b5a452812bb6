/** What a firewall tool must do for the helper. One file a tool. */
import type { Entry } from './admission.ts'
import type { FailureCode, WirePorts } from './messages.ts'
import type { SetKey } from './set-names.ts'

/**
 * A firewall tool. The helper makes one call at a time. A call resolves when the kernel holds what it
 * asked for, and rejects with `BackendError` when nothing of it was done (after `timeout`: perhaps all).
 */
export interface Backend {
  /** Makes what is needed to enforce on these ports, beside what is there, and mends what others broke. */
  declare(ports: readonly WirePorts[]): Promise<void>
  /** Adds the entries, or gives them their new time. */
  add(entries: readonly Entry[]): Promise<void>
  /** Removes the entries; those that are not there are done already. */
  del(entries: readonly Entry[]): Promise<void>
  /**
   * Makes the kernel hold exactly these entries, and nothing for ports that were not declared. With
   * `ports` only those count as declared from now on. `entered` are more entries, which `add` has put there before.
   */
  sync(entries: readonly Entry[], ports?: readonly WirePorts[], entered?: Entered): Promise<void>
  /** What the kernel holds; times to about a second. Long sets with no more than `known`, some few apart, may be left out. */
  list(known?: number): Promise<readonly Entry[]>
  /**
   * Those of the entries that the kernel does not hold, or holds with another end, by more than some
   * seconds. It takes as long for each entry, whatever the sets hold; missing where the tool has no such way.
   */
  lacking?(entries: readonly Entry[]): Promise<readonly Entry[]>
  /**
   * What the kernel holds of one address (4 or 16 bytes as digits): itself, and prefixes around it. A look-up for each
   * set, whatever the sets hold; missing where the tool has no such way.
   */
  around?(address: string): Promise<readonly Entry[]>
  /**
   * Whether sets and rules are as this backend made them, as far as that can be told cheaply whatever the
   * sets hold; `declare` mends them.
   */
  sound?(): Promise<boolean>
  /**
   * Tells from now on what others change in our table; our own changes are not told. The answer ends
   * it. Calls come from the event loop, some milliseconds after the change, one for each transaction.
   * Missing where the tool cannot tell.
   */
  watch?(heard: (change: ForeignChange) => void): () => void
}

/** Entries that the kernel has already, by the names of their sets; none of them is wide. */
export interface Entered {
  readonly keys: ReadonlyMap<string, SetKey>
  /** How many a set has; a few more where some have just ended. */
  count(name: string): number
  holds(name: string, address: string, now: number): boolean
}

/**
 * What somebody else did to our table.
 * `removed`: these entries are gone, and nothing else happened (their times say nothing).
 * `changed`: something else; what the kernel holds must be compared.
 * `lost`: there were more events than could be read; what the kernel holds must be compared.
 */
export type ForeignChange =
  | { readonly kind: 'removed'; readonly entries: readonly Entry[] }
  | { readonly kind: 'changed' }
  | { readonly kind: 'lost' }

export class BackendError extends Error {
  readonly code: FailureCode

  constructor(code: FailureCode, message: string) {
    super(message)
    this.name = 'BackendError'
    this.code = code
  }
}
