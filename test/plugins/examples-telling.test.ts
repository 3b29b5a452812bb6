import { createServer } from 'node:http'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import * as assert from 'uvu/assert'
import { bailiff, endAgents, writeConfig } from '../core/cli/agent-process.ts'
import { ok } from '../core/cli/plugin-bed.ts'
import { suite } from '../suite.ts'
import { append, examples, installed, jailOf, listening, started, until } from './installed-example.ts'

const test = suite('plugins/examples: those that tell', 'npm')

test('cloudflare: an agent puts a ban into the list, and takes it out', async () => {
  interface Lists {
    readonly api: string
    readonly state: { readonly items: ReadonlyMap<string, { readonly comment: string }> }
    readonly stop: () => void
  }
  const { startServer } = (await import(pathToFileURL(join(examples, 'cloudflare/lists-server.mjs')).href)) as {
    readonly startServer: () => Promise<Lists>
  }
  const { api, state, stop } = await startServer()
  const options = `{ account: ${'a'.repeat(32)}, list: ${'b'.repeat(32)}, owner: web1, api: "${api}" }`
  const { place, added } = await installed('cloudflare')
  assert.match(added, 'may talk to api.cloudflare.com:443')
  assert.match(added, 'gets the variable CLOUDFLARE_API_TOKEN')
  const config = writeConfig(place, jailOf(place, `actions: [{ cloudflare: ${options} }]`))
  const agent = await started(config, { CLOUDFLARE_API_TOKEN: 'good' })
  append(place, 'bad 192.0.2.7\nbad 2001:db8::7\n')
  await agent.shows(/ban.*2001:db8::7/)
  await until(() => state.items.size === 2)
  assert.is(state.items.get('192.0.2.7')?.comment, 'bailiff@web1: a')
  ok(await bailiff(['unban', '192.0.2.7', '--config', config]))
  await until(() => state.items.size === 1)
  stop()
  await agent.end('SIGKILL')
})

test('ntfy: a message tells of a ban', async () => {
  const told: string[] = []
  const server = createServer((request, response) => {
    request.on('data', (part: Buffer) => told.push(part.toString()))
    request.on('end', () => response.end('{}'))
  })
  const url = await listening(server)
  const { place } = await installed('ntfy')
  const use = `actions: [memory], notifiers: [{ ntfy: { server: "${url}", topic: t, events: [ban] } }]`
  const agent = await started(writeConfig(place, jailOf(place, use)), { NTFY_TOKEN: 'good' })
  append(place, 'bad 192.0.2.7\n')
  await until(() => told.join('').includes('192.0.2.7 is banned'))
  await agent.end('SIGKILL')
  server.closeAllConnections()
  server.close()
})

test.after(endAgents)
test.run()
