import { createServer } from 'node:http'
import { BailiffError } from '../errors.ts'
import { sendText } from './answers.ts'
import { routes } from './api.ts'

/** Any user of the machine may ask as often as he likes, and who is asked is busy with bans. */
const freshMs = 1000

export interface MetricsServer {
  stop(): Promise<void>
}

/**
 * Serves `GET /metrics` and nothing else at an address of the loopback interface: no addresses of
 * attackers and no lines are in it. What is served is up to a second old. Rejects with a BailiffError where nobody can listen there.
 */
export async function startMetrics(
  { host, port }: { readonly host: string; readonly port: number },
  text: () => string,
): Promise<MetricsServer> {
  const fresh = remembered(text)
  const server = createServer(
    { requestTimeout: 10_000, headersTimeout: 5000, keepAliveTimeout: 60_000 },
    (request, response) => {
      const { method, url = '' } = request
      if (method === routes.metrics.method && url.replace(/\?.*$/, '') === routes.metrics.path)
        return sendText(response, fresh())
      response.writeHead(404, { 'content-type': 'text/plain' }).end('there is only /metrics\n')
    },
  )
  server.maxConnections = 16
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) =>
      reject(
        new BailiffError('cannot-create', `metrics cannot be served at ${host}:${port}: ${cause.message}`, {
          hint: 'name another port with "metrics:"; they are on the control socket, too ("bailiff metrics")',
          cause,
        }),
      ),
    )
    server.listen({ host, port, exclusive: true }, () => resolve())
  })
  server.on('error', () => {})
  // Nothing waits for it at the end.
  server.unref()
  return {
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function remembered(text: () => string): () => string {
  let [last, at] = ['', Number.NEGATIVE_INFINITY]
  return () => {
    if (performance.now() - at >= freshMs) [last, at] = [text(), performance.now()]
    return last
  }
}
