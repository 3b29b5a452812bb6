/** What people are told of too many port lists. */
import { BailiffError } from '../errors.ts'
import { maxDeclared } from './messages.ts'

/** Of so many different port lists some cannot be in the firewall: the number, what is allowed, and the way out. */
export function tooManyPorts(count: number): BailiffError {
  const message = `${count} different port lists, and the firewall takes ${maxDeclared}: bans of the others are not enforced`
  return new BailiffError('config', message, {
    hint: 'Write `ports: all` for some of the jails, or give several jails the same ports. After that restart the agent.',
  })
}
