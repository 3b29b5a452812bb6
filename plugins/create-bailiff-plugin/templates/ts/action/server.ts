/** The other side, for tests and to try the action with: it remembers whom it is to keep out. `npm run server` runs it. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

export async function startServer(port = 0) {
  const banned = new Set<string>()
  const server = createServer((request, response) => {
    const prefix = decodeURIComponent((request.url ?? '').slice(1))
    if (request.method === 'PUT') banned.add(prefix)
    if (request.method === 'DELETE') banned.delete(prefix)
    response.end(`banned: ${[...banned].join(', ')}\n`)
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  return { banned, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, stop: () => stop(server) }
}

function stop(server: Server): void {
  server.closeAllConnections()
  server.close()
}

if (import.meta.url === new URL(process.argv[1] ?? '', 'file:').href) {
  const { url } = await startServer(Number(process.env.PORT ?? 8080))
  console.log(`${url} shows who is banned`)
}
