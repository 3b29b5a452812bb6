/** An error for people: what is wrong, what to do, and the exit code (sysexits.h; 64 is a wrong command line). */
export class UsageError extends Error {
  /** @param {string} message @param {{ hint?: string, exitCode?: number }} [more] */
  constructor(message, { hint = '', exitCode = 64 } = {}) {
    super(message)
    this.name = 'UsageError'
    this.hint = hint
    this.exitCode = exitCode
  }
}

/** A text in quotes, cut, without control bytes: as it can be shown. @param {string} text */
export function quote(text) {
  const safe = JSON.stringify(text.slice(0, 100)).replaceAll(
    /[\u007F-\u009F\u2028-\u202E\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
  return text.length > 100 ? `${safe}…` : safe
}
