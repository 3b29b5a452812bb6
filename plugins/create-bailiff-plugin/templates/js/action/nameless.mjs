import { defineAction, RetryLater } from 'bailiff/plugin'

export default defineAction({
  options: {
    type: 'object',
    properties: { url: { type: 'string', description: 'where bans are sent, such as http://127.0.0.1:8080' } },
    required: ['url'],
    additionalProperties: false,
  },
  ban: ({ prefix }, host) => tell('PUT', prefix, host),
  unban: ({ prefix }, host) => tell('DELETE', prefix, host),
})

async function tell(method, prefix, { options, signal }) {
  const answer = await fetch(`${options.url}/${encodeURIComponent(prefix)}`, { method, signal })
  await answer.body?.cancel()
  if (answer.status === 429) throw new RetryLater(5000)
  if (!answer.ok) throw new Error(`${options.url} answers ${answer.status}`)
}
