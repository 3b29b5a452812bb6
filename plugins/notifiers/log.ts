import { type AgentEvent, type Ban, defineNotifier } from '../../core/plugin.ts'

/** Writes every event to the agent's own log. */
export default defineNotifier({
  options: { type: 'object', properties: {}, additionalProperties: false },
  notify(event, host) {
    const fields = { event: event.type, ...('ban' in event ? banFields(event.ban) : {}) }
    if (event.type === 'alarm') host.log.error({ ...fields, subject: event.subject }, event.message)
    else host.log.info(fields, sentence(event))
  },
})

function banFields({ prefix, jail, failures, count, until }: Ban): object {
  return { prefix, jail, failures, count, until: until === null ? null : new Date(until).toISOString() }
}

/** An event in one line. */
function sentence(event: Exclude<AgentEvent, { type: 'alarm' }>): string {
  switch (event.type) {
    case 'start':
      return `watching: ${event.jails.join(', ') || 'no jail'}`
    case 'stop':
      return 'stopping; bans stay in force until they end'
    case 'ban':
      return `[${event.ban.jail}] ban ${event.ban.prefix} ${lasting(event.ban)} (${event.reason}, by ${event.action})`
    case 'unban':
      return `[${event.ban.jail}] unban ${event.ban.prefix} (${event.reason})`
    case 'would-ban':
      return `[${event.ban.jail}] would ban ${event.ban.prefix} ${lasting(event.ban)} (only observing)`
  }
}

function lasting({ until }: Ban): string {
  return until === null ? 'for ever' : `until ${new Date(until).toISOString()}`
}
