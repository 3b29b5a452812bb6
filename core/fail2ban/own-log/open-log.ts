import { BoundedStream } from './bounded-stream.ts'
import { LogFile } from './log-file.ts'
import { logLine, type LogEntry } from './log-line.ts'
import { journalFrame, SocketLog, syslogFrame } from './socket-log.ts'

/** Where the log goes. */
export type LogTarget =
  | { readonly type: 'file'; readonly path: string }
  | { readonly type: 'stdout' | 'stderr' }
  | { readonly type: 'syslog'; readonly socket: string; readonly facility: number }
  | { readonly type: 'journal' }

/** An open log. Nobody waits for it; what keeps lines from being written is told as an alarm. */
export interface OpenLog {
  write(entry: LogEntry): void
  /** Looks at once whether a file was rotated away. */
  reopen(): void
  /** Resolves when all is written, as far as it can be. */
  close(): Promise<void>
}

const journalSocket = '/run/systemd/journal/socket'

/** Opens a log whose lines have that format; what is written to the journal has none. */
export function openLog(target: LogTarget, format: string, alarm: (message: string) => void): OpenLog {
  const noFile = () => {}
  switch (target.type) {
    case 'file': {
      const file = new LogFile(target.path, alarm)
      const write = (entry: LogEntry) => file.write(logLine(entry, format))
      return { write, reopen: () => file.reopen(), close: () => file.close() }
    }
    case 'stdout':
    case 'stderr': {
      const stream = new BoundedStream(process[target.type], alarm)
      return { write: (entry) => stream.write(logLine(entry, format)), reopen: noFile, close: async () => {} }
    }
    case 'syslog': {
      const socket = new SocketLog(target.socket, alarm)
      const write = (entry: LogEntry) => socket.write(syslogFrame(entry, logLine(entry, format), target.facility))
      return { write, reopen: noFile, close: () => socket.close() }
    }
    case 'journal': {
      const socket = new SocketLog(journalSocket, alarm)
      return { write: (entry) => socket.write(journalFrame(entry)), reopen: noFile, close: () => socket.close() }
    }
  }
}
