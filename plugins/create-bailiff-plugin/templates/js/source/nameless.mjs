import { setTimeout } from 'node:timers/promises'
import { defineSource } from 'bailiff/plugin'

export default defineSource({
  options: {
    type: 'object',
    properties: {
      url: { type: 'string', description: 'where lines are fetched, such as http://127.0.0.1:8080' },
      pause: { type: 'number', minimum: 0.01, default: 1, description: 'seconds until it is asked again' },
    },
    required: ['url'],
    additionalProperties: false,
  },
  async start(emit, host) {
    const { signal, options } = host
    // The agent keeps the cursor together with the bans that came of the lines: none is lost, none counts twice.
    let cursor = host.cursor() ?? ''
    while (!signal.aborted) {
      const { lines, next } = await fetchLines(`${options.url}/?after=${encodeURIComponent(cursor)}`, signal)
      // A line break inside of a line would let whoever wrote it make up lines.
      const text = lines.map((line) => `${line.replaceAll(/[\r\n]/g, ' ')}\n`).join('')
      if (text !== '') await emit(Buffer.from(text), { cursor: next })
      cursor = next
      if (text === '') await setTimeout(options.pause * 1000, undefined, { signal })
    }
  },
})

/** Asks for the lines behind the cursor: `{ "lines": [...], "next": "cursor" }`. */
async function fetchLines(url, signal) {
  const answer = await fetch(url, { signal })
  if (!answer.ok) throw new Error(`${url} answers ${answer.status}`)
  return answer.json()
}
