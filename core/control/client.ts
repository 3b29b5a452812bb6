import { request as httpRequest, type IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Prefix } from '../address.ts'
import { BailiffError, exitCodes, printable, type Where } from '../errors.ts'
import {
  routes,
  type AddressExplanation,
  type AddressReport,
  type AllowAnswer,
  type AllowReport,
  type AllowRequest,
  type BanAnswer,
  type BanRequest,
  type DisallowAnswer,
  type JailReport,
  type ListAnswer,
  type ListReport,
  type PauseAnswer,
  type ReloadAnswer,
  type StatusReport,
  type UnbanAnswer,
  type UnbanRequest,
  type UnlistAnswer,
  type Words,
} from './api.ts'

const answerWithinMs = 30_000
/** A list of a million entries is written, judged and sent to the firewall before the answer comes. */
const listWithinMs = 300_000
const longestAnswer = 256 * 1024 * 1024

/** The agent behind a control socket. Each call throws a BailiffError: its refusal, or that nobody answers. */
export interface ControlClient {
  status(): Promise<StatusReport>
  jail(name: string): Promise<JailReport>
  explain(prefix: Prefix): Promise<AddressExplanation>
  /**
   * The JSON of a jail's report as it comes, line by line: the first holds all but the bans and ends in
   * `"bans":[`, then each ban has a line, which ends in a comma but for the last, and the last line is
   * `]}`. No line has control bytes.
   */
  jailLines(name: string): AsyncGenerator<string>
  address(prefix: Prefix): Promise<AddressReport>
  ban(request: BanRequest): Promise<BanAnswer>
  unban(request: UnbanRequest): Promise<UnbanAnswer>
  reload(): Promise<ReloadAnswer>
  pause(): Promise<PauseAnswer>
  resume(): Promise<PauseAnswer>
  allows(): Promise<readonly AllowReport[]>
  allow(request: AllowRequest): Promise<AllowAnswer>
  disallow(subjects: readonly string[] | 'all'): Promise<DisallowAnswer>
  lists(): Promise<readonly ListReport[]>
  swapList(name: string, text: Iterable<string>, lengthMs: number | null): Promise<ListAnswer>
  unlist(name: string): Promise<UnlistAnswer>
  words(): Promise<Words>
  /** Prometheus text. */
  metrics(): Promise<string>
}

interface Route {
  readonly method: string
  readonly path: string
}

interface Question extends Route {
  readonly body?: Iterable<string>
  readonly withinMs?: number
}

/** Speaks to the first of the sockets that an agent answers on. */
export function connectControl(
  sockets: readonly string[],
  hint = 'start one with "bailiff run", or name its socket with --socket',
): ControlClient {
  const response = async (question: Question): Promise<IncomingMessage> => {
    for (const socket of sockets) {
      const answer = await exchange(socket, question)
      if (answer !== null) return answer
    }
    throw new BailiffError('unavailable', `no agent answers at ${sockets.join(' or ')}`, { hint })
  }
  const ask = async <T>(route: Route, body?: object): Promise<T> =>
    understood(await response(body === undefined ? route : { ...route, body: [JSON.stringify(body)] })) as Promise<T>
  const below = ({ method, path }: Route, name: string) => ({ method, path: path + encodeURIComponent(name) })
  return {
    status: () => ask(routes.status),
    jail: (name) => ask(below(routes.jail, name)),
    jailLines: async function* (name) {
      yield* cleanLines(await accepted(await response(below(routes.jail, name))))
    },
    address: (prefix) => ask(below(routes.address, prefix)),
    explain: (prefix) => ask(below(routes.explain, prefix)),
    ban: (request) => ask(routes.ban, request),
    unban: (request) => ask(routes.unban, request),
    reload: () => ask(routes.reload),
    pause: () => ask(routes.pause),
    resume: () => ask(routes.resume),
    allows: () => ask(routes.allows),
    allow: (request) => ask(routes.allow, request),
    disallow: (subjects) => ask(routes.disallow, { subjects }),
    lists: () => ask(routes.lists),
    swapList: async (name, text, lengthMs) => {
      const { method, path } = below(routes.swapList, name)
      const question = { method, path: lengthMs === null ? path : `${path}?lengthMs=${lengthMs}`, body: text }
      return (await understood(await response({ ...question, withinMs: listWithinMs }))) as ListAnswer
    },
    unlist: async (name) =>
      (await understood(await response({ ...below(routes.unlist, name), withinMs: listWithinMs }))) as UnlistAnswer,
    words: () => ask(routes.words),
    metrics: async () => (await textOf(await accepted(await response(routes.metrics)))).replace(unprintable, '\ufffd'),
  }
}

