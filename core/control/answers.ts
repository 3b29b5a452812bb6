import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { setImmediate as turn } from 'node:timers/promises'

/** Items of a long list that are written before others have their turn: a millisecond or two. */
const itemsAtOnce = 200
/** How often who watches hears something, and what may wait for him. */
const beatMs = 5000
const mostUnread = 4 * 1024 * 1024

export function sendJson(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(`${JSON.stringify(body)}\n`)
}

/** Prometheus asks for this type: version 0.0.4 of its text format. */
export function sendText(response: ServerResponse, text: string): void {
  response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' })
  response.end(text)
}

/**
 * Sends an object as JSON whose `list` may have a million items: each is made when its turn has come, at
 * the pace of the reader, one a line. Resolves when all is written or the reader has gone.
 */
export async function sendStreamed<Name extends string>(
  response: ServerResponse,
  body: { readonly [name in Name]: Iterable<object> },
  list: Name,
): Promise<void> {
  response.writeHead(200, { 'content-type': 'application/json' })
  const head = JSON.stringify({ ...body, [list]: undefined })
  response.write(`${head.slice(0, -1)}${head.length > 2 ? ',' : ''}${JSON.stringify(list)}:[`)
  let text = ''
  let count = 0
  for (const item of body[list]) {
    text += `${count === 0 ? '' : ','}\n${JSON.stringify(item)}`
    if (++count % itemsAtOnce > 0) continue
    if (response.destroyed) return
    if (!response.write(text)) await drained(response)
    // A reader that is fast enough is drained at once, in the same turn.
    await turn()
    text = ''
  }
  response.end(`${text}\n]}\n`)
}

/**
 * Sends what `watch` tells as it happens, one JSON object a line, and an empty line now and then, so that the reader
 * sees that the agent is there. A reader that is too slow is left, for what it misses would go unseen. Resolves when
 * the reader has gone.
 */
export async function sendEvents(
  response: ServerResponse,
  watch: (listener: (event: object) => void) => () => void,
): Promise<void> {
  response.writeHead(200, { 'content-type': 'application/x-ndjson' })
  response.write('\n')
  const beat = setInterval(() => response.write('\n'), beatMs)
  const unwatch = watch((event) => {
    if (response.writableLength > mostUnread) response.destroy()
    else response.write(`${JSON.stringify(event)}\n`)
  })
  await new Promise<void>((resolve) => response.on('close', () => resolve()))
  clearInterval(beat)
  unwatch()
}

async function drained(response: ServerResponse): Promise<void> {
  if (response.destroyed) return
  const settled = new AbortController()
  const { signal } = settled
  const events = [once(response, 'drain', { signal }), once(response, 'close', { signal })]
  await Promise.race(events).finally(() => settled.abort())
  await Promise.allSettled(events)
}
