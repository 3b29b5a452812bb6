import { z } from 'zod'
import { BailiffError, defineNotifier } from '../../core/plugin.ts'

const types = ['start', 'stop', 'ban', 'unban', 'would-ban', 'alarm'] as const

const options = z.strictObject({
  url: z.url({ protocol: /^https?$/ }).describe('where every event is sent'),
  method: z.enum(['POST', 'PUT']).default('POST'),
  headers: z.record(z.string(), z.string()).default({}).describe('further headers, for example a token'),
  events: z.array(z.enum(types)).min(1).default(['ban', 'unban', 'alarm']).describe('which events are sent'),
})

/** Sends events as JSON to an address on the web. Any answer of 200 to 299 is success. */
export default defineNotifier<z.output<typeof options>>({
  options,
  async notify(event, host) {
    const { url, method, headers, events } = host.options
    if (!events.includes(event.type)) return
    const response = await fetch(url, {
      method,
      headers: { 'content-type': 'application/json', 'user-agent': 'bailiff', ...headers },
      body: JSON.stringify(event),
      redirect: 'error',
      signal: host.signal,
    })
    // The answer is not of interest, and its length is the other side's choice.
    await response.body?.cancel()
    if (!response.ok) throw new BailiffError('unavailable', `${new URL(url).origin} answered ${response.status}`)
  },
})