/** The answer, as soon as it begins; null where nobody listens. */
function exchange(socketPath: string, question: Question): Promise<IncomingMessage | null> {
  const { method, path, body, withinMs = answerWithinMs } = question
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json' }
    const request = httpRequest({ socketPath, method, path, timeout: withinMs, headers }, resolve)
    request.on('timeout', () => request.destroy(new Error(`no answer within ${withinMs / 1000} s`)))
    request.on('error', (cause: NodeJS.ErrnoException) => {
      if (cause.code === 'ENOENT' || cause.code === 'ECONNREFUSED') resolve(null)
      else reject(unreachable(socketPath, cause))
    })
    if (body === undefined) request.end()
    // What goes wrong is heard of by the request.
    else void pipeline(Readable.from(body), request).catch(() => {})
  })
}

function unreachable(socketPath: string, cause: NodeJS.ErrnoException): BailiffError {
  if (cause.code === 'EACCES')
    return new BailiffError('no-permission', `no permission to speak to the agent at ${socketPath}`, {
      hint: 'run the command as root or as the user of the agent',
    })
  const message = `the agent at ${socketPath} does not answer: ${printable(cause.message)}`
  return new BailiffError('unavailable', message, { cause })
}

/** The answer, if it is no refusal. */
async function accepted(response: IncomingMessage): Promise<IncomingMessage> {
  if ((response.statusCode ?? 0) >= 300) await understood(response)
  return response
}

async function understood(response: IncomingMessage): Promise<unknown> {
  // Whoever answers on the socket: nothing of it reaches a terminal as it is.
  const clean = (_key: string, value: unknown) => (typeof value === 'string' ? printable(value) : value)
  const status = response.statusCode ?? 0
  const answer = JSON.parse(await textOf(response), clean) as {
    error?: { kind: string; message: string; hint?: string; where?: Where }
  }
  if (status < 300) return answer
  const { kind, message, ...more } = answer.error ?? { kind: 'software', message: `the agent answers with ${status}` }
  throw new BailiffError(kind in exitCodes ? (kind as keyof typeof exitCodes) : 'software', message, more)
}

async function textOf(response: IncomingMessage): Promise<string> {
  const parts: string[] = []
  let length = 0
  response.setEncoding('utf8')
  try {
    for await (const part of response as AsyncIterable<string>) {
      parts.push(part)
      length += part.length
      if (length > longestAnswer) throw new Error('its answer is too long')
    }
  } catch (cause) {
    throw new BailiffError('unavailable', `the agent does not answer in full: ${(cause as Error).message}`, { cause })
  }
  return parts.join('')
}

/** The lines of JSON, in which characters that could harm a terminal are escaped as JSON escapes them. */
async function* cleanLines(response: IncomingMessage): AsyncGenerator<string> {
  response.setEncoding('utf8')
  let rest = ''
  for await (const part of response as AsyncIterable<string>) {
    const lines = (rest + part.replace(unprintable, escaped)).split('\n')
    rest = lines.pop() ?? ''
    yield* lines
  }
  if (rest !== '') yield rest
}

/** As `printable` has it, but for the newline. */
const unprintable = /(?!\n)[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}\ufeff]/gu

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}
