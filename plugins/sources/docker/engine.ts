import { request, type IncomingMessage } from 'node:http'
import { BailiffError, describeError, quote } from '../../../core/plugin.ts'

const maxAnswerBytes = 32 * 1024 * 1024
const answerWithinMs = 20_000

/** The HTTP API of a container engine on its Unix socket: Docker's, which Podman speaks as well. Only reads. */
export class Engine {
  readonly #socket: string

  constructor(socket: string) {
    this.#socket = socket
  }

  /** The answer to a question. Rejects with a `BailiffError`, also where it is larger than 32 MiB or takes 20 s. */
  async ask(path: string, signal: AbortSignal): Promise<unknown> {
    const within = AbortSignal.any([signal, AbortSignal.timeout(answerWithinMs)])
    const answer = await this.open(path, within)
    const parts: Buffer[] = []
    let length = 0
    for await (const part of answer as AsyncIterable<Buffer>) {
      length += part.length
      if (length > maxAnswerBytes) throw new BailiffError('data', `the engine says more than 32 MiB to ${path}`)
      parts.push(part)
    }
    return JSON.parse(Buffer.concat(parts).toString()) as unknown
  }

  /** The answer to a question as it comes, without end. Rejects with a `BailiffError` where it is refused. */
  async open(path: string, signal: AbortSignal): Promise<IncomingMessage> {
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      const options = { socketPath: this.#socket, path, signal, agent: false, headers: { host: 'engine' } }
      const asked = request(options, resolve)
      asked.on('error', (error) => reject(this.#unreachable(error)))
      asked.end()
    })
    const { statusCode = 0 } = answer
    if (statusCode === 200) return answer
    const said = await textOf(answer).catch(() => '')
    throw new BailiffError(
      'unavailable',
      `the engine at ${this.#socket} refuses ${path} (${statusCode}): ${quote(said)}`,
    )
  }

  #unreachable(error: Error): BailiffError {
    const code = 'code' in error ? error.code : undefined
    const what = `the engine at ${this.#socket} cannot be asked`
    if (code === 'EACCES')
      return new BailiffError('no-permission', `${what}: this user may not`, {
        hint: 'who may ask it is as good as root; let the agent read the JSON files of the containers instead, without "socket"',
      })
    if (code === 'ENOENT' || code === 'ECONNREFUSED')
      return new BailiffError('unavailable', `${what}: nobody listens there`, { hint: 'is the engine running?' })
    return new BailiffError('unavailable', `${what}: ${describeError(error)}`)
  }
}

async function textOf(answer: IncomingMessage): Promise<string> {
  let text = ''
  for await (const part of answer as AsyncIterable<Buffer>) {
    text += part.toString()
    if (text.length > 1000) break
  }
  return text
}
