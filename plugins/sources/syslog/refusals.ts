import { BailiffError, describeError } from '../../../core/plugin.ts'
import type { Endpoint } from './endpoint.ts'

/** Why it cannot be listened on, with the next step. */
export function whyNotListening({ text, port }: Endpoint, error: unknown): BailiffError {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  const [why, hint] = explain(code, port) ?? [describeError(error), 'look at the addresses of this machine: ip address']
  return new BailiffError('unavailable', `cannot listen on ${text}: ${why}`, { hint, cause: error })
}

function explain(code: unknown, port: number): [why: string, hint: string] | null {
  if (code === 'EADDRINUSE')
    return ['somebody else listens there', `see who does: ss -lntup "sport = :${port}"; rsyslog is often the one`]
  if (code === 'EACCES')
    return [
      `ports below 1024 are for root, and the agent is not`,
      `take a port of 1024 or more, and let the senders send there`,
    ]
  if (code === 'EADDRNOTAVAIL') return ['this machine does not have this address', 'see which it has: ip address']
  if (code === 'EPERM' || code === 'EAFNOSUPPORT')
    return ['the agent has no network', 'as a service, network.conf among the units gives it one']
  return null
}
