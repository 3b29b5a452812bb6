/** What people are told of too many port lists. */
import { BailiffError } from '../errors.ts'
import { maxDeclared } from './messages.ts'

const wayOut = 'write `ports: all` for some of the jails, or give several of them the same ports'

/** Why a ban is refused that came too late for its ports to be declared. */
export const tooManyPorts = `the firewall takes ${maxDeclared} different port lists, and those of this agent were more since it began: ${wayOut}, and restart it`

/** A configuration with so many different port lists, some of which cannot be in the firewall. */
export function tooManyConfigured(count: number): BailiffError {
  const message = `the jails have ${count} different port lists, and the firewall takes ${maxDeclared}: bans of the others will be refused`
  return new BailiffError('config', message, { hint: `To enforce all, ${wayOut}.` })
}
