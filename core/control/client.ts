import { request as httpRequest } from 'node:http'
import type { Prefix } from '../address.ts'
import { BailiffError, exitCodes, printable, type Where } from '../errors.ts'
import {
  routes,
  type AddressExplanation,
  type BanAnswer,
  type BanRequest,
  type JailReport,
  type PauseAnswer,
  type ReloadAnswer,
  type StatusReport,
  type UnbanAnswer,
  type UnbanRequest,
} from './api.ts'

const answerWithinMs = 30_000
const longestAnswer = 256 * 1024 * 1024

/** The agent behind a control socket. Each call throws a BailiffError: its refusal, or that nobody answers. */
export interface ControlClient {
  status(): Promise<StatusReport>
  jail(name: string): Promise<JailReport>
  explain(prefix: Prefix): Promise<AddressExplanation>
  ban(request: BanRequest): Promise<BanAnswer>
  unban(request: UnbanRequest): Promise<UnbanAnswer>
  reload(): Promise<ReloadAnswer>
  pause(): Promise<PauseAnswer>
  resume(): Promise<PauseAnswer>
}

/** Speaks to the first of the sockets that an agent answers on. */
export function connectControl(sockets: readonly string[]): ControlClient {
  const ask = async <T>(route: { readonly method: string; readonly path: string }, body?: object): Promise<T> => {
    for (const socket of sockets) {
      const answer = await exchange(socket, route.method, route.path, body)
      if (answer !== null) return answer as T
    }
    throw new BailiffError('unavailable', `no agent answers at ${sockets.join(' or ')}`, {
      hint: 'start one with "bailiff run", or name its socket with --socket',
    })
  }
  return {
    status: () => ask(routes.status),
    jail: (name) => ask({ ...routes.jail, path: routes.jail.path + encodeURIComponent(name) }),
    explain: (prefix) => ask({ ...routes.explain, path: routes.explain.path + encodeURIComponent(prefix) }),
    ban: (request) => ask(routes.ban, request),
    unban: (request) => ask(routes.unban, request),
    reload: () => ask(routes.reload),
    pause: () => ask(routes.pause),
    resume: () => ask(routes.resume),
  }
}

/** The answer as parsed JSON; null where nobody listens. */
function exchange(socketPath: string, method: string, path: string, body: object | undefined): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      { socketPath, method, path, timeout: answerWithinMs, headers: { 'content-type': 'application/json' } },
      (response) => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', (part: string) => {
          text += part
          if (text.length > longestAnswer) request.destroy(new Error('the answer is too long'))
        })
        response.on('end', () => {
          try {
            resolve(understood(response.statusCode ?? 0, text))
          } catch (error) {
            reject(error as Error)
          }
        })
      },
    )
    request.on('timeout', () => request.destroy(new Error(`no answer within ${answerWithinMs / 1000} s`)))
    request.on('error', (cause: NodeJS.ErrnoException) => {
      if (cause.code === 'ENOENT' || cause.code === 'ECONNREFUSED') resolve(null)
      else if (cause.code === 'EACCES')
        reject(
          new BailiffError('no-permission', `no permission to speak to the agent at ${socketPath}`, {
            hint: 'run the command as root or as the user of the agent',
          }),
        )
      else
        reject(
          new BailiffError('unavailable', `the agent at ${socketPath} does not answer: ${printable(cause.message)}`, {
            cause,
          }),
        )
    })
    request.end(body === undefined ? undefined : JSON.stringify(body))
  })
}

function understood(status: number, text: string): unknown {
  // Whoever answers on the socket: nothing of it reaches a terminal as it is.
  const clean = (_key: string, value: unknown) => (typeof value === 'string' ? printable(value) : value)
  const answer = JSON.parse(text, clean) as { error?: { kind: string; message: string; hint?: string; where?: Where } }
  if (status < 300) return answer
  const { kind, message, ...more } = answer.error ?? { kind: 'software', message: `the agent answers with ${status}` }
  throw new BailiffError(kind in exitCodes ? (kind as keyof typeof exitCodes) : 'software', message, more)
}
