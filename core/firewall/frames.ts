/** Lines over a stream. */
import { maxFrameBytes } from './messages.ts'

/** The other side sent a line that is longer than the cap, so nothing after it can be trusted to begin a line. */
export class FrameTooLong extends Error {
  constructor() {
    super(`a line was longer than ${maxFrameBytes} bytes`)
    this.name = 'FrameTooLong'
  }
}

const newline = 10

/**
 * The whole lines that come over a stream, decoded as UTF-8, without their newlines. The stream is
 * not read while a line is being looked at. What stands behind the last newline is not given out: its
 * writer died while writing it. Throws `FrameTooLong`.
 */
export async function* readLines(stream: AsyncIterable<Buffer>): AsyncGenerator<string, void> {
  let rest: Buffer[] = []
  let restBytes = 0
  for await (const chunk of stream) {
    let start = 0
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, start)) {
      if (restBytes + end - start > maxFrameBytes) throw new FrameTooLong()
      rest.push(chunk.subarray(start, end))
      const line = Buffer.concat(rest).toString('utf8')
      rest = []
      restBytes = 0
      start = end + 1
      yield line
    }
    rest.push(chunk.subarray(start))
    restBytes += chunk.length - start
    if (restBytes > maxFrameBytes) throw new FrameTooLong()
  }
}
