import { defineNotifier, type AgentEvent } from 'bailiff/plugin'

interface Options {
  readonly url: string
}

export default defineNotifier<Options>({
  options: {
    type: 'object',
    properties: { url: { type: 'string', description: 'where messages are sent, such as http://127.0.0.1:8080' } },
    required: ['url'],
    additionalProperties: false,
  },
  async notify(event, { options, signal }) {
    const text = textOf(event)
    if (text === null) return
    const answer = await fetch(options.url, { method: 'POST', body: text, signal })
    await answer.body?.cancel()
    if (!answer.ok) throw new Error(`${options.url} answers ${answer.status}`)
  },
})

/** What is told of an event; null: nothing. */
function textOf(event: AgentEvent): string | null {
  if (event.type === 'ban')
    return `${event.ban.prefix} was banned by ${event.ban.jail} for ${event.ban.failures} failures`
  if (event.type === 'unban') return `${event.ban.prefix} is let in again by ${event.ban.jail}`
  if (event.type === 'alarm') return `${event.subject}: ${event.message}`
  return null
}
