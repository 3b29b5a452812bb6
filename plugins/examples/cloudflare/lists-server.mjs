/**
 * Cloudflare's Lists API as far as the action asks it, for tests: items with ids, pages by cursor, operations that take a
 * while, one at a time, 429 with Retry-After, errors as they look there.
 */
import { createServer } from 'node:http'

export async function startServer({ token = 'good', pageSize = 100, operationMs = 5 } = {}) {
  const state = { items: new Map(), requests: [], busyUntil: 0, limited: 0, operations: 0, failing: '' }
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const part of request) body += part
    state.requests.push(`${request.method} ${request.url}`)
    const [status, answer, headers = {}] = answerTo(state, request, body, { token, pageSize, operationMs })
    response.writeHead(status, { 'content-type': 'application/json', ...headers })
    response.end(JSON.stringify({ success: status < 400, errors: [], messages: [], ...answer }))
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  const stop = () => {
    server.closeAllConnections()
    server.close()
  }
  return { state, api: `http://127.0.0.1:${server.address().port}/client/v4`, stop }
}

const failure = (status, code, message) => [status, { errors: [{ code, message }], result: null }]

function answerTo(state, { method, url, headers }, body, { token, pageSize, operationMs }) {
  if (headers.authorization !== `Bearer ${token}`) return failure(403, 10_000, 'Authentication error')
  if (state.limited > 0) {
    state.limited--
    return [429, { errors: [{ code: 971, message: 'rate limited' }] }, { 'retry-after': '7' }]
  }
  const { pathname, searchParams } = new URL(url, 'http://localhost')
  const [, account, rest] = /^\/client\/v4\/accounts\/([0-9a-f]{32})\/rules\/lists\/(.+)$/.exec(pathname) ?? []
  if (account === undefined) return failure(404, 7003, 'Could not route to it')
  if (rest.startsWith('bulk_operations/')) {
    const status = state.failing !== '' ? 'failed' : Date.now() < state.busyUntil ? 'running' : 'completed'
    return [
      200,
      { result: { id: rest.split('/')[1], status, ...(status === 'failed' ? { error: state.failing } : {}) } },
    ]
  }
  if (!/^[0-9a-f]{32}\/items$/.test(rest)) return failure(404, 10_001, 'list not found')
  if (method === 'GET')
    return page(
      state,
      Number(searchParams.get('cursor') ?? 0),
      Math.min(pageSize, Number(searchParams.get('per_page'))),
    )
  if (Date.now() < state.busyUntil) return failure(429, 10_013, 'an operation is running')
  change(state, method, JSON.parse(body))
  state.busyUntil = Date.now() + operationMs
  return [200, { result: { operation_id: `op${++state.operations}` } }]
}

function page(state, from, size) {
  const result = [...state.items.values()].slice(from, from + size)
  const more = from + size < state.items.size
  return [200, { result, result_info: { cursors: more ? { after: String(from + size) } : {} } }]
}

function change({ items }, method, body) {
  if (method === 'POST')
    for (const { ip, comment } of body) items.set(ip, { id: items.get(ip)?.id ?? `id-${ip}`, ip, comment })
  const ids = method === 'DELETE' ? new Set(body.items.map(({ id }) => id)) : new Set()
  for (const { id, ip } of items.values()) if (ids.has(id)) items.delete(ip)
}
