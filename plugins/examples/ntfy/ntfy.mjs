import { defineNotifier } from 'bailiff/plugin'

/** ntfy makes an attachment of what is longer. */
const longestBytes = 4096

/** Tells of events by ntfy (https://docs.ntfy.sh/publish/#publish-as-json). */
export default defineNotifier({
  options: {
    type: 'object',
    properties: {
      server: {
        type: 'string',
        pattern: '^https?://[^?#]+$',
        default: 'https://ntfy.sh',
        description: 'the server, without the topic',
      },
      topic: {
        type: 'string',
        pattern: '^[A-Za-z0-9_-]{1,64}$',
        description:
          'the topic; who knows it on a server without accounts can read along, so let it be a long random one',
      },
      events: {
        type: 'array',
        items: { enum: ['start', 'stop', 'ban', 'unban', 'would-ban', 'alarm'] },
        minItems: 1,
        default: ['ban', 'alarm'],
        description: 'what is told',
      },
      lines: { type: 'boolean', default: false, description: 'whether the lines that led to a ban are told, too' },
    },
    required: ['topic'],
    additionalProperties: false,
  },

  async notify(event, { options, signal }) {
    const { server, topic, events, lines } = options
    if (!events.includes(event.type)) return
    const token = process.env.NTFY_TOKEN
    const answer = await fetch(server, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}) },
      // As JSON no text of an enemy becomes a header or a command.
      body: JSON.stringify({ topic, ...messageOf(event, lines) }),
      redirect: 'error',
      signal,
    })
    await answer.body?.cancel()
    if (!answer.ok)
      throw new Error(`${server} answers ${answer.status}${answer.status === 429 ? ': too many messages' : ''}`)
  },
})

/** Title, text, urgency (1 to 5) and sign of a message. */
function messageOf(event, withLines) {
  if (event.type === 'alarm') return message(`Bailiff: ${event.subject}`, event.message, 4, 'warning')
  if (event.type === 'start') return message('Bailiff is watching', event.jails.join(', ') || 'no jail', 2, 'eyes')
  if (event.type === 'stop') return message('Bailiff has stopped', 'nothing is watched', 3, 'zzz')
  const { prefix, jail, failures, until, lines } = event.ban
  if (event.type === 'unban') return message(`${prefix} is let in again`, `${jail}: ${event.reason}`, 2, 'unlock')
  const verb = event.type === 'ban' ? 'is banned' : 'would be banned'
  const length = until === null ? 'for ever' : `until ${new Date(until).toISOString()}`
  const text = [`${jail}: ${failures} failures; ${length}`, ...(withLines ? lines : [])].join('\n')
  return message(`${prefix} ${verb}`, text, 3, 'no_entry')
}

function message(title, text, priority, tag) {
  return { title: cut(title, 250), message: cut(text, longestBytes), priority, tags: [tag] }
}

/** At most so many bytes, and no half characters. */
function cut(text, bytes) {
  const whole = Buffer.from(text)
  return whole.length <= bytes
    ? text
    : `${whole
        .subarray(0, bytes - 3)
        .toString()
        .replace(/\uFFFD+$/, '')}…`
}
