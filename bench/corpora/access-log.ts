/** Writes an access log as a busy web server would, as JSON (the fields that people give nginx) or logfmt. */
import {
  documentationAddress,
  writeGeneratedLog,
  type GeneratedLogAnswer,
  type GeneratedLogOptions,
} from './generated-log.ts'

export interface AccessLogOptions extends GeneratedLogOptions {
  readonly format: 'json' | 'logfmt'
}

/** The filter of such a log: failed logins of WordPress. */
export function accessFilter(format: AccessLogOptions['format']): string {
  const match = 'match: { method: POST, path: { prefix: /wp-login.php }, status: [200, 401, 403] }'
  return `format: ${format}\n${match}\naddress: [http_x_forwarded_for, remote_addr]\ntime: time\nuser: remote_user\n`
}

const agents = [
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36',
  'Mozilla/5.0 (iPhone; CPU iPhone OS 17_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.6',
  'curl/8.9.1',
  'Mozilla/5.0 (compatible; "quoted"; bot)',
]
const paths = ['/', '/index.php', '/assets/app.3f9a.js', '/wp-content/uploads/2026/11/a.jpg', '/api/v2/items?page=4']

/** Writes the log to `file` and answers what it holds; `accessFilter` must find the failures. */
export function writeAccessLog(file: string, options: AccessLogOptions): GeneratedLogAnswer {
  return writeGeneratedLog(file, options, (pick, attack, second) => {
    const record = {
      time: `${new Date(Date.UTC(2026, 10, 22) + second * 1000).toISOString().slice(0, 19)}+00:00`,
      remote_addr: documentationAddress(pick),
      remote_user: attack ? `user${pick(99)}` : '',
      method: attack || pick(10) === 0 ? 'POST' : 'GET',
      path: attack ? '/wp-login.php' : (paths[pick(paths.length)] ?? '/'),
      status: attack ? [200, 401, 403][pick(3)] : [200, 304, 404][pick(3)],
      body_bytes_sent: pick(50_000),
      request_time: pick(2000) / 1000,
      http_referer: pick(3) === 0 ? '' : 'https://www.example.org/some/page.html',
      http_user_agent: agents[pick(agents.length)] ?? '',
      http_x_forwarded_for: '',
    }
    return options.format === 'json' ? JSON.stringify(record) : logfmt(record)
  })
}

function logfmt(record: Readonly<Record<string, unknown>>): string {
  const quoted = (text: string) => (/[\s"=]/.test(text) ? JSON.stringify(text) : text)
  return Object.entries(record)
    .map(([key, value]) => `${key}=${quoted(String(value))}`)
    .join(' ')
}
