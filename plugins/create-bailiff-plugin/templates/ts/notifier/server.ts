/** The other side, for tests and to try the notifier with: it takes messages. `npm run server` runs it, and prints them. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

export async function startServer(port = 0, heard: (text: string) => void = () => {}) {
  const messages: string[] = []
  const server = createServer((request, response) => {
    let text = ''
    request.setEncoding('utf8').on('data', (part: string) => (text += part))
    request.on('end', () => {
      messages.push(text)
      heard(text)
      response.end()
    })
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  return { messages, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, stop: () => stop(server) }
}

function stop(server: Server): void {
  server.closeAllConnections()
  server.close()
}

if (import.meta.url === new URL(process.argv[1] ?? '', 'file:').href) {
  const { url } = await startServer(Number(process.env.PORT ?? 8080), (text) => console.log(text))
  console.log(`${url} takes messages`)
}
