/** What a firewall tool must do for the helper. One file a tool. */
import type { Entry } from './admission.ts'
import type { FailureCode, WirePorts } from './messages.ts'

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
  /** Makes the kernel hold exactly these entries, and nothing for ports that were not declared. */
  sync(entries: readonly Entry[]): Promise<void>
  /** What the kernel holds; times to about a second. */
  list(): Promise<readonly Entry[]>
}

export class BackendError extends Error {
  readonly code: FailureCode

  constructor(code: FailureCode, message: string) {
    super(message)
    this.name = 'BackendError'
    this.code = code
  }
}
