/** The line of a syntax error, which Node keeps to itself where a module is imported. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { BailiffError } from '../errors.ts'
import { unloadable } from './plugin-module.ts'
import { fewRights, type HostRights } from './host-command.ts'

/** The error of a module that did not load, with the line at which it is no JavaScript, where that is why. */
export async function withSyntaxLine(error: unknown, file: string, user: HostRights['user']): Promise<unknown> {
  if (!(error instanceof BailiffError) || error.where?.line !== undefined) return error
  const { kind, message, hint } = error
  if (!message.startsWith(unloadable)) return error
  const line = await lineOfSyntaxError(file, user)
  if (line === undefined) return error
  return new BailiffError(kind, message, { where: { file, line }, ...(hint !== undefined && { hint }), cause: error })
}

/** `node --check` parses, and runs nothing. */
async function lineOfSyntaxError(file: string, user: HostRights['user']): Promise<number | undefined> {
  const [program = '', ...words] = [...fewRights(user), process.execPath, '--check', file]
  try {
    await promisify(execFile)(program, words, { timeout: 5000, env: {}, maxBuffer: 1 << 20 })
    return undefined
  } catch (error) {
    const output = (error as { stderr?: unknown }).stderr
    const line = typeof output === 'string' ? /:(\d+)\r?\n/.exec(output.slice(0, 10_000))?.[1] : undefined
    return line === undefined ? undefined : Number(line)
  }
}
