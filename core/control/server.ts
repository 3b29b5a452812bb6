import { chmodSync, lstatSync, mkdirSync, unlinkSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { dirname } from 'node:path'
import { z } from 'zod'
import { isHostName, parsePrefix, type Prefix } from '../address.ts'
import { BailiffError, quote } from '../errors.ts'
import { routes, type AllowRequest, type BanRequest, type Control, type UnbanRequest } from './api.ts'
import { sendEvents, sendJson, sendStreamed, sendText } from './answers.ts'

/** A request's body may be this long: some thousand addresses. */
const longestBody = 256 * 1024
/** The kernel's limit for the name of a Unix socket, without its closing NUL. */
const longestSocketPath = 107

const prefix = z.string().transform((text, context): Prefix => {
  const parsed = parsePrefix(text)
  if (parsed !== null) return parsed
  context.addIssue({ code: 'custom', message: `${quote(text)} is no IP address or prefix` })
  return z.NEVER
})
const banRequest = z.strictObject({
  prefixes: z.array(prefix).min(1),
  jail: z.string().optional(),
  lengthMs: z.number().int().positive().nullable().optional(),
})
const unbanRequest = z.strictObject({
  prefixes: z.union([z.literal('all'), z.array(prefix).min(1)]),
  jail: z.string().optional(),
})
const subject = z.string().transform((text, context): string => {
  const parsed = parsePrefix(text) ?? (isHostName(text) ? text.toLowerCase().replace(/\.$/, '') : null)
  if (parsed !== null) return parsed
  context.addIssue({
    code: 'custom',
    message: `${quote(text)} is neither an IP address or prefix nor the name of a host`,
  })
  return z.NEVER
})
const allowRequest = z.strictObject({
  subjects: z.array(subject).min(1),
  lengthMs: z.number().int().positive().nullable(),
})
const disallowRequest = z.strictObject({ subjects: z.union([z.literal('all'), z.array(subject).min(1)]) })

/**
 * Serves the control API on a Unix socket, mode 0600, in a folder that is made private if it has to
 * be made. Who may open the socket may do all of it.
 */
export async function startControl(path: string, control: Control): Promise<{ stop(): Promise<void> }> {
  if (Buffer.byteLength(path) > longestSocketPath) {
    throw new BailiffError(
      'config',
      `the control socket ${quote(path)} has a path of ${Buffer.byteLength(path)} bytes`,
      {
        hint: `a Unix socket may have ${longestSocketPath}: set "control:" to a shorter path`,
      },
    )
  }
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  await claimSocket(path)
  const server = createServer(
    { requestTimeout: 300_000, headersTimeout: 5000, keepAliveTimeout: 1000 },
    (request, response) => {
      void answer(control, request, response)
    },
  )
  server.maxConnections = 64
  await listen(server, path)
  return {
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function answer(control: Control, request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    await dispatch(control, request, response)
  } catch (error) {
    if (response.headersSent) return void response.destroy()
    // Who is still sending hears the refusal only when all was read.
    request.resume()
    const known = error instanceof BailiffError
    const { kind, message, hint, where } = known
      ? error
      : new BailiffError('software', 'the agent met an error of its own', { cause: error })
    sendJson(response, known ? (kind === 'no-input' ? 404 : kind === 'usage' ? 400 : 409) : 500, {
      error: { kind, message, hint, where },
    })
  }
}

async function dispatch(control: Control, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method, url = '' } = request
  const path = url.replace(/\?.*$/, '')
  const below = ({ method: wanted, path: start }: (typeof routes)[keyof typeof routes]) =>
    method === wanted && path.startsWith(start) ? decoded(path.slice(start.length), url) : null
  if (method === routes.metrics.method && path === routes.metrics.path) return sendText(response, control.metrics())
  if (method === routes.events.method && path === routes.events.path)
    return sendEvents(response, (listener) => control.watch(listener))
  const jail = below(routes.jail)
  if (jail !== null) return sendStreamed(response, control.jail(jail), 'bans')
  const address = below(routes.address)
  if (address !== null) return sendJson(response, 200, control.address(checked(prefix, address)))
  const explained = below(routes.explain)
  if (explained !== null) return sendJson(response, 200, await control.explain(checked(prefix, explained)))
  const swapped = below(routes.swapList)
  if (swapped !== null) return sendJson(response, 200, await control.swapList(swapped, request, lengthIn(url)))
  const unlisted = below(routes.unlist)
  if (unlisted !== null) return sendJson(response, 200, await control.unlist(unlisted))
  sendJson(response, 200, await plain(control, request))
}

/** The requests that have one path each. */
async function plain(control: Control, request: IncomingMessage): Promise<object> {
  const { method, url = '' } = request
  const asked = (route: { readonly method: string; readonly path: string }) =>
    method === route.method && url === route.path
  if (asked(routes.status)) return control.status()
  if (asked(routes.ban)) return control.ban(checked(banRequest, await readBody(request)) as BanRequest)
  if (asked(routes.unban)) return control.unban(checked(unbanRequest, await readBody(request)) as UnbanRequest)
  if (asked(routes.reload)) return control.reload()
  if (asked(routes.pause)) return control.pause()
  if (asked(routes.resume)) return control.resume()
  if (asked(routes.allows)) return control.allows()
  if (asked(routes.allow)) return control.allow(checked(allowRequest, await readBody(request)) as AllowRequest)
  if (asked(routes.disallow)) return control.disallow(checked(disallowRequest, await readBody(request)).subjects)
  if (asked(routes.lists)) return control.lists()
  if (asked(routes.words)) return control.words()
  throw new BailiffError('no-input', `the control socket knows no ${quote(`${method} ${url}`)}`)
}

function decoded(part: string, url: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    throw new BailiffError('usage', `${quote(url)} is not a well-formed address`)
  }
}

