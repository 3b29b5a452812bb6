/**
 * The other side, for tests and to try the source with: it keeps lines, and answers those behind a cursor. `npm run server`
 * runs it; what is typed there are its lines.
 */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createInterface } from 'node:readline'

const mostAtOnce = 1000

export async function startServer(port = 0) {
  const lines: string[] = []
  const server = createServer((request, response) => {
    const after = Number(new URL(request.url ?? '', 'http://localhost').searchParams.get('after'))
    const some = lines.slice(after, after + mostAtOnce)
    response.end(JSON.stringify({ lines: some, next: String(after + some.length) }))
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  return { lines, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, stop: () => stop(server) }
}

function stop(server: Server): void {
  server.closeAllConnections()
  server.close()
}

if (import.meta.url === new URL(process.argv[1] ?? '', 'file:').href) {
  const { lines, url } = await startServer(Number(process.env.PORT ?? 8080))
  console.log(`${url} has the lines that are typed here`)
  createInterface({ input: process.stdin }).on('line', (line) => lines.push(line))
}
