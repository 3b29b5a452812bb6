/** Messages of RFC 5424 and RFC 3164, and what is sent in their name, as lines of a log. */

/** A line is no longer than the agent takes. */
const maxLineBytes = 64 * 1024 - 1

/**
 * One line `RFC3339-time host program[pid]: message` of a message as it came, with its newline; null where it is
 * empty or too long. Bytes that are no ASCII stay as they are; a control byte becomes `#ooo` (octal), so that no
 * message makes two lines. `sender` stands in for a host that is not named, `now` (unix ms) for a time. What the
 * message says of host and program is for display: whoever may send may say anything.
 */
export function lineOf(message: Buffer, sender: string, now: number): Buffer | null {
  // One character a byte, so that nothing is changed that is not looked at.
  const text = message.toString('latin1').replace(/[\r\n\0]+$/, '')
  const rest = text.replace(/^<(?:\d|[1-9]\d|1\d\d)>/, '')
  const { time, host, program, pid, said } = structured(rest) ?? traditional(rest, now)
  if (said === '') return null
  const head = `${time ?? new Date(now).toISOString()} ${asHost(host) ?? asHost(sender)} ${asProgram(program)}`
  const line = `${head}${asPid(pid)}: ${withoutControls(said)}`
  return line.length > maxLineBytes ? null : Buffer.from(`${line}\n`, 'latin1')
}

/** The parts of a message; null and '-': not said. */
interface Parts {
  readonly time: string | null
  readonly host: string | null
  readonly program: string | null
  readonly pid: string | null
  readonly said: string
}

const head5424 = /^1 (\S{1,40}) (\S{1,255}) (\S{1,128}) (\S{1,128}) (\S{1,128}) /
const rfc3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)/

/** RFC 5424, section 6. */
function structured(text: string): Parts | null {
  const found = head5424.exec(text)
  if (found === null) return null
  const [head, time = '', host = '', program = '', pid = ''] = found
  const end = behindData(text, head.length)
  // Data that breaks its own rules is a part of what was said.
  const data = end < 0 ? '' : text.slice(head.length, end)
  const said = (end < 0 ? text.slice(head.length) : text.slice(end + 1)).replace(/^\xef\xbb\xbf/, '')
  const isTime = rfc3339.exec(time)?.[0] === time && isMoment(time)
  return {
    time: isTime ? time : null,
    host,
    program,
    pid,
    said: said.trim() === '' && data !== '-' ? data : said,
  }
}

/** Where structured data ends that begins at `start`; -1 where it is none. */
function behindData(text: string, start: number): number {
  if (text[start] === '-') return isEnd(text, start + 1) ? start + 1 : -1
  let at = start
  while (text[at] === '[') {
    at = behindElement(text, at)
    if (at < 0) return -1
  }
  return at > start && isEnd(text, at) ? at : -1
}

/** Where `[id name="value" …]` ends: at a bracket outside of quotes. */
function behindElement(text: string, start: number): number {
  let quoted = false
  for (let at = start + 1; at < text.length; at++) {
    const letter = text[at]
    if (quoted && letter === '\\') at++
    else if (letter === '"') quoted = !quoted
    else if (!quoted && letter === ']') return at + 1
  }
  return -1
}

const isEnd = (text: string, at: number) => at === text.length || text[at] === ' '

/** What a tag is: a program, perhaps its process, and a colon. */
const tag = /^([^\s:[\]]{1,128})(?:\[([^\]\s]{0,64})\])?:(?: |$)/

/** RFC 3164, section 4.1, as it is really sent: with dates of either form, or none, without host, without tag. */
function traditional(text: string, now: number): Parts {
  const full = rfc3339.exec(text)?.[0]
  const short =
    full === undefined ? /^([A-Z][a-z]{2} [ \d]\d) (?:\d{4} )?(\d\d:\d\d:\d\d)(?:\.\d{1,9})?:?(?= )/.exec(text) : null
  if (full === undefined && short === null) return { time: null, host: null, ...tagged(text) }
  const dated = text.slice((full ?? short?.[0] ?? '').length).replace(/^ /, '')
  const time = full === undefined ? localTime(`${short?.[1]} ${short?.[2]}`, now) : isMoment(full) ? full : null
  if (tag.test(dated)) return { time, host: null, ...tagged(dated) }
  const blank = dated.indexOf(' ')
  if (blank <= 0) return { time, host: null, program: null, pid: null, said: dated }
  return { time, host: dated.slice(0, blank), ...tagged(dated.slice(blank + 1)) }
}

function tagged(text: string): Pick<Parts, 'program' | 'pid' | 'said'> {
  const found = tag.exec(text)
  if (found === null) return { program: null, pid: null, said: text }
  return { program: found[1] ?? null, pid: found[2] ?? null, said: text.slice(found[0].length) }
}

const isMoment = (time: string) => !Number.isNaN(Date.parse(time))

/** `Nov 22 13:41:02` by the clock of this machine, in the year in which it is not to come. */
function localTime(text: string, now: number): string | null {
  const year = new Date(now + dayMs).getFullYear()
  const day = Number(text.slice(4, 6))
  for (const candidate of [year, year - 1]) {
    const time = new Date(`${text.replace(/ {2}/, ' 0')} ${candidate}`)
    // Another day: a date that this year has not.
    if (time.getDate() === day && time.getTime() <= now + dayMs) return time.toISOString()
  }
  return null
}

const dayMs = 86_400_000

/** A word that a reader of lines takes for a host, whatever was sent. */
function asHost(host: string | null): string | null {
  const word = (host ?? '').replaceAll(/[^\w.:%-]/g, '_').slice(0, 255)
  if (word === '' || word === '-') return null
  return word.endsWith(':') ? `[${word}]` : word
}

function asProgram(program: string | null): string {
  return program === null || program === '' ? '-' : program.replaceAll(/[^\w./@+-]/g, '_')
}

function asPid(pid: string | null): string {
  const word = (pid ?? '').replaceAll(/[^\w.-]/g, '_').slice(0, 30)
  return word === '' || word === '-' ? '' : `[${word}]`
}

function withoutControls(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, (letter) => {
    const code = letter.charCodeAt(0)
    // Above ASCII it is a part of a character of UTF-8.
    return code === 9 || code >= 0x80 ? letter : `#${code.toString(8).padStart(3, '0')}`
  })
}
