/** The socket that the helper listens on: made by the agent, handed to whoever is to listen. */
import { mkdirSync, renameSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { dirname } from 'node:path'
import { BailiffError } from '../errors.ts'
import type { UserIds } from './helper-command.ts'

/** The kernel's limit for the name of a Unix socket, without its closing NUL. */
const longestPath = 107
const whileMaking = '~'

/**
 * Makes a listening Unix socket at that path, in place of what was there, mode 0600, belonging to
 * `owner`; as root it is made with the rights of `owner`, so a folder of the owner's can lead root
 * nowhere. Closing the server leaves the path and the listeners of its descriptor alone. Throws a
 * `BailiffError`.
 */
export async function makeListeningSocket(path: string, owner?: UserIds): Promise<Server> {
  const made = path + whileMaking
  if (Buffer.byteLength(made) > longestPath) {
    const message = `the socket of the firewall helper has a path of ${Buffer.byteLength(made)} bytes: ${path}`
    throw new BailiffError('config', message, {
      hint: `a Unix socket may have ${longestPath}: set "control:" to a shorter path`,
    })
  }
  const server = createServer((connection) => connection.destroy())
  try {
    await as(owner, () => {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
      rmSync(made, { force: true })
      return listen(server, made)
    })
    // Closing a server removes the path it was given; under another name the socket stays.
    await as(owner, () => renameSync(made, path))
  } catch (cause) {
    server.close()
    throw new BailiffError('cannot-create', `the socket of the firewall helper: ${(cause as Error).message}`, { cause })
  }
  return server
}

/** Calls with the file rights of the owner. They are those of the whole process, so only until `work` returns. */
function as<Result>(owner: UserIds | undefined, work: () => Result): Result {
  if (owner === undefined || process.geteuid?.() !== 0) return work()
  process.setegid?.(owner.gid)
  process.seteuid?.(owner.uid)
  try {
    return work()
  } finally {
    process.seteuid?.(0)
    process.setegid?.(0)
  }
}

/** The socket is bound when this returns, and listens when it resolves. */
function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject).once('listening', resolve)
    // Nobody may connect before the mode is right.
    const before = process.umask(0o177)
    server.listen(path)
    process.umask(before)
  })
}