/** `?lengthMs=…`; null, for ever, where it is not there. */
function lengthIn(url: string): number | null {
  const given = new URLSearchParams(/\?(.*)$/.exec(url)?.[1] ?? '').get('lengthMs')
  return given === null ? null : checked(z.coerce.number().int().positive(), given)
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = []
  let length = 0
  for await (const part of request as AsyncIterable<Buffer>) {
    length += part.length
    if (length > longestBody) throw new BailiffError('usage', `the request is longer than ${longestBody} bytes`)
    parts.push(part)
  }
  try {
    return JSON.parse(Buffer.concat(parts).toString('utf8'))
  } catch {
    throw new BailiffError('usage', 'the request is not JSON')
  }
}

function checked<T>(schema: z.ZodType<T>, given: unknown): T {
  const result = schema.safeParse(given)
  if (result.success) return result.data
  throw new BailiffError(
    'usage',
    result.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; '),
  )
}

/** Removes a socket that nobody listens on any more. Throws a BailiffError when an agent answers there. */
export async function claimSocket(path: string): Promise<void> {
  if (!(await refuseSecondAgent(path))) return
  if (!lstatSync(path).isSocket()) {
    throw new BailiffError('config', `the control socket ${quote(path)} is the path of something else, which stays`, {
      hint: 'name a path for "control:" where nothing is',
    })
  }
  unlinkSync(path)
}

/** Throws a BailiffError when an agent answers there. Answers whether something is there that does not; it stays. */
export async function refuseSecondAgent(path: string): Promise<boolean> {
  const problem = await new Promise<NodeJS.ErrnoException | null>((resolve) => {
    const socket = connect(path, () => {
      socket.destroy()
      resolve(null)
    })
    socket.on('error', resolve)
  })
  if (problem === null) {
    throw new BailiffError('unavailable', `an agent is running already and answers at ${path}`, {
      hint: 'stop it first, or give this one another "control:" and "state:"',
    })
  }
  return problem.code === 'ECONNREFUSED'
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.on('error', (cause) => {
      reject(
        new BailiffError('cannot-create', `the control socket ${path} cannot be made: ${cause.message}`, { cause }),
      )
    })
    // The mask is per process and set for the moment only: nobody may connect before the mode is right.
    const before = process.umask(0o177)
    server.listen(path, () => {
      chmodSync(path, 0o600)
      resolve()
    })
    process.umask(before)
  })
}
